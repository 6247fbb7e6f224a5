package app

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
)

// canaryName returns the name of this server's canaries. It is the same after a restart, and different for every server,
// because no two servers on a host share a storage path.
func canaryName(storagePath string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	path, err := filepath.Abs(storagePath)
	if err != nil {
		path = storagePath
	}
	sum := sha256.Sum256([]byte(path))
	return host + "-" + hex.EncodeToString(sum[:4])
}

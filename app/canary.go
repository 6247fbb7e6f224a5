package app

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
)

// canaryName returns the name of this server's canaries. It is the same after a restart, and different for every server,
// because no two servers on a host share a storage path.
func canaryName(storagePath string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	sum := sha256.Sum256([]byte(absolute(storagePath)))
	return host + "-" + hex.EncodeToString(sum[:4])
}

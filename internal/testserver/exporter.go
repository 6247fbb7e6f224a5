package testserver

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"time"
)

// BuildExporter builds the program that users have, and returns its path.
func BuildExporter(t TB) string {
	t.Helper()
	path := filepath.Join(TempDir(t), "servicegroup_exporter")
	if out, err := exec.Command("go", "build", "-o", path, "servicegroup_exporter").CombinedOutput(); err != nil {
		t.Fatalf("building the exporter: %v\n%s", err, out)
	}
	return path
}

// ExporterReady is nil when the exporter that serves at addr says that it is ready.
func ExporterReady(addr string) error {
	response, err := (&http.Client{Timeout: time.Second}).Get("http://" + addr + "/-/ready")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the exporter answers %s", response.Status)
	}
	return nil
}

package testserver

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// BuildExporter builds the exporter, and returns its path.
func BuildExporter(t TB) string {
	t.Helper()
	path := filepath.Join(TempDir(t), "servicegroup_exporter")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = ModuleDir(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the exporter: %v\n%s", err, out)
	}
	return path
}

// ModuleDir returns the folder of the main module, for tests in it or in a module that requires it.
func ModuleDir(t TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "servicegroup_exporter").Output()
	if err != nil {
		t.Fatalf("finding the folder of the module: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// ExporterReady returns nil if the exporter at addr reports that it is ready.
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

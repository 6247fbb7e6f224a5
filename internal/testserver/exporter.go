package testserver

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// exporterVariable is the environment variable that has the absolute path of the exporter. `make test` builds the exporter
// before all tests and sets the variable.
const exporterVariable = "SERVICEGROUP_EXPORTER_BINARY"

// ExporterPath returns the path of the exporter that `make test` built. Without `make test`, it builds the exporter.
func ExporterPath(t TB) string {
	t.Helper()
	path, err := FindOrBuildExporter(TempDir(t))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return path
}

// FindOrBuildExporter returns the path of the exporter that `make test` built. Without `make test`, it builds the exporter in
// dir. The version of both is "test".
func FindOrBuildExporter(dir string) (string, error) {
	if path := os.Getenv(exporterVariable); path != "" {
		// The go command notes the call of Stat: it uses no cached result of a test after the exporter has changed.
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("finding the exporter that %s names: %w", exporterVariable, err)
		}
		return path, nil
	}
	module, err := moduleDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "servicegroup_exporter")
	build := exec.Command("go", "build", "-ldflags=-X github.com/prometheus/common/version.Version=test", "-o", path, ".")
	build.Dir = module
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the exporter: %w\n%s", err, out)
	}
	return path, nil
}

// ModuleDir returns the folder of the main module, for tests in it or in a module that requires it.
func ModuleDir(t TB) string {
	t.Helper()
	dir, err := moduleDir()
	if err != nil {
		t.Fatalf("%v", err)
	}
	return dir
}

func moduleDir() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "servicegroup_exporter").Output()
	if err != nil {
		return "", fmt.Errorf("finding the folder of the main module: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
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

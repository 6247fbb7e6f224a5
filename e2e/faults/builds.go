package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// builds are the programs that labs need, each built when it is first needed, in one folder.
type builds struct {
	dir string
	// plain is what users have, with the flags of `make build`, so that little is left to do where that ran.
	plain func() (string, error)
	// shifted has a wall clock that can be set.
	//
	// Go programs read the clock without the C library, which libfaketime needs, and Linux has namespaces for other clocks
	// only. So this exporter is built with a standard library in which [time.Now] adds what is in a file to the wall clock,
	// and nothing to the monotonic one, as when somebody sets the machine's clock. Nothing else is different.
	shifted func() (string, error)
}

func newBuilds() (*builds, error) {
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		return nil, err
	}
	b := &builds{dir: dir}
	b.plain = sync.OnceValues(func() (string, error) { return b.build("servicegroup_exporter") })
	b.shifted = sync.OnceValues(func() (string, error) {
		overlay, err := b.overlay()
		if err != nil {
			return "", fmt.Errorf("changing Go's library: %w", err)
		}
		return b.build("shifted", "-overlay="+overlay)
	})
	return b, nil
}

func (b *builds) remove() { os.RemoveAll(b.dir) }

func (b *builds) build(name string, flags ...string) (string, error) {
	path := filepath.Join(b.dir, name)
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "servicegroup_exporter").Output()
	if err != nil {
		return "", fmt.Errorf("finding the folder of the module: %w", err)
	}
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-o", path}, append(flags, ".")...)...)
	cmd.Dir = strings.TrimSpace(string(module))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the exporter: %w\n%s", err, out)
	}
	return path, nil
}

// built gives a program's path.
func (l *lab) built(program func() (string, error)) string {
	path, err := program()
	if err != nil {
		l.Fatalf("%v", err)
	}
	return path
}

// clockVariable names the variable of the environment that says which file the clock's offset is in.
const clockVariable = "SERVICEGROUP_FAULTS_CLOCK"

const (
	readsClock = "sec, nsec, mono := runtimeNow()"
	addsOffset = readsClock + "\n\tsec += clockOffset()"
)

// clockSource is added to the package time. It can't use other packages than those that the package has.
const clockSource = `package time

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

var clockFile = mapClockFile()

func mapClockFile() *int64 {
	path, _ := syscall.Getenv("` + clockVariable + `")
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	if err != nil {
		panic(err)
	}
	memory, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return (*int64)(unsafe.Pointer(&memory[0]))
}

func clockOffset() int64 {
	if clockFile == nil { // Another variable is being initialized.
		return 0
	}
	return atomic.LoadInt64(clockFile)
}
`

// overlay writes what makes the compiler take another package time, and gives the file that says so.
func (b *builds) overlay() (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	library := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	text, err := os.ReadFile(filepath.Join(library, "time.go"))
	if err != nil {
		return "", err
	}
	changed := strings.Replace(string(text), readsClock, addsOffset, 1)
	if changed == string(text) {
		return "", fmt.Errorf("this release reads its clock in another way than %q", readsClock)
	}
	files := map[string]string{
		filepath.Join(library, "time.go"):        filepath.Join(b.dir, "time.go"),
		filepath.Join(library, "clockoffset.go"): filepath.Join(b.dir, "clockoffset.go"),
	}
	replace, err := json.Marshal(map[string]any{"Replace": files})
	path := filepath.Join(b.dir, "overlay.json")
	return path, errors.Join(err,
		os.WriteFile(filepath.Join(b.dir, "time.go"), []byte(changed), 0o600),
		os.WriteFile(filepath.Join(b.dir, "clockoffset.go"), []byte(clockSource), 0o600),
		os.WriteFile(path, replace, 0o600))
}

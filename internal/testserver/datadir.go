package testserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// dataDir makes the folder dir with a new database in it. The first time it calls create, which takes longer than starting the
// server, and keeps a copy of the result in the user's folder of caches; after that it copies this. A newer release of daemon, the
// server's program, gets a copy of its own.
func dataDir(t TB, daemon, dir string, create func(dir string)) {
	t.Helper()
	program, err := os.Stat(daemon)
	if err != nil {
		t.Fatalf("making a database: %v", err)
	}
	caches, err := os.UserCacheDir()
	if err != nil { // HOME is not set.
		create(dir)
		return
	}
	name := fmt.Sprintf("%s-%d-%d", filepath.Base(daemon), os.Getuid(), program.ModTime().Unix())
	kept := filepath.Join(caches, "servicegroup_exporter", "tests", name)
	if _, err := os.Stat(kept); err == nil {
		copyFolder(t, kept, dir)
		return
	}
	create(dir)
	if err := os.MkdirAll(filepath.Dir(kept), 0o777); err != nil {
		t.Fatalf("keeping a database for later tests: %v", err)
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(kept), name)
	if err != nil {
		t.Fatalf("keeping a database for later tests: %v", err)
	}
	defer os.RemoveAll(unfinished)
	copyFolder(t, dir, filepath.Join(unfinished, "data"))
	// The rename fails if another test was faster, whose copy is as good.
	_ = os.Rename(filepath.Join(unfinished, "data"), kept)
}

// copyFolder copies a folder to a path that does not exist, with owners and permissions.
func copyFolder(t TB, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "--archive", "--reflink=auto", from, to).CombinedOutput(); err != nil {
		t.Fatalf("copying %s: %v\n%s", from, err, out)
	}
}

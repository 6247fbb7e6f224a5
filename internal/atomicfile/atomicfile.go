// Package atomicfile replaces files atomically.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace replaces the content of a file. A reader finds the old or the new content at any time, even after a power failure.
func Replace(name string, data []byte) (err error) {
	defer func() {
		// The name of the temporary file is another one each time, and no help.
		if failed, ok := errors.AsType[*fs.PathError](err); ok && failed.Path != name {
			err = &fs.PathError{Op: failed.Op, Path: name, Err: failed.Err}
		}
	}()
	tmp, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

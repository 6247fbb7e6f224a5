// Package storagelock keeps two servers from using one storage path, where they would overwrite each other's state.
//
// The lock is flock(2) on a file in the folder. The kernel releases it when the process ends, also after kill -9. The file stays,
// because a file that is removed could be locked by one process and made again by another.
package storagelock

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// fileName is the name of the lockfile in the storage path.
	fileName = "servicegroup_exporter.lock"
	// defaultPatience is how long Take tries again. A process that has just been told to stop may still hold the lock, and Test
	// holds it for a moment.
	defaultPatience = time.Second
	// retryInterval is the time between two tries.
	retryInterval = 20 * time.Millisecond
)

// A Holder is the process that holds the lock of a storage path, as it described itself in the lockfile.
type Holder struct {
	PID   int       `json:"pid"`  // 0: unknown
	Host  string    `json:"host"` // a container's is its name, and PID is the one inside the container
	Since time.Time `json:"since"`
}

func (h *Holder) String() string {
	if h.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d on host %s since %s", h.PID, h.Host, h.Since.Format(time.RFC3339))
}

// A TakenError is the error of a storage path that another process uses.
type TakenError struct {
	Folder string
	Holder Holder
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("storage path %s is in use by %s: stop that process, or choose another folder for this one with --storage.path",
		e.Folder, &e.Holder)
}

// A Lock is taken until Release or the end of the process.
type Lock struct{ file *os.File }

// Take locks a storage path, which must exist. The error is a [*TakenError] if another process has it. Any other error means that
// there is no lock, because the folder can't be written or the file system has no locks.
func Take(folder string) (*Lock, error) { return take(folder, defaultPatience, unix.Flock) }

func take(folder string, patience time.Duration, flock func(fd, how int) error) (*Lock, error) {
	file, err := os.OpenFile(filepath.Join(folder, fileName), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("opening the lockfile: %w", err)
	}
	for end := time.Now().Add(patience); ; time.Sleep(retryInterval) {
		err = flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !busy(err) || time.Now().After(end) {
			break
		}
	}
	if err != nil {
		defer file.Close()
		return nil, lockError(folder, file, err)
	}
	describe(file)
	return &Lock{file}, nil
}

// Test returns the process that holds the lock of a storage path, or nil if no process does. It changes nothing.
func Test(folder string) (*Holder, error) {
	file, err := os.Open(filepath.Join(folder, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // No process has ever locked it.
	}
	if err != nil {
		return nil, fmt.Errorf("opening the lockfile: %w", err)
	}
	defer file.Close() // This also releases the lock.
	err = unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if err == nil {
		return nil, nil //nolint:nilnil // No process holds it.
	}
	err = lockError(folder, file, err)
	if taken, ok := errors.AsType[*TakenError](err); ok {
		return &taken.Holder, nil
	}
	return nil, err
}

// Release releases the lock.
func (l *Lock) Release() error {
	_ = l.file.Truncate(0) // The description is a hint only.
	return l.file.Close()
}

func busy(err error) bool { return errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) }

// lockError returns why a lock was not given.
func lockError(folder string, file *os.File, err error) error {
	if !busy(err) {
		return fmt.Errorf("locking %s: the file system does not support locks: %w", file.Name(), err)
	}
	taken := &TakenError{Folder: folder}
	if path, err := filepath.Abs(folder); err == nil {
		taken.Folder = path
	}
	if data, err := os.ReadFile(file.Name()); err != nil || json.Unmarshal(data, &taken.Holder) != nil {
		taken.Holder = Holder{}
	}
	return taken
}

// describe writes into the lockfile which process holds the lock. On a full disk the file stays empty, and the lock holds all the same.
func describe(file *os.File) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	data, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Since: time.Now().Truncate(time.Second)})
	if err != nil || file.Truncate(0) != nil {
		return
	}
	_, _ = file.WriteAt(append(data, '\n'), 0)
}

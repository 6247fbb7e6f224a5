package storagelock

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// holderVariable makes the test binary take the lock of the folder that it names, print a line, and hold the lock until kill -9 or
// the end of the test.
const holderVariable = "STORAGELOCK_TEST_FOLDER"

func TestMain(m *testing.M) {
	if folder := os.Getenv(holderVariable); folder != "" {
		lock, err := Take(folder)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = lock.Release()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// holdElsewhere takes the lock in another process.
func holdElsewhere(t *testing.T, folder string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), holderVariable+"="+folder)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	_, err = cmd.StdinPipe() // It ends with the test.
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "locked\n", line)
	return cmd
}

func TestOneProcessHoldsTheLock(t *testing.T) {
	folder := t.TempDir()
	other := holdElsewhere(t, folder)

	holder, err := Test(folder)
	require.NoError(t, err)
	require.Equal(t, other.Process.Pid, holder.PID)
	require.WithinDuration(t, time.Now(), holder.Since, time.Hour)

	_, err = Take(folder)
	var taken *TakenError
	require.ErrorAs(t, err, &taken)
	require.Equal(t, *holder, taken.Holder)
	require.ErrorContains(t, err, fmt.Sprintf("storage path %s is in use by process %d on host %s since ", folder, holder.PID, holder.Host))
	require.ErrorContains(t, err, "--storage.path")

	require.NoError(t, other.Process.Kill()) // as kill -9
	_ = other.Wait()
	holder, err = Test(folder)
	require.NoError(t, err)
	require.Nil(t, holder)
	lock, err := Take(folder)
	require.NoError(t, err)
	holder, err = Test(folder)
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), holder.PID)
	require.NoError(t, lock.Release())
	holder, err = Test(folder)
	require.NoError(t, err)
	require.Nil(t, holder)
}

// Several processes may test at the same time, and a test neither takes the lock nor leaves anything behind.
func TestTestChangesNothing(t *testing.T) {
	folder := t.TempDir()
	holder, err := Test(folder)
	require.NoError(t, err)
	require.Nil(t, holder)
	require.NoFileExists(t, filepath.Join(folder, fileName))
	holder, err = Test(filepath.Join(folder, "missing"))
	require.NoError(t, err)
	require.Nil(t, holder)

	holdElsewhere(t, folder)
	before, err := os.ReadFile(filepath.Join(folder, fileName))
	require.NoError(t, err)
	for range 3 {
		holder, err = Test(folder)
		require.NoError(t, err)
		require.NotNil(t, holder)
	}
	after, err := os.ReadFile(filepath.Join(folder, fileName))
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// A description that is missing or damaged leaves the lock as it is.
func TestUnknownHolder(t *testing.T) {
	for _, text := range []string{"", "{", "no JSON", `{"pid": "many"}`} {
		t.Run(text, func(t *testing.T) {
			folder := t.TempDir()
			holdElsewhere(t, folder)
			require.NoError(t, os.WriteFile(filepath.Join(folder, fileName), []byte(text), 0o600))
			_, err := take(folder, 0, unix.Flock)
			require.ErrorContains(t, err, "is in use by another process: stop that process")
		})
	}
}

// A process that ends while another one starts does not make it fail.
func TestTakeWaitsForAProcessThatEnds(t *testing.T) {
	folder := t.TempDir()
	other := holdElsewhere(t, folder)
	tries := 0
	lock, err := take(folder, time.Minute, func(fd, how int) error {
		if tries++; tries == 3 {
			require.NoError(t, other.Process.Kill())
			_ = other.Wait()
		}
		return unix.Flock(fd, how)
	})
	require.NoError(t, err)
	require.Equal(t, 3, tries)
	require.NoError(t, lock.Release())
}

func TestNoLock(t *testing.T) {
	for name, flockErr := range map[string]error{
		"no lock server of NFS": unix.ENOLCK, "unknown to the file system": unix.ENOSYS, "refused": unix.EOPNOTSUPP, "invalid": unix.EINVAL,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := take(t.TempDir(), time.Minute, func(int, int) error { return flockErr })
			require.ErrorIs(t, err, flockErr)
			require.ErrorContains(t, err, "the file system does not support locks")
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for name, folder := range map[string]string{"read-only": "/proc", "missing": file + ".missing", "not a folder": file} {
		t.Run(name, func(t *testing.T) {
			_, err := Take(folder)
			require.ErrorContains(t, err, "opening the lockfile: ")
		})
	}
}

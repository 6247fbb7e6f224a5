package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/internal/atomicfile"
)

const (
	// stateFileName is the name of the state file in the storage path.
	stateFileName = "alerts.json"
	// stateFileVersion is the version of its format.
	stateFileVersion = 1
	// saveRetry is how long after a failure the state is saved again.
	saveRetry = time.Minute
)

// A stateFile saves the alerts that fire, so that a restart does not lose alerts of sources that can't be read. It writes in
// a goroutine of its own, so that a slow disk does not delay posts.
type stateFile struct {
	path string // empty: nothing is saved
	log  *slog.Logger
	next chan []savedAlert // what to write next; of capacity 1
}

// stateFileContent is the content of the file, as JSON.
type stateFileContent struct {
	Version int          `json:"version"`
	Firing  []savedAlert `json:"firing"`
}

// A savedAlert is an alert in the file.
type savedAlert struct {
	Alert  string    `json:"alert"`
	Source string    `json:"source"`
	Group  string    `json:"group,omitempty"`
	Member string    `json:"member,omitempty"`
	Start  time.Time `json:"start"`
}

// newStateFile returns the state file in a folder; without a folder, it loads and saves nothing.
func newStateFile(folder string, log *slog.Logger) *stateFile {
	f := &stateFile{log: log, next: make(chan []savedAlert, 1)}
	if folder != "" {
		f.path = filepath.Join(folder, stateFileName)
	}
	return f
}

// load returns the alerts that fired when the program last ran. It renames a file that it can't read.
func (f *stateFile) load() []savedAlert {
	if f.path == "" {
		return nil
	}
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var firing []savedAlert
	if err == nil {
		firing, err = parseStateFile(data)
	}
	if err != nil {
		f.log.Warn("Reading the alert state file failed: alerts of sources that can't be read now are lost", "file", f.path, "err", err)
		if err := os.Rename(f.path, f.path+".damaged"); err != nil {
			f.log.Warn("Renaming the damaged alert state file failed", "file", f.path, "err", err)
		}
	}
	return firing
}

func parseStateFile(data []byte) ([]savedAlert, error) {
	var content stateFileContent
	if err := json.Unmarshal(data, &content); err != nil {
		return nil, fmt.Errorf("parsing the alert state: %w", err)
	}
	if content.Version != stateFileVersion {
		return nil, fmt.Errorf("parsing the alert state: version %d is not supported, only version %d is", content.Version, stateFileVersion)
	}
	for _, a := range content.Firing {
		if !alerts.IsPosted(a.Alert) || a.Source == "" || a.Start.IsZero() {
			return nil, fmt.Errorf("parsing the alert state: alert %q of source %q is not valid", a.Alert, a.Source)
		}
	}
	return content.Firing, nil
}

// save makes run write the alerts soon, in place of those that it has not written yet. It is called by one goroutine, and
// not after close.
func (f *stateFile) save(firing []savedAlert) {
	select {
	case <-f.next:
	default:
	}
	f.next <- firing
}

// close makes run return after it has written what was saved last.
func (f *stateFile) close() { close(f.next) }

// run writes what is saved, until close. After a failure it tries again every minute, and logs the first failure and the
// recovery.
func (f *stateFile) run() {
	var firing []savedAlert
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	failing := false
	for {
		select {
		case next, ok := <-f.next:
			if !ok {
				return
			}
			firing = next
		case <-retry.C:
		}
		switch err := f.write(firing); {
		case err != nil:
			if !failing {
				f.log.Warn("Saving alert state failed: alerts of sources that can't be read may be lost on restart", "err", err)
			}
			failing = true
			retry.Reset(saveRetry)
		case failing:
			f.log.Info("Saving alert state succeeded again")
			failing = false
			retry.Stop()
		}
	}
}

func (f *stateFile) write(firing []savedAlert) error {
	if f.path == "" {
		return nil
	}
	data, err := json.Marshal(stateFileContent{stateFileVersion, firing})
	if err != nil {
		return fmt.Errorf("encoding the alert state: %w", err)
	}
	if err := atomicfile.Replace(f.path, data); err != nil {
		return fmt.Errorf("writing the alert state: %w", err)
	}
	return nil
}

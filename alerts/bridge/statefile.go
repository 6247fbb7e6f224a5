package bridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/drivers"
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

// A stateFile saves the alerts that fire, so that a restart does not lose alerts of sources that were never read since. It writes in
// a goroutine of its own, so that a slow disk does not delay posts.
type stateFile struct {
	path string // empty: nothing is saved
	log  *slog.Logger
	next chan savedState // what to write next; of capacity 1
}

// A savedState is what is saved of a [state], as JSON.
type savedState struct {
	Version int          `json:"version"`
	Firing  []savedAlert `json:"firing"`
	Ended   []savedAlert `json:"ended,omitempty"` // see state.ended
}

// A savedAlert is an alert in the file. Its name is that without a severity: see [alerts.ID].
type savedAlert struct {
	Alert   string    `json:"alert"`
	Source  string    `json:"source"`
	Group   string    `json:"group,omitempty"`
	Member  string    `json:"member,omitempty"`
	Problem string    `json:"problem,omitempty"`
	Binary  string    `json:"binary,omitempty"`
	Zone    string    `json:"zone,omitempty"`
	Host    *string   `json:"host,omitempty"` // nil in files of an earlier version
	Start   time.Time `json:"start,omitzero"` // of firing alerts
	alerts.Facts
}

func newSavedAlert(id alerts.ID, start time.Time, facts alerts.Facts) savedAlert {
	return savedAlert{id.Alert, id.Source, id.Group, id.Member, id.Problem, id.Binary, id.Zone, &id.Host, start, facts}
}

func (a *savedAlert) id() alerts.ID {
	host := a.Host
	if host == nil && a.Member != "" { // The version before did not save it.
		host = new((&hosts.Naming{}).Host(a.Member))
	}
	id := alerts.ID{Alert: a.Alert, Source: a.Source, Group: a.Group, Member: a.Member, Problem: a.Problem, Binary: a.Binary, Zone: a.Zone}
	if host != nil {
		id.Host = *host
	}
	return id
}

// newStateFile returns the state file in a folder; without a folder, it loads and saves nothing.
func newStateFile(folder string, log *slog.Logger) *stateFile {
	f := &stateFile{log: log, next: make(chan savedState, 1)}
	if folder != "" {
		f.path = filepath.Join(folder, stateFileName)
	}
	return f
}

// load returns what was saved when the program last ran. It renames a file that it can't read.
func (f *stateFile) load() savedState {
	if f.path == "" {
		return savedState{}
	}
	data, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return savedState{}
	}
	var saved savedState
	if err == nil {
		saved, err = parseStateFile(data)
	}
	if err != nil {
		f.log.Warn("Reading the alert state file failed: alerts of sources that can't be read now are lost", "file", f.path, "err", err)
		if err := os.Rename(f.path, f.path+".damaged"); err != nil {
			f.log.Warn("Renaming the damaged alert state file failed", "file", f.path, "err", err)
		}
	}
	return saved
}

func parseStateFile(data []byte) (savedState, error) {
	var saved savedState
	if err := json.Unmarshal(data, &saved); err != nil {
		return savedState{}, fmt.Errorf("parsing the alert state: %w", err)
	}
	if saved.Version != stateFileVersion {
		return savedState{}, fmt.Errorf("parsing the alert state: version %d is not supported, only version %d is", saved.Version, stateFileVersion)
	}
	for _, a := range slices.Concat(saved.Firing, saved.Ended) {
		if !alerts.IsPosted(a.Alert) || a.Source == "" {
			return savedState{}, fmt.Errorf("parsing the alert state: alert %q of source %q is not valid", a.Alert, a.Source)
		}
	}
	if slices.ContainsFunc(saved.Firing, func(a savedAlert) bool { return a.Start.IsZero() }) {
		return savedState{}, errors.New("parsing the alert state: an alert has no start")
	}
	return saved, nil
}

// save makes run write a state soon, in place of one that it has not written yet. It is called by one goroutine, and not after
// close.
func (f *stateFile) save(saved savedState) {
	select {
	case <-f.next:
	default:
	}
	f.next <- saved
}

// close makes run return after it has written what was saved last.
func (f *stateFile) close() { close(f.next) }

// run writes what is saved, until close. After a failure it tries again every minute, and logs the first failure and the
// recovery.
func (f *stateFile) run() {
	var saved savedState
	retry := time.NewTimer(0)
	retry.Stop()
	defer retry.Stop()
	var failing drivers.LastingError
	for {
		select {
		case next, ok := <-f.next:
			if !ok {
				return
			}
			saved = next
		case <-retry.C:
		}
		err := f.write(saved)
		switch failed, ended := failing.Update(err); {
		case failed:
			f.log.Warn("Saving alert state failed: alerts of sources that can't be read may be lost on restart", "err", err)
		case ended:
			f.log.Info("Saving alert state succeeded again")
		}
		if retry.Stop(); err != nil {
			retry.Reset(saveRetry)
		}
	}
}

func (f *stateFile) write(saved savedState) error {
	if f.path == "" {
		return nil
	}
	saved.Version = stateFileVersion
	data, err := json.Marshal(saved)
	if err != nil {
		return fmt.Errorf("encoding the alert state: %w", err)
	}
	if err := atomicfile.Replace(f.path, data); err != nil {
		return fmt.Errorf("writing the alert state: %w", err)
	}
	return nil
}

package bridge

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
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
	lost bool            // what the file had can't be used, or not all of it
}

// A savedState is what is saved of a [state], as JSON.
type savedState struct {
	Version int          `json:"version"`
	Firing  []savedAlert `json:"firing"`
	Ended   []savedAlert `json:"ended,omitempty"` // see state.ended

	// skipped is how many alerts of a later version's file were not understood.
	skipped int
}

// A savedAlert is an alert in the file. Its name is that without a severity: see [alerts.ID].
type savedAlert struct {
	Alert   string    `json:"alert"`
	Source  string    `json:"source,omitempty"`
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

// load returns what was saved when the program last ran. It renames a file that it can't use.
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
		f.lost = true
		f.log.Warn("Reading the alert state file failed: alerts of sources that can't be read now are lost", "file", f.path, "err", err)
		if err := os.Rename(f.path, f.path+".damaged"); err != nil {
			f.log.Warn("Renaming the damaged alert state file failed", "file", f.path, "err", err)
		}
		return savedState{}
	}
	if saved.Version > stateFileVersion {
		f.keepLater(&saved)
	}
	return saved
}

// keepLater keeps a copy of the file of a later version, because the next save replaces it by what this version understands.
func (f *stateFile) keepLater(saved *savedState) {
	f.log.Warn("Alert state file is of a later version, using what this version understands",
		"file", f.path, "version", saved.Version, "supported_version", stateFileVersion, "not_understood", saved.skipped)
	f.lost = saved.skipped > 0
	if err := atomicfile.KeepLater(f.path, saved.Version); err != nil {
		f.log.Warn("Copying the alert state file of a later version failed", "file", f.path, "err", err)
	}
}

// parseStateFile decodes a state file. Of the alerts of a later version it keeps those that this version understands; a later
// version gives no other meaning to what is known here.
func parseStateFile(data []byte) (savedState, error) {
	var file struct {
		Version int             `json:"version"`
		Firing  json.RawMessage `json:"firing"`
		Ended   json.RawMessage `json:"ended"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return savedState{}, fmt.Errorf("parsing the alert state: %w", err)
	}
	if file.Version < 1 || file.Firing == nil {
		return savedState{}, errors.New("parsing the alert state: it has no version, or no list of firing alerts")
	}
	saved := savedState{Version: file.Version}
	var err, errEnded error
	saved.Firing, err = saved.decode(file.Firing, (*savedAlert).checkFiring)
	saved.Ended, errEnded = saved.decode(file.Ended, (*savedAlert).check)
	if err = cmp.Or(err, errEnded); err != nil {
		return savedState{}, fmt.Errorf("parsing the alert state: %w", err)
	}
	return saved, nil
}

// decode decodes a list of alerts. In the file of a later version, an alert that is not valid here is left out and counted.
func (s *savedState) decode(list json.RawMessage, check func(*savedAlert) error) (kept []savedAlert, err error) {
	if list == nil {
		return nil, nil
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(list, &elements); err != nil {
		return nil, err
	}
	for _, element := range elements {
		var a savedAlert
		err := json.Unmarshal(element, &a)
		if err == nil {
			err = check(&a)
		}
		switch {
		case err == nil:
			kept = append(kept, a)
		case s.Version > stateFileVersion:
			s.skipped++
		default:
			return nil, err
		}
	}
	return kept, nil
}

func (a *savedAlert) check() error {
	about := a.Source
	if a.Alert == alerts.HostDown {
		about = a.id().Host
	}
	if !alerts.IsPosted(a.Alert) || about == "" {
		return fmt.Errorf("alert %q of source %q is not valid", a.Alert, a.Source)
	}
	return nil
}

func (a *savedAlert) checkFiring() error {
	if err := a.check(); err != nil || !a.Start.IsZero() {
		return err
	}
	return fmt.Errorf("alert %q of source %q has no start", a.Alert, a.Source)
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

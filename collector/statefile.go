package collector

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/internal/atomicfile"
)

// stateFiles keeps the state of each source's tracker in a file of its own, in one folder. The zero value keeps none.
type stateFiles struct {
	folder   string
	readOnly bool
	log      *slog.Logger
}

// newStateFiles makes the folder if it does not exist.
func newStateFiles(folder string, readOnly bool, log *slog.Logger) (stateFiles, error) {
	f := stateFiles{folder: folder, readOnly: readOnly, log: log}
	if f.writable() {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return stateFiles{}, fmt.Errorf("making the storage folder: %w", err)
		}
	}
	return f, nil
}

func (f stateFiles) writable() bool { return f.folder != "" && !f.readOnly }

func (f stateFiles) name(source string) string {
	return filepath.Join(f.folder, "members-"+url.PathEscape(source)+".json")
}

// load returns the saved state of a source, or nil if there is none that can be used. lost reports that what a file had can't
// be used, or not all of it. A state older than maxAge is not used: it would report changes of long ago as events.
func (f stateFiles) load(source string, now time.Time, maxAge time.Duration) (saved *tracker.Saved, lost bool) {
	if f.folder == "" {
		return nil, false
	}
	name := f.name(source)
	saved, err := readState(name, source)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false
	case err != nil:
		f.log.Warn("State file can't be used, starting without it", "source", source, "file", name, "err", err)
		f.putAside(name)
		return nil, true
	}
	if saved.Version > tracker.SavedVersion {
		f.keepLater(name, saved)
	}
	if now.Sub(saved.LastPoll) > maxAge {
		f.log.Info("State file is too old, starting without it", "source", source, "file", name, "last_poll", saved.LastPoll)
		return nil, false
	}
	return saved, saved.Skipped > 0
}

// keepLater keeps a copy of the file of a later version, because the next save replaces it by what this version understands.
func (f stateFiles) keepLater(name string, saved *tracker.Saved) {
	log := f.log.With("source", saved.Source, "file", name)
	log.Warn("State file is of a later version, using what this version understands",
		"version", saved.Version, "supported_version", tracker.SavedVersion, "not_understood", saved.Skipped)
	if f.readOnly {
		return
	}
	if err := atomicfile.KeepLater(name, saved.Version); err != nil {
		log.Warn("Copying the state file of a later version failed", "err", err)
	}
}

// putAside renames a file that can't be used, so that an operator can find out why.
func (f stateFiles) putAside(name string) {
	if f.readOnly {
		return
	}
	if err := os.Rename(name, name+".damaged"); err != nil {
		f.log.Warn("Renaming a damaged state file failed", "file", name, "err", err)
	}
}

func readState(name, source string) (*tracker.Saved, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return tracker.ParseSaved(data, source)
}

// save replaces the saved state of a source.
func (f stateFiles) save(saved *tracker.Saved) error {
	data, err := json.Marshal(saved)
	if err != nil {
		return fmt.Errorf("encoding the state of source %q: %w", saved.Source, err)
	}
	if err := atomicfile.Replace(f.name(saved.Source), data); err != nil {
		return fmt.Errorf("saving the state of source %q: %w", saved.Source, err)
	}
	return nil
}

// save writes the state file of the source if it is due: soon after a change, and every [saveAtLeast] without one, because the
// times of the last heartbeats and of the last poll advance. At the end, last, it is due if there was any poll since. written reports whether it was due.
func (s *source) save(last bool) (written bool, err error) {
	s.saving.Lock()
	defer s.saving.Unlock()
	saved := s.dueState(last)
	if saved == nil {
		return false, nil
	}
	if err := s.env.states.save(saved); err != nil {
		s.env.metrics.saveFailures.WithLabelValues(s.cfg.Name).Inc()
		s.mu.Lock()
		s.unsaved = true
		s.mu.Unlock()
		return true, err
	}
	return true, nil
}

// dueState returns the state if it is to be saved now, else nil.
func (s *source) dueState(last bool) *tracker.Saved {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.env.clock()
	if s.tracker == nil || !s.tracker.Polled() || !s.env.states.writable() {
		return nil
	}
	polled := s.tracker.LastPoll().Sub(s.saved) > 0
	if !s.unsaved && !(polled && (last || now.Sub(s.saved) >= saveAtLeast)) {
		return nil
	}
	s.unsaved, s.saved = false, now
	saved := s.tracker.Save()
	saved.Events = s.recent.newest()
	return saved
}

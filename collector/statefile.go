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

	"servicegroup_exporter/internal/atomicfile"
)

// A store keeps the memories of sources in a folder, one file each. Its zero value keeps none.
type store struct {
	folder   string
	readOnly bool
	log      *slog.Logger
}

// newStore makes the folder where it is not there yet.
func newStore(folder string, readOnly bool, log *slog.Logger) (store, error) {
	s := store{folder: folder, readOnly: readOnly, log: log}
	if s.writes() {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return store{}, fmt.Errorf("making the storage folder: %w", err)
		}
	}
	return s, nil
}

func (s store) writes() bool { return s.folder != "" && !s.readOnly }

func (s store) file(source string) string {
	return filepath.Join(s.folder, "members-"+url.PathEscape(source)+".json")
}

// load gives a source's memory, or nil where there is none that can be used. A memory older than maxAge is history: to
// report what has changed since would be to page about the past.
func (s store) load(source string, now time.Time, maxAge time.Duration) *memory {
	if s.folder == "" {
		return nil
	}
	name := s.file(source)
	m, err := readMemory(name, source)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		s.log.Warn("memory of members can't be used, starting without", "source", source, "file", name, "err", err)
		s.putAside(name)
		return nil
	case now.Sub(m.LastPoll) > maxAge:
		s.log.Info("memory of members is too old, starting without", "source", source, "last_poll", m.LastPoll)
		return nil
	}
	return m
}

// putAside keeps a file that can't be used for whoever wants to know why.
func (s store) putAside(name string) {
	if s.readOnly {
		return
	}
	if err := os.Rename(name, name+".damaged"); err != nil {
		s.log.Warn("putting a damaged memory aside", "file", name, "err", err)
	}
}

func readMemory(name, source string) (*memory, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parseMemory(data, source)
}

func parseMemory(data []byte, source string) (*memory, error) {
	var m memory
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	return &m, m.check(source)
}

// save replaces a source's memory.
func (s store) save(m *memory) error {
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encoding the memory of source %q: %w", m.Source, err)
	}
	if err := atomicfile.Replace(s.file(m.Source), data); err != nil {
		return fmt.Errorf("saving the memory of source %q: %w", m.Source, err)
	}
	return nil
}

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

// A store remembers over restarts what fires: of a source that can't be read when the program starts, nobody else can say.
type store struct {
	file string // empty: nothing is remembered
	log  *slog.Logger
}

// storeVersion is the version of the file format.
const storeVersion = 1

type memory struct {
	Version int               `json:"version"`
	Firing  []rememberedAlert `json:"firing"`
}

type rememberedAlert struct {
	Alert  string    `json:"alert"`
	Source string    `json:"source"`
	Group  string    `json:"group,omitempty"`
	Member string    `json:"member,omitempty"`
	Start  time.Time `json:"start"`
}

func (r rememberedAlert) id() alerts.ID {
	return alerts.ID{Alert: r.Alert, Source: r.Source, Group: r.Group, Member: r.Member}
}

func newStore(folder string, log *slog.Logger) store {
	if folder == "" {
		return store{}
	}
	return store{filepath.Join(folder, "alerts.json"), log}
}

// load gives what fired when the program last ran. A file that can't be used is put aside.
func (s store) load() []rememberedAlert {
	if s.file == "" {
		return nil
	}
	m, err := s.read()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		s.log.Warn("what fired before can't be read, starting without", "file", s.file, "err", err)
		if err := os.Rename(s.file, s.file+".damaged"); err != nil {
			s.log.Warn("putting a damaged file aside", "file", s.file, "err", err)
		}
		return nil
	}
	return m.Firing
}

func (s store) read() (*memory, error) {
	data, err := os.ReadFile(s.file)
	if err != nil {
		return nil, err
	}
	return parseMemory(data)
}

func parseMemory(data []byte) (*memory, error) {
	var m memory
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	if m.Version != storeVersion {
		return nil, fmt.Errorf("version %d is not understood, only %d is", m.Version, storeVersion)
	}
	for _, r := range m.Firing {
		if !alerts.IsPosted(r.Alert) || r.Source == "" || r.Start.IsZero() {
			return nil, fmt.Errorf("there can be no alert %q of source %q", r.Alert, r.Source)
		}
	}
	return &m, nil
}

func (s store) save(firing []rememberedAlert) error {
	if s.file == "" {
		return nil
	}
	data, err := json.Marshal(memory{storeVersion, firing})
	if err != nil {
		return fmt.Errorf("encoding what fires: %w", err)
	}
	if err := atomicfile.Replace(s.file, data); err != nil {
		return fmt.Errorf("saving what fires: %w", err)
	}
	return nil
}

// remember gives what has to outlive a restart.
func (l *ledger) remember() []rememberedAlert {
	firing := []rememberedAlert{}
	for id, e := range l.entries {
		if e.over.IsZero() {
			firing = append(firing, rememberedAlert{id.Alert, id.Source, id.Group, id.Member, e.start})
		}
	}
	return firing
}

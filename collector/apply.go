package collector

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
)

var errClosed = errors.New("the collector is closed")

// Apply makes these sources the sources of the collector. It opens every new driver first; if one fails, nothing changes.
// Sources with the same name and fingerprint stay as they are. Changed sources of the same name keep the history of their
// members. Removed sources end, with their series.
func (c *Collector) Apply(configs []SourceConfig) error {
	if err := checkNames(configs); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errClosed
	}
	before := make(map[string]*source)
	for _, s := range *c.sources.Load() {
		before[s.cfg.Name] = s
	}
	opened, err := openChanged(configs, before)
	if err != nil {
		return err
	}
	c.replace(configs, before, opened)
	return nil
}

func checkNames(configs []SourceConfig) error {
	seen := make(map[string]bool, len(configs))
	for _, cfg := range configs {
		switch {
		case cfg.Name == "":
			return errors.New("a source has no name")
		case !utf8.ValidString(cfg.Name):
			return fmt.Errorf("the name of source %q is not UTF-8", cfg.Name)
		case seen[cfg.Name]:
			return fmt.Errorf("there are two sources %q", cfg.Name)
		}
		seen[cfg.Name] = true
	}
	return nil
}

// openChanged opens the drivers of sources that are new or changed: all of them, or none.
func openChanged(configs []SourceConfig, before map[string]*source) (map[string]drivers.Driver, error) {
	opened := make(map[string]drivers.Driver)
	for _, cfg := range configs {
		if old := before[cfg.Name]; old != nil && old.cfg.Fingerprint == cfg.Fingerprint {
			continue
		}
		driver, err := cfg.Open()
		if err != nil {
			err = fmt.Errorf("opening source %q: %w", cfg.Name, err)
			for _, d := range opened {
				err = errors.Join(err, d.Close())
			}
			return nil, err
		}
		opened[cfg.Name] = driver
	}
	return opened, nil
}

// replace starts the sources whose drivers were opened, and ends those that are no longer configured. It can't fail.
func (c *Collector) replace(configs []SourceConfig, before map[string]*source, opened map[string]drivers.Driver) {
	var sources, launched, removed []*source
	for _, cfg := range configs {
		old := before[cfg.Name]
		delete(before, cfg.Name)
		driver, isNew := opened[cfg.Name]
		if !isNew {
			old.adjust(cfg)
			sources = append(sources, old)
			continue
		}
		if old != nil {
			c.retire(old)
		}
		s := newSource(cfg.withDefaults(), driver, c.env, old)
		sources, launched = append(sources, s), append(launched, s)
	}
	for _, old := range before {
		c.retire(old)
		removed = append(removed, old)
	}
	slices.SortFunc(sources, func(a, b *source) int { return cmp.Compare(a.cfg.Name, b.cfg.Name) })
	c.sources.Store(&sources)
	for _, s := range removed {
		c.saveLogged(s, true)
		s.leaveShared()
		c.env.metrics.removeSource(s.cfg.Name)
	}
	if c.launch != nil {
		for _, s := range launched {
			c.launch(s)
		}
	}
}

// retire ends a source. It closes the driver in the background, since that may take long. The caller holds the lock.
func (c *Collector) retire(s *source) {
	s.end()
	c.releasing[s] = true
	c.retired.Go(func() {
		s.release()
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.releasing, s)
	})
}

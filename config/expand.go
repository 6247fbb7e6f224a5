package config

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/nova"
)

// An Expansion makes, of the sources in a configuration, those that are polled: one that is Nova as a whole stands for its
// API database and for each of its cells, and all others for themselves. Its methods may be called concurrently.
type Expansion struct {
	sources []Source
	clouds  map[string]*cloud // by the name of the source that is expanded
	changed chan struct{}
	logger  *slog.Logger
}

// A cloud is what one source is expanded by.
type cloud struct {
	*nova.Cloud
	fingerprint string // of the source
}

// Expand makes the expansion of a configuration. It knows the cells that the expansion of the configuration before knew,
// which is nil for the first one, so that neither a reload nor an API database that is away makes them disappear.
func (c *Config) Expand(before *Expansion, logger *slog.Logger) *Expansion {
	x := &Expansion{sources: c.Sources, clouds: map[string]*cloud{}, changed: make(chan struct{}, 1), logger: logger}
	if before == nil {
		before = x
	}
	x.changed = before.changed
	for i := range x.sources {
		if s := &x.sources[i]; s.nova != nil {
			x.clouds[s.Name] = x.cloud(s, before.clouds[s.Name])
		}
	}
	return x
}

// cloud gives a source the memory that it had before, or a copy if its settings are others now.
func (x *Expansion) cloud(s *Source, before *cloud) *cloud {
	fingerprint := s.Fingerprint()
	var known *nova.Cloud
	if before != nil {
		if before.fingerprint == fingerprint {
			return before
		}
		known = before.Cloud
	}
	return &cloud{nova.NewCloud(s.nova.Cloud, known, x.notify), fingerprint}
}

func (x *Expansion) notify() {
	select {
	case x.changed <- struct{}{}:
	default:
	}
}

// Changed receives when Sources may give others than before: when the source that stands for an API database was polled
// and found other cells. The expansions of all configurations that follow one another have the same channel.
func (x *Expansion) Changed() <-chan struct{} { return x.changed }

// Sources gives the sources to poll, as far as their cells are known. A source in the configuration takes the place of a
// cell of the same name.
func (x *Expansion) Sources() []Source {
	configured := func(name string) bool {
		return slices.ContainsFunc(x.sources, func(s Source) bool { return s.Name == name })
	}
	var all []Source
	for i := range x.sources {
		s := &x.sources[i]
		if s.nova == nil {
			all = append(all, *s)
			continue
		}
		for _, part := range s.parts(x.clouds[s.Name]) {
			if part.Name == s.Name || !configured(part.Name) {
				all = append(all, part)
			}
		}
	}
	return all
}

// MayHave tells whether a source that is not among [Expansion.Sources] may still be found: whether it would be a cell of a
// cloud whose cells are not known yet.
func (x *Expansion) MayHave(name string) bool {
	return slices.ContainsFunc(x.sources, func(s Source) bool {
		return s.nova != nil && strings.HasPrefix(name, s.Name+"/") && !x.clouds[s.Name].Known()
	})
}

// Discover reads which cells and zones there are, where that is not known at all: zones are labels, which should not
// change between a member's first poll and its second. It returns when every API database has answered or
// ctx has ended. What can't be read stays unknown, and the error says why; when the source that stands for the database is
// polled, it says so again.
func (x *Expansion) Discover(ctx context.Context) error {
	var unknown []Source
	for _, s := range x.Sources() {
		if s.api && !s.cloud.Known() {
			unknown = append(unknown, s)
		}
	}
	errs := make([]error, len(unknown))
	var reads sync.WaitGroup
	for i := range unknown {
		reads.Go(func() { errs[i] = x.discover(ctx, &unknown[i]) })
	}
	reads.Wait()
	return errors.Join(errs...)
}

func (x *Expansion) discover(ctx context.Context, s *Source) error {
	driver, err := s.Open(x.logger)
	if err == nil {
		defer driver.Close()
		_, err = driver.Members(ctx)
	}
	if err != nil {
		return fmt.Errorf("source %s: %w", s.Name, err)
	}
	return nil
}

// parts are the sources that one which is Nova as a whole stands for.
func (s *Source) parts(c *cloud) []Source {
	part := *s
	part.nova, part.parent = nil, s.Name
	if s.nova.hasOneDatabase() {
		return []Source{s.nova.database(part, s.nova.Cloud.Database())}
	}
	part.cloud = c
	var parts []Source
	if s.nova.hasAPI() {
		api := part
		api.api, api.DB = true, new(*s.DB)
		api.DB.Schema = "nova_api"
		parts = append(parts, api)
	}
	for _, cell := range c.Cells() {
		part.Name = s.Name + "/" + cell.Name
		parts = append(parts, s.nova.database(part, cell.DSN))
	}
	return parts
}

// database makes a source the one of a database with services, with the verdict of whoever Nova asks.
func (n *novaConf) database(s Source, dsn drivers.Secret) Source {
	s.DB = new(*s.DB)
	s.DB.DSN, s.DB.NovaConf, s.DB.Cells = dsn, nil, nil
	rows := s
	switch {
	case n.MC != nil:
		s.Driver, s.DB, s.MC, s.Roster = "mc", nil, n.MC, &Roster{of: &rows}
	case n.ZK != nil:
		s.Driver, s.DB, s.ZK, s.Roster = "zk", nil, n.ZK, &Roster{of: &rows}
	}
	return s
}

package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
	"servicegroup_exporter/sources"
)

// A selection is the sources that --source names, or all. The name may be that of a source in the configuration file, which
// then stands for all sources that it expands to (the cells of Nova), or that of one of the latter.
type selection struct {
	set     *sources.Set
	name    string        // empty: all
	timeout time.Duration // of each request to a source
}

// selected reads the configuration, applies adjust to each of its sources, and finds Nova's cells.
func (a *cli) selected(ctx context.Context, f *sourceFlags, adjust func(*config.Source)) (*selection, error) {
	if f.timeout <= 0 {
		return nil, usageError("--timeout is %v, must be positive", f.timeout)
	}
	cfg, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	for i := range cfg.Sources {
		// The poll has the timeout, not the command, so that the driver can return why it has no answer.
		cfg.Sources[i].PollTimeout = drivers.Duration(f.timeout)
		if adjust != nil {
			adjust(&cfg.Sources[i])
		}
	}
	s := &selection{set: sources.New(cfg, nil, a.logger), name: f.source, timeout: f.timeout}
	defer a.waiting(f.timeout, "looking for Nova's cells")()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	unknown := s.set.Discover(ctx)
	switch {
	case len(s.sources()) > 0:
		return s, nil
	case unknown != nil:
		return nil, &exitError{exitUnknown, unknown} // The name may be that of a cell that can't be found now.
	default:
		all := &selection{set: s.set}
		return nil, noSource(f.source, namesOf(all.sources(), sourceName))
	}
}

// sources returns the selected sources, with the cells that are known by now.
func (s *selection) sources() []sources.Source {
	return slices.DeleteFunc(s.set.Sources(), func(source sources.Source) bool {
		return s.name != "" && s.name != source.Name && s.name != source.Declared.Name
	})
}

func sourceName(s *sources.Source) string { return s.Name }

func declaredName(s *sources.Source) string { return s.Declared.Name }

// namesOf returns the names of sources, each once.
func namesOf[S any](list []S, name func(*S) string) []string {
	var all []string
	for i := range list {
		all = append(all, name(&list[i]))
	}
	return slices.Compact(all)
}

// noSource returns the error of a --source that the configuration does not have.
func noSource(name string, known []string) error {
	return usageError("--source: no source %q in the configuration: the sources are %s%s", name, strings.Join(known, ", "), suggest.Hint(name, known))
}

// several returns the error of a command that needs one source and has several.
func several(names []string) error {
	return usageError("the configuration has several sources (%s): choose one with --source", strings.Join(names, ", "))
}

// joiner opens the only selected source, and returns an error if members can't join it. The caller closes the driver.
func (a *cli) joiner(ctx context.Context, f *sourceFlags) (drivers.Driver, drivers.Joiner, error) {
	selected, err := a.selected(ctx, f, nil)
	if err != nil {
		return nil, nil, err
	}
	polled := selected.sources()
	if len(polled) > 1 {
		return nil, nil, several(namesOf(polled, sourceName))
	}
	driver, err := polled[0].Open(a.logger)
	if err != nil {
		return nil, nil, err
	}
	j, ok := driver.(drivers.Joiner)
	if !ok {
		driver.Close()
		return nil, nil, usageError("source %s is read only: its driver %s can't join", polled[0].Name, polled[0].Driver)
	}
	return driver, j, nil
}

package cli

import (
	"context"
	"slices"
	"strings"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

// A selection is the sources of the configuration, or those of them that --source names: one of its own, with all that it
// is expanded to, or one of those.
type selection struct {
	expansion *config.Expansion
	name      string // empty: all
}

// selected reads the configuration and which cells there are. What adjust does to sources comes before that.
func (a *cli) selected(ctx context.Context, f *sourceFlags, adjust func(*config.Source)) (*selection, error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	for i := range cfg.Sources {
		// A command waits for its polls, which end by themselves: so the driver gets to say why it has no answer.
		cfg.Sources[i].PollTimeout = drivers.Duration(f.timeout)
		if adjust != nil {
			adjust(&cfg.Sources[i])
		}
	}
	s := &selection{cfg.Expand(nil, a.logger), f.source}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	unknown := s.expansion.Discover(ctx)
	switch {
	case len(s.sources()) > 0:
		return s, nil
	case unknown != nil:
		return nil, &exitError{exitUnknown, unknown} // The name may be a cell's.
	default:
		all := &selection{expansion: s.expansion}
		return nil, usageError("no source %q in the configuration: it has %s", f.source, names(all.sources(), sourceName))
	}
}

// sources are those selected, as far as the cells are known by now.
func (s *selection) sources() []config.Source {
	return slices.DeleteFunc(s.expansion.Sources(), func(source config.Source) bool {
		return s.name != "" && s.name != source.Name && s.name != source.Configured()
	})
}

func sourceName(s *config.Source) string { return s.Name }

// names lists names of sources, each once.
func names(sources []config.Source, name func(*config.Source) string) string {
	var all []string
	for i := range sources {
		all = append(all, name(&sources[i]))
	}
	return strings.Join(slices.Compact(all), ", ")
}

// several is the error of a command that is for one source only.
func several(names string) error {
	return usageError("the configuration has several sources: name one with --source (%s)", names)
}

// joiner opens the only source that is selected for writing. The caller closes the driver.
func (a *cli) joiner(ctx context.Context, f *sourceFlags) (drivers.Driver, drivers.Joiner, error) {
	selected, err := a.selected(ctx, f, nil)
	if err != nil {
		return nil, nil, err
	}
	sources := selected.sources()
	if len(sources) > 1 {
		return nil, nil, several(names(sources, sourceName))
	}
	driver, err := sources[0].Open(a.logger)
	if err != nil {
		return nil, nil, err
	}
	j, ok := driver.(drivers.Joiner)
	if !ok {
		driver.Close()
		return nil, nil, usageError("source %s is read only: its driver %s can't join", sources[0].Name, sources[0].Driver)
	}
	return driver, j, nil
}

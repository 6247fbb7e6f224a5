package sources

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers/nova"
)

// A Set has the expanded sources of one configuration. Its methods may be called concurrently.
type Set struct {
	declaredSources []config.Source
	config          *config.Config
	clouds          map[string]*cloud // by the name of the declared source
	changed         chan struct{}
	logger          *slog.Logger
}

// New returns the set of a configuration. It starts with the cells of the previous configuration's set, so that they stay when
// the configuration is reloaded or the API database is unreachable. For the first configuration, before is nil.
func New(c *config.Config, before *Set, logger *slog.Logger) *Set {
	x := &Set{
		declaredSources: c.Sources, config: c, clouds: map[string]*cloud{},
		changed: make(chan struct{}, 1), logger: logger,
	}
	if before == nil {
		before = x
	}
	x.changed = before.changed
	for i := range x.declaredSources {
		if s := &x.declaredSources[i]; s.Nova != nil {
			x.clouds[s.Name] = x.cloud(s, before.clouds[s.Name])
		}
	}
	return x
}

// cloud returns the cloud of a declared source: the previous one, or a copy of its cells and zones if the settings changed.
func (x *Set) cloud(s *config.Source, before *cloud) *cloud {
	settings := s.Fingerprint()
	var known *nova.Cloud
	if before != nil {
		if before.fingerprint == settings {
			return before
		}
		known = before.Cloud
	}
	return &cloud{nova.NewCloud(novaConfig(s), known, x.notify), settings}
}

func (x *Set) notify() {
	select {
	case x.changed <- struct{}{}:
	default:
	}
}

// Changed receives a value when Sources may return other sources than before, because a poll of an API database has found
// other cells. The sets of successive configurations share the channel.
func (x *Set) Changed() <-chan struct{} { return x.changed }

// Sources returns the sources to poll, with the cells that are known. A declared source replaces a cell of the same name.
func (x *Set) Sources() []Source {
	var all []Source
	for i := range x.declaredSources {
		s := &x.declaredSources[i]
		if s.Nova == nil {
			all = append(all, x.single(s))
			continue
		}
		for _, part := range x.expand(s) {
			if part.Name == s.Name || x.find(part.Name) == nil {
				all = append(all, part)
			}
		}
	}
	for i := range all {
		all[i].ExpectedGroups = x.config.Alerting.ExpectedGroups(all[i].Name)
		all[i].LabelLimit, all[i].Hosts = x.config.LabelValueLengthLimit, &x.config.Hosts
	}
	return all
}

// MayHave reports whether a source that [Set.Sources] does not return may still appear, because its name could be that of a
// cell of a Nova whose cells are not known yet.
func (x *Set) MayHave(name string) bool {
	for i := range x.declaredSources {
		s := &x.declaredSources[i]
		if s.Nova != nil && strings.HasPrefix(name, s.Name+"/") && !x.clouds[s.Name].Known() {
			return true
		}
	}
	return false
}

// Discover reads the cells and zones of every Nova whose cells or zones are not known yet. Zones are labels, so that they
// should be known before the first poll of a member. Discover returns when every API database has answered or ctx has ended.
// The error has the reasons why a database could not be read. The polls of its source report them, too.
func (x *Set) Discover(ctx context.Context) error {
	var reads sync.WaitGroup
	errs := make([]error, len(x.declaredSources))
	for i := range x.declaredSources {
		s := &x.declaredSources[i]
		if s.Nova == nil || !s.Nova.HasAPI() || x.clouds[s.Name].Known() {
			continue
		}
		reads.Go(func() {
			if err := x.discover(ctx, x.clouds[s.Name]); err != nil {
				errs[i] = fmt.Errorf("source %s: %w", s.Name, err)
			}
		})
	}
	reads.Wait()
	return errors.Join(errs...)
}

func (x *Set) discover(ctx context.Context, c *cloud) error {
	driver, err := opened(c.Open(x.logger))
	if err != nil {
		return err
	}
	defer driver.Close()
	_, err = driver.Members(ctx)
	return err
}

// fingerprint returns a hash of a list of texts.
func fingerprint(texts ...string) string {
	hash := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(hash, "%q\n", text)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

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

// A Set has the sources of one configuration. Its methods may be called concurrently.
type Set struct {
	declaredSources []config.Source
	clouds          map[string]*cloud // by the name of the declared source
	changed         chan struct{}
	logger          *slog.Logger
}

// New makes the set of a configuration. It knows the cells that the set of the configuration before knew, which is nil for
// the first one, so that neither a reload nor an unreachable API database makes them disappear.
func New(c *config.Config, before *Set, logger *slog.Logger) *Set {
	x := &Set{declaredSources: c.Sources, clouds: map[string]*cloud{}, changed: make(chan struct{}, 1), logger: logger}
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

// cloud returns what was known before about a declared source: the same cloud, or a copy if the settings have changed.
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

// Changed receives when Sources may return others than before: when an API database was polled and its cells had changed.
// The sets of all configurations that follow one another have the same channel.
func (x *Set) Changed() <-chan struct{} { return x.changed }

// Sources returns the sources to poll, as far as the cells are known. A declared source takes the place of a cell of the
// same name.
func (x *Set) Sources() []Source {
	var all []Source
	for i := range x.declaredSources {
		s := &x.declaredSources[i]
		if s.Nova == nil {
			all = append(all, x.declared(s))
			continue
		}
		for _, part := range x.expand(s) {
			if part.Name == s.Name || x.find(part.Name) == nil {
				all = append(all, part)
			}
		}
	}
	return all
}

// MayHave reports whether a source that is not among [Set.Sources] may still be found: whether it would be a cell of a
// Nova whose cells are not known yet.
func (x *Set) MayHave(name string) bool {
	for i := range x.declaredSources {
		s := &x.declaredSources[i]
		if s.Nova != nil && strings.HasPrefix(name, s.Name+"/") && !x.clouds[s.Name].Known() {
			return true
		}
	}
	return false
}

// Discover reads the cells and zones of every Nova whose cells and zones are not known yet: zones are labels, which should
// not change between a member's first poll and its second. It returns when every API database has answered or ctx has
// ended. What can't be read stays unknown, and the error says why. The polls of the API database's source report it too.
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

// fingerprint is equal for equal texts, in the same order. It is a hash, which hides them.
func fingerprint(texts ...string) string {
	hash := sha256.New()
	for _, text := range texts {
		fmt.Fprintf(hash, "%q\n", text)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

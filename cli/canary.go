package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"time"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/probe"
	"servicegroup_exporter/probe/canary"
)

// canaryName is the name of this process's canaries: the same after a restart, and another for every process that serves.
// No two of those have one storage path.
func (a *app) canaryName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	path, err := filepath.Abs(a.storagePath)
	if err != nil {
		path = a.storagePath
	}
	sum := sha256.Sum256([]byte(path))
	return host + "-" + hex.EncodeToString(sum[:4])
}

// canarySources are the sources that have a canary.
func (a *app) canarySources(sources []config.Source) []canary.Source {
	var with []canary.Source
	for i := range sources {
		s := &sources[i]
		if s.Canary == nil {
			continue
		}
		with = append(with, canary.Source{
			Source:   a.privateSource(s),
			Interval: time.Duration(s.Canary.Interval), Group: s.Canary.Group, Fingerprint: s.Fingerprint(),
		})
	}
	return with
}

// privateSource translates a source for simulated members.
func (a *app) privateSource(s *config.Source) probe.Source {
	logger := a.logger.With("source_name", s.Name, "simulated", true)
	return probe.Source{
		Name: s.Name, Driver: s.Driver,
		PollInterval: time.Duration(s.PollInterval), PollTimeout: time.Duration(s.PollTimeout),
		Open: func(group string, names []string, dial drivers.Dialer) (drivers.Driver, error) {
			return s.OpenPrivate(group, names, dial, logger)
		},
	}
}

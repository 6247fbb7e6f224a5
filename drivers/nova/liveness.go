package nova

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"servicegroup_exporter/drivers"
)

// withLiveness is a roster with the verdicts of another driver.
type withLiveness struct {
	roster, liveness drivers.Driver
}

// WithLiveness returns a driver for the members of a roster that are up if another driver says so, as in Nova's API with
// the zk driver: the rows of its database are the roster and say who is forced down, and znodes say who is alive. A member
// that liveness does not have is down. The returned driver closes both.
func WithLiveness(roster, liveness drivers.Driver) drivers.Driver {
	d := &withLiveness{roster, liveness}
	if w, ok := liveness.(drivers.Watcher); ok {
		return &watchedLiveness{d, w}
	}
	return d
}

// watchedLiveness is for a liveness driver that is a [drivers.Watcher].
type watchedLiveness struct {
	*withLiveness
	drivers.Watcher
}

// Members reads both drivers. Members that the roster does not have are left out.
func (d *withLiveness) Members(ctx context.Context) (*drivers.Poll, error) {
	var roster, liveness *drivers.Poll
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		roster, err = d.roster.Members(ctx)
		return err
	})
	reads.Go(func() (err error) {
		liveness, err = d.liveness.Members(ctx)
		return err
	})
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	alive := make(map[drivers.Key]*drivers.Member, len(liveness.Members))
	for i := range liveness.Members {
		alive[liveness.Members[i].Key()] = &liveness.Members[i]
	}
	poll := *liveness
	poll.Members = slices.Clone(roster.Members)
	poll.Rejected = slices.Concat(roster.Rejected, liveness.Rejected)
	for i := range poll.Members {
		setLiveness(&poll.Members[i], alive)
	}
	return &poll, nil
}

// setLiveness replaces what the roster says about a member's being alive.
func setLiveness(m *drivers.Member, alive map[drivers.Key]*drivers.Member) {
	found := alive[m.Key()]
	if found == nil {
		found = &drivers.Member{}
	}
	m.Up = found.Up && m.ForcedDown != drivers.FlagYes
	m.LastHeartbeat, m.Died, m.SessionTimeout = found.LastHeartbeat, found.Died, found.SessionTimeout
}

// Close closes both drivers.
func (d *withLiveness) Close() error { return errors.Join(d.roster.Close(), d.liveness.Close()) }

// Counts returns the sums of both drivers' counts.
func (d *withLiveness) Counts() drivers.Counts {
	var sum drivers.Counts
	for _, driver := range []drivers.Driver{d.roster, d.liveness} {
		if c, ok := driver.(drivers.Counter); ok {
			counts := c.Counts()
			sum.Operations += counts.Operations
			sum.Reconnects += counts.Reconnects
			sum.Expirations += counts.Expirations
		}
	}
	return sum
}

// Inspect returns the findings about both drivers.
func (d *withLiveness) Inspect(ctx context.Context) []drivers.Finding {
	findings := drivers.InspectRoster(ctx, d.roster)
	if inspector, ok := d.liveness.(drivers.Inspector); ok {
		findings = append(inspector.Inspect(ctx), findings...)
	}
	return findings
}

package nova

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"servicegroup_exporter/drivers"
)

// withLiveness is a roster with the verdicts of another driver.
type withLiveness struct {
	roster, liveness drivers.Driver
	matched          atomic.Bool // a poll found a member of the roster alive, so that the names agree
}

// WithLiveness returns a driver for the members of a roster that are up if another driver says so, as in Nova's API with
// the zk driver: the rows of its database are the roster and say who is forced down, and znodes say who is alive. A member
// that liveness does not have is down. The returned driver closes both.
func WithLiveness(roster, liveness drivers.Driver) drivers.Driver {
	d := &withLiveness{roster: roster, liveness: liveness}
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
	return d.join(roster, liveness), nil
}

// join returns the poll of the roster with the verdicts of liveness. A member is unknown if liveness does not know its state, or
// can't read its group.
func (d *withLiveness) join(roster, liveness *drivers.Poll) *drivers.Poll {
	alive := make(map[drivers.Key]*drivers.Member, len(liveness.Members))
	for i := range liveness.Members {
		alive[liveness.Members[i].Key()] = &liveness.Members[i]
	}
	unknown := make(map[drivers.Key]bool, len(liveness.Unknown))
	for i := range liveness.Unknown {
		unknown[liveness.Unknown[i].Key()] = true
	}
	poll := *liveness
	poll.Members, poll.Unknown = make([]drivers.Member, 0, len(roster.Members)), slices.Clone(roster.Unknown)
	poll.Rejected = slices.Concat(roster.Rejected, liveness.Rejected)
	poll.Problems = slices.Concat(roster.Problems, liveness.Problems)
	poll.UnreadableGroups = slices.Concat(roster.UnreadableGroups, liveness.UnreadableGroups)
	found := 0
	for _, m := range roster.Members {
		if alive[m.Key()] != nil {
			found++
		}
		if m.ForcedDown != drivers.FlagYes && (unknown[m.Key()] || slices.Contains(liveness.UnreadableGroups, m.Group)) {
			m.Up, m.LastHeartbeat = false, time.Time{} // The table's heartbeats have no meaning.
			m.ReportCount, m.HasReportCount = 0, false
			poll.Unknown = append(poll.Unknown, m)
			continue
		}
		setLiveness(&m, alive)
		poll.Members = append(poll.Members, m)
	}
	if found > 0 {
		d.matched.Store(true)
	}
	if len(poll.Members) > 0 && len(alive) > 0 && !d.matched.Load() {
		poll.Problems = append(poll.Problems, unmatched(&poll.Members[0], &liveness.Members[0]))
	}
	return &poll
}

// unmatched returns the problem that no member of the roster has a znode, though others have.
func unmatched(rostered, alive *drivers.Member) drivers.Problem {
	return drivers.Problem{
		Kind: drivers.ProblemUnmatched,
		Detail: fmt.Sprintf("No member of the roster is among the members that are alive: the roster has, for example, %s in group %s, and "+
			"alive is %s in group %s. The two belong to different installations, or name their hosts differently.",
			rostered.Name, rostered.Group, alive.Name, alive.Group),
	}
}

// setLiveness replaces what the roster says about a member's being alive.
func setLiveness(m *drivers.Member, alive map[drivers.Key]*drivers.Member) {
	found := alive[m.Key()]
	if found == nil {
		found = &drivers.Member{}
	}
	m.Up = found.Up && m.ForcedDown != drivers.FlagYes
	m.LastHeartbeat, m.Died, m.SessionTimeout = found.LastHeartbeat, found.Died, found.SessionTimeout
	m.ReportCount, m.HasReportCount = found.ReportCount, found.HasReportCount
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

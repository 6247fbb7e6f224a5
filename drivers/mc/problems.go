package mc

import (
	"context"
	"fmt"
	"sync/atomic"

	"servicegroup_exporter/drivers"
)

// probeKeys is of how many members the other key format is tried.
const probeKeys = 20

// addProblems adds what is probably not as it was meant to a poll, besides the problems of its roster.
func (d *Driver) addProblems(ctx context.Context, b *builder, p *pollContext, all []replies) {
	add := func(kind drivers.ProblemKind, format string, args ...any) {
		b.poll.Problems = append(b.poll.Problems, drivers.Problem{Kind: kind, Detail: fmt.Sprintf(format, args...)})
	}
	for i := range all {
		if all[i].has|all[i].invalid != 0 {
			d.hadKeys.Store(true)
		}
	}
	switch {
	case len(b.poll.Problems)+len(b.poll.UnreadableGroups) > 0:
	case len(b.members)+len(b.poll.Rejected) == 0 && !d.cfg.MayBeEmpty:
		add(drivers.ProblemAbsent, "The roster has no members, so that nothing is looked for in memcached. Correct roster.")
	case len(b.poll.Members) == 0, d.hadKeys.Load(), p.unreachable|p.emptied != 0:
	case d.hasOtherKeys(ctx, b.poll.Members):
		add(drivers.ProblemUnmatched, "memcached has no key of the format %s for any member of the roster, and has keys of the format %s. "+
			"Set key_format to %[2]s.", d.cfg.KeyFormat, d.otherFormat())
	default:
		add(drivers.ProblemUnmatched, "memcached has no key for any member of the roster: all of them are dead, or write to other servers or "+
			"by other names. Check servers, key_format and roster; %s:%s, for example, has none.", b.poll.Members[0].Group, b.poll.Members[0].Name)
	}
}

// otherFormat returns the key format that is not configured.
func (d *Driver) otherFormat() string {
	if d.cfg.KeyFormat == KeyFormatPlain {
		return KeyFormatSHA1
	}
	return KeyFormatPlain
}

// hasOtherKeys reports whether a server has a key of the other format for one of the first members. It asks the servers once.
func (d *Driver) hasOtherKeys(ctx context.Context, members []drivers.Member) bool {
	if known := d.otherKeys.Load(); known != nil {
		return *known
	}
	other := Config{KeyFormat: d.otherFormat()}
	var keys []string
	for _, m := range members[:min(len(members), probeKeys)] {
		if key, err := other.format().key(m.Key()); err == nil {
			keys = append(keys, key)
		}
	}
	var found atomic.Bool
	errs := d.onAll(ctx, func(_ int, c *client) error {
		d.operations.Add(1)
		items, err := c.getMany(keys)
		if len(items) > 0 {
			found.Store(true)
		}
		return err
	})
	if len(errs) == 0 {
		d.otherKeys.Store(new(found.Load()))
	}
	return found.Load()
}

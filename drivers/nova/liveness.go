package nova

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"servicegroup_exporter/drivers"
)

// judged is a roster whose members are alive when another driver says so.
type judged struct {
	roster, judge drivers.Driver
}

// Judged gives the members of a roster with the verdict of another driver, as Nova's API did with the zk driver: the rows
// of its database say who should be there and who is forced down, and znodes who is alive. The judge knows all members or
// none. Both drivers belong to the one that is returned.
func Judged(roster, judge drivers.Driver) drivers.Driver {
	j := &judged{roster, judge}
	if w, ok := judge.(drivers.Watcher); ok {
		return &watchedJudged{j, w}
	}
	return j
}

// watchedJudged is one whose judge says when something may have changed.
type watchedJudged struct {
	*judged
	drivers.Watcher
}

// Members reads both. Members that only the judge knows are not members.
func (j *judged) Members(ctx context.Context) (*drivers.Poll, error) {
	var rows, verdicts *drivers.Poll
	reads, ctx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		rows, err = j.roster.Members(ctx)
		return err
	})
	reads.Go(func() (err error) {
		verdicts, err = j.judge.Members(ctx)
		return err
	})
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	alive := make(map[drivers.Key]*drivers.Member, len(verdicts.Members))
	for i := range verdicts.Members {
		alive[verdicts.Members[i].Key()] = &verdicts.Members[i]
	}
	poll := *verdicts
	poll.Members = slices.Clone(rows.Members)
	poll.Rejected = slices.Concat(rows.Rejected, verdicts.Rejected)
	for i := range poll.Members {
		judge(&poll.Members[i], alive)
	}
	return &poll, nil
}

// judge replaces what a row says about life.
func judge(m *drivers.Member, alive map[drivers.Key]*drivers.Member) {
	verdict := alive[m.Key()]
	if verdict == nil {
		verdict = &drivers.Member{}
	}
	m.Up = verdict.Up && m.ForcedDown != drivers.FlagYes
	m.LastHeartbeat, m.Died, m.SessionTimeout = verdict.LastHeartbeat, verdict.Died, verdict.SessionTimeout
}

// Close closes both drivers.
func (j *judged) Close() error { return errors.Join(j.roster.Close(), j.judge.Close()) }

// Counts adds up what both were asked.
func (j *judged) Counts() drivers.Counts {
	var sum drivers.Counts
	for _, d := range []drivers.Driver{j.roster, j.judge} {
		if c, ok := d.(drivers.Counter); ok {
			counts := c.Counts()
			sum.Operations += counts.Operations
			sum.Reconnects += counts.Reconnects
			sum.Expirations += counts.Expirations
		}
	}
	return sum
}

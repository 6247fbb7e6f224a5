package nova

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// fixed is a driver with one answer.
type fixed struct {
	poll   drivers.Poll
	err    error
	closed int
}

func (f *fixed) Members(context.Context) (*drivers.Poll, error) { return &f.poll, f.err }

func (f *fixed) Close() error {
	f.closed++
	return nil
}

func (f *fixed) Counts() drivers.Counts {
	return drivers.Counts{Operations: 1, Reconnects: 2, Expirations: 3}
}

// watcher is a fixed driver that is a [drivers.Watcher].
type watcher struct {
	fixed
	changed chan struct{}
}

func (w *watcher) Changed() <-chan struct{} { return w.changed }

func TestWithLiveness(t *testing.T) {
	died, beat := time.Unix(1000, 0), time.Unix(900, 0)
	row := func(name string, up bool, forced drivers.Flag) drivers.Member {
		return drivers.Member{
			Group: "compute", Name: name, Binary: "nova-compute", Zone: "az", Up: up, LastHeartbeat: beat, ForcedDown: forced, Rostered: true,
		}
	}
	roster := &fixed{poll: drivers.Poll{
		Members: []drivers.Member{
			row("alive", false, drivers.FlagNo), row("dead", true, drivers.FlagNo), row("gone", true, drivers.FlagNone),
			row("forced", true, drivers.FlagYes),
		},
		Now: time.Unix(2000, 0), DownTime: time.Minute, Rejected: []drivers.Rejection{{Reason: "name"}},
	}}
	liveness := &watcher{fixed{poll: drivers.Poll{
		Members: []drivers.Member{
			{Group: "compute", Name: "alive", Up: true, SessionTimeout: time.Second},
			{Group: "compute", Name: "dead", Died: died},
			{Group: "compute", Name: "forced", Up: true},
			{Group: "compute", Name: "not in the roster", Up: true},
			{Group: "other", Name: "gone", Up: true},
		},
		DownTime: 4 * time.Second, Backend: "3.8.0", Changed: map[string]time.Time{"compute": died},
		Rejected: []drivers.Rejection{{Reason: "data"}},
	}}, make(chan struct{}, 1)}
	d := WithLiveness(roster, liveness)
	poll, err := d.Members(t.Context())
	require.NoError(t, err)

	alive, dead, gone, forced := row("alive", true, drivers.FlagNo), row("dead", false, drivers.FlagNo), row("gone", false, drivers.FlagNone), row("forced", false, drivers.FlagYes)
	for _, m := range []*drivers.Member{&alive, &dead, &gone, &forced} {
		m.LastHeartbeat = time.Time{} // The heartbeats of the rows are not used.
	}
	alive.SessionTimeout, dead.Died = time.Second, died
	require.Equal(t, &drivers.Poll{
		Members: []drivers.Member{alive, dead, gone, forced}, DownTime: 4 * time.Second, Backend: "3.8.0",
		Changed: map[string]time.Time{"compute": died}, Rejected: []drivers.Rejection{{Reason: "name"}, {Reason: "data"}},
	}, poll)
	require.Equal(t, beat, roster.poll.Members[0].LastHeartbeat, "the roster's own poll is not modified")

	require.Equal(t, drivers.Counts{Operations: 2, Reconnects: 4, Expirations: 6}, d.(drivers.Counter).Counts())
	require.Equal(t, (<-chan struct{})(liveness.changed), d.(drivers.Watcher).Changed())
	_, watches := WithLiveness(roster, roster).(drivers.Watcher)
	require.False(t, watches)
	require.NoError(t, d.Close())
	require.Equal(t, []int{1, 1}, []int{roster.closed, liveness.closed})

	for _, broken := range []*fixed{roster, &liveness.fixed} {
		broken.err = drivers.Unavailable(drivers.ReasonSession, errors.New("away"))
		poll, err = d.Members(t.Context())
		require.Nil(t, poll)
		require.ErrorIs(t, err, broken.err)
		broken.err = nil
	}
}

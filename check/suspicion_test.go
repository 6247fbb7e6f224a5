package check

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

func TestSuspicion(t *testing.T) {
	const sec = time.Second
	for name, test := range map[string]struct {
		polls, scrapes, interval time.Duration
		status                   drivers.Status
		text, remedy             string
	}{
		"polls each second": {
			sec, 15 * sec, 10 * sec, drivers.StatusOK,
			"a member that reports every 10s is suspected after a silence of at most 25s, with polls every 1s", "",
		},
		"only scrapes": {
			0, 30 * sec, 10 * sec, drivers.StatusOK,
			"a member that reports every 10s is suspected after a silence of at most 42s, with scrapes every 30s", "",
		},
		"scrapes each minute": {
			0, 60 * sec, 10 * sec, drivers.StatusWarning,
			"scrapes every 1m are too rare: a member that reports every 10s can be silent for 1m12s before it is suspected, and is down after 1m",
			"set poll_interval of the source, for example to 5s",
		},
		"polls each minute": {
			50 * sec, 60 * sec, 10 * sec, drivers.StatusWarning,
			"polls every 50s are too rare: a member that reports every 10s can be silent for 1m2s before it is suspected, and is down after 1m",
			"set poll_interval of the source, for example to 5s",
		},
		"a long interval": {
			5 * sec, 60 * sec, 40 * sec, drivers.StatusWarning,
			"a member that reports every 40s can't be suspected: its limit of 1m10s is not less than the heartbeat timeout of 1m",
			"let the members report more often, or set suspicion.enabled of the source to false",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := &sourceResult{pollInterval: test.polls, interval: test.interval, heartbeat: time.Minute}
			f := suspicion(r, config.DefaultSuspicion(), test.scrapes)
			require.Equal(t, &drivers.Finding{Status: test.status, Subject: "suspicion", Text: test.text, Remedy: test.remedy}, f)
			require.Nil(t, suspicion(r, config.Suspicion{}, test.scrapes), "it is turned off")
			for _, timeout := range []time.Duration{4 * sec, 9 * sec, 10 * sec} {
				r.heartbeat = timeout
				require.Nil(t, suspicion(r, config.DefaultSuspicion(), test.scrapes), "a short timeout is found soon enough without it")
			}
			r.interval, r.heartbeat = 0, time.Minute
			require.Nil(t, suspicion(r, config.DefaultSuspicion(), test.scrapes), "the interval is not known")
		})
	}
}

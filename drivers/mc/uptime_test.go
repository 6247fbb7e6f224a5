package mc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A server is trusted since it started, was flushed, or was seen at its address for the first time.
func TestUptime(t *testing.T) {
	begin := time.Now()
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	age := func(seconds int) time.Duration { return time.Duration(seconds) * time.Second }
	for name, test := range map[string]struct {
		before, after stats
		want          time.Time // since when the server is trusted, if the two were read at 0 s and at 10 s
	}{
		"the same":                     {stats{age: age(100), pid: 7}, stats{age: age(110), pid: 7}, at(-100)},
		"in whole seconds":             {stats{age: age(100), pid: 7}, stats{age: age(109), pid: 7}, at(-100)},
		"restarted":                    {stats{age: age(100), pid: 7}, stats{age: age(4), pid: 8}, at(6)},
		"restarted in a container":     {stats{age: age(100), pid: 1}, stats{age: age(4), pid: 1}, at(6)},
		"flushed":                      {stats{age: age(100), pid: 7}, stats{age: age(110), pid: 7, flushes: 1}, at(10)},
		"another, older":               {stats{age: age(100), pid: 7}, stats{age: age(5000), pid: 8}, at(10)},
		"another, older, in container": {stats{age: age(100), pid: 1}, stats{age: age(5000), pid: 1}, at(10)},
		"another, younger":             {stats{age: age(100), pid: 7}, stats{age: age(50), pid: 8}, at(10)},
		"another, with fewer flushes":  {stats{age: age(100), pid: 7, flushes: 9}, stats{age: age(110), pid: 8, flushes: 1}, at(10)},
		"a proxy":                      {stats{age: unknownAge}, stats{age: unknownAge}, at(0).Add(-unknownAge)},
	} {
		var u uptime
		u.update(test.before, at(0))
		u.update(test.after, at(10))
		require.Equal(t, test.want, u.since, name)
	}
}

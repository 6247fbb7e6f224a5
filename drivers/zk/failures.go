package zk

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"servicegroup_exporter/drivers"
)

// failures are why there is no session: the last failure with each server.
type failures struct {
	servers []server
	report  func(err error, all bool) // called for each failure; all: every server has failed once more

	mu    sync.Mutex
	last  map[server]error
	count map[server]int
	round int
}

func newFailures(servers []server, report func(error, bool)) *failures {
	return &failures{servers: servers, report: report, last: make(map[server]error), count: make(map[server]int)}
}

// note notes a failure with a server.
func (f *failures) note(s server, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last[s] = err
	f.count[s]++
	least := f.count[s]
	for _, other := range f.servers {
		least = min(least, f.count[other])
	}
	all := least > f.round
	f.round = least
	f.report(f.joined(), all)
}

// noSession says why there was no session until the time was up.
func (f *failures) noSession(cause error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.last) == 0 {
		return unavailable("asking for a ZooKeeper session", cause)
	}
	err := f.joined()
	return drivers.Unavailable(drivers.ReasonOf(err), fmt.Errorf("%w (%w while trying again)", err, cause))
}

// joined puts the failures on one line. The reason is that of the one that came furthest.
func (f *failures) joined() error {
	rank := []drivers.Reason{drivers.ReasonConnect, drivers.ReasonTimeout, drivers.ReasonSession, drivers.ReasonAuth}
	best := 0
	var texts []string
	for _, s := range f.servers {
		if err := f.last[s]; err != nil {
			texts = append(texts, err.Error())
			best = max(best, slices.Index(rank, drivers.ReasonOf(err)))
		}
	}
	return drivers.Unavailable(rank[best], fmt.Errorf("no session with any ZooKeeper server: %s", strings.Join(texts, "; ")))
}

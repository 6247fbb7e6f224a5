package session

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"servicegroup_exporter/drivers"
)

// Failures are why there is no session: the last failure with each server.
type Failures struct {
	servers []Server
	report  func(err error, all bool) // called for each failure; all: every server has failed once more

	mu    sync.Mutex
	last  map[Server]error
	count map[Server]int
	round int
}

func NewFailures(servers []Server, report func(error, bool)) *Failures {
	return &Failures{servers: servers, report: report, last: make(map[Server]error), count: make(map[Server]int)}
}

// note notes a failure with a server.
func (f *Failures) note(s Server, err error) {
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
func (f *Failures) noSession(cause error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.last) == 0 {
		return Unavailable("asking for a ZooKeeper session", cause)
	}
	err := f.joined()
	return drivers.Unavailable(drivers.ReasonOf(err), fmt.Errorf("%w (%w while trying again)", err, cause))
}

// joined puts the failures on one line. The reason is that of the one that came furthest.
func (f *Failures) joined() error {
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

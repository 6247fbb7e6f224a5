package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"servicegroup_exporter/drivers"
)

// Failures are the reasons why there is no session: the last failure with each server.
type Failures struct {
	servers []Server
	// report is called for each failure. all means that every server has failed once more since it was last true.
	report func(err error, all bool)

	mu     sync.Mutex
	last   map[Server]error
	counts map[Server]int
	rounds int // how often every server has failed
}

// NewFailures returns Failures without any failure.
func NewFailures(servers []Server, report func(err error, all bool)) *Failures {
	return &Failures{servers: servers, report: report, last: make(map[Server]error), counts: make(map[Server]int)}
}

// add records a failure with a server.
func (f *Failures) add(s Server, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last[s] = err
	f.counts[s]++
	fewest := f.counts[s]
	for _, other := range f.servers {
		fewest = min(fewest, f.counts[other])
	}
	all := fewest > f.rounds
	f.rounds = fewest
	f.report(f.summary(), all)
}

// timedOut returns the error for a context that ended before there was a session.
func (f *Failures) timedOut(ctx context.Context) error {
	cause := drivers.NoAnswer(ctx, ctx.Err())
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.last) == 0 {
		return Unavailable("asking for a ZooKeeper session", cause)
	}
	err := f.summary()
	return drivers.Unavailable(drivers.ReasonOf(err), fmt.Errorf("%w (%w)", err, cause))
}

// summary returns one error for the last failures of all servers. Its reason is that of the server that came closest to
// giving a session. The caller has locked mu.
func (f *Failures) summary() error {
	order := []drivers.Reason{drivers.ReasonConnect, drivers.ReasonTimeout, drivers.ReasonSession, drivers.ReasonAuth}
	best := 0
	var all serverErrors
	for _, s := range f.servers {
		if err := f.last[s]; err != nil {
			all = append(all, err)
			best = max(best, slices.Index(order, drivers.ReasonOf(err)))
		}
	}
	err := fmt.Errorf("no session with any ZooKeeper server: %w", all)
	return drivers.Unavailable(order[best], err)
}

// serverErrors are the last errors of several servers, in one line.
type serverErrors []error

func (e serverErrors) Error() string {
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

func (e serverErrors) Unwrap() []error { return e }

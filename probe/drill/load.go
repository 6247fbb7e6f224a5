package drill

import (
	"time"

	"servicegroup_exporter/drivers"
)

// A Load is what a time cost.
type Load struct {
	Seconds float64 `json:"seconds"`
	// Members is what they sent and got to stay alive, Observer what looking at them took, Polls how many requests that
	// were as the driver counts them.
	Members  Traffic `json:"members"`
	Observer Traffic `json:"observer"`
	Requests uint64  `json:"observer_requests"`
	// BackendCPU is the processor time of the servers, in seconds, where they run on this machine: nil elsewhere.
	BackendCPU *float64 `json:"backend_cpu_seconds"`
	// OwnCPU is that of this process, which is all members and the observer.
	OwnCPU float64 `json:"own_cpu_seconds"`
}

// Traffic is what passed over connections. Embedded stores have none.
type Traffic struct {
	Connections uint64 `json:"connections"` // that were made
	Sends       uint64 `json:"sends"`       // pieces of data that were sent: a request each, with the clients in use
	BytesOut    uint64 `json:"bytes_out"`
	BytesIn     uint64 `json:"bytes_in"`
}

// traffic is what has passed so far.
func (n *network) traffic() Traffic {
	return Traffic{n.dials.Load(), n.sends.Load(), n.bytesOut.Load(), n.bytesIn.Load()}
}

func (t Traffic) plus(o Traffic) Traffic {
	return Traffic{t.Connections + o.Connections, t.Sends + o.Sends, t.BytesOut + o.BytesOut, t.BytesIn + o.BytesIn}
}

func (t Traffic) minus(o Traffic) Traffic {
	return Traffic{t.Connections - o.Connections, t.Sends - o.Sends, t.BytesOut - o.BytesOut, t.BytesIn - o.BytesIn}
}

// A reading is what everything has cost up to a moment.
type reading struct {
	at                time.Time
	members, observer Traffic
	requests          uint64
	backend           time.Duration
	hasBackend        bool
	own               time.Duration
}

// read takes the meters.
func (s *stage) read() reading {
	r := reading{at: time.Now(), observer: s.observing.traffic(), own: ownCPU()}
	servers := s.observing.addresses()
	for _, n := range s.networks {
		r.members = r.members.plus(n.traffic())
		servers = append(servers, n.addresses()...)
	}
	if counter, ok := s.watching.(drivers.Counter); ok {
		r.requests = counter.Counts().Operations
	}
	r.backend, r.hasBackend = serverCPU(servers)
	return r
}

// load is what the time between two readings cost.
func (r *reading) load(later *reading) *Load {
	l := &Load{
		Seconds: later.at.Sub(r.at).Seconds(),
		Members: later.members.minus(r.members), Observer: later.observer.minus(r.observer),
		Requests: later.requests - r.requests, OwnCPU: (later.own - r.own).Seconds(),
	}
	if r.hasBackend && later.hasBackend {
		l.BackendCPU = new((later.backend - r.backend).Seconds())
	}
	return l
}

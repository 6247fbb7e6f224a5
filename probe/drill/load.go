package drill

import (
	"time"

	"servicegroup_exporter/drivers"
)

// A Load is what members and polls cost during a measurement.
type Load struct {
	Seconds float64 `json:"seconds"`
	// Members is the traffic that keeps the members alive, and Observer the traffic of this program's polls. Requests is
	// the number of requests of these polls, as the driver counts them.
	Members  Traffic `json:"members"`
	Observer Traffic `json:"observer"`
	Requests uint64  `json:"observer_requests"`
	// BackendCPU is the CPU time of the servers, in seconds. It is nil unless all of them run on this machine.
	BackendCPU *float64 `json:"backend_cpu_seconds"`
	// OwnCPU is the CPU time of this process, which contains all members and the observer.
	OwnCPU float64 `json:"own_cpu_seconds"`
}

// Traffic is what connections transferred. Embedded stores have no connections.
type Traffic struct {
	Connections uint64 `json:"connections"` // that were made
	Sends       uint64 `json:"sends"`       // number of writes: the clients in use make one for each request
	BytesOut    uint64 `json:"bytes_out"`
	BytesIn     uint64 `json:"bytes_in"`
}

// traffic returns the traffic so far.
func (n *network) traffic() Traffic {
	return Traffic{n.dials.Load(), n.sends.Load(), n.bytesOut.Load(), n.bytesIn.Load()}
}

func (t Traffic) plus(o Traffic) Traffic {
	return Traffic{t.Connections + o.Connections, t.Sends + o.Sends, t.BytesOut + o.BytesOut, t.BytesIn + o.BytesIn}
}

func (t Traffic) minus(o Traffic) Traffic {
	return Traffic{t.Connections - o.Connections, t.Sends - o.Sends, t.BytesOut - o.BytesOut, t.BytesIn - o.BytesIn}
}

// meters are the total costs up to a moment.
type meters struct {
	at                time.Time
	members, observer Traffic
	requests          uint64
	backend           time.Duration
	hasBackend        bool
	own               time.Duration
}

// readMeters returns the costs up to now.
func (r *run) readMeters() meters {
	m := meters{at: time.Now(), observer: r.readNetwork.traffic(), own: ownCPU()}
	servers := r.readNetwork.addresses()
	for _, n := range r.networks {
		m.members = m.members.plus(n.traffic())
		servers = append(servers, n.addresses()...)
	}
	if counter, ok := r.reader.(drivers.Counter); ok {
		m.requests = counter.Counts().Operations
	}
	m.backend, m.hasBackend = serverCPU(servers)
	return m
}

// load returns the cost of the time between m and later.
func (m *meters) load(later *meters) *Load {
	l := &Load{
		Seconds: later.at.Sub(m.at).Seconds(),
		Members: later.members.minus(m.members), Observer: later.observer.minus(m.observer),
		Requests: later.requests - m.requests, OwnCPU: (later.own - m.own).Seconds(),
	}
	if m.hasBackend && later.hasBackend {
		l.BackendCPU = new((later.backend - m.backend).Seconds())
	}
	return l
}

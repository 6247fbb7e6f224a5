// Package drivers is the ServiceGroup API: what a member of a group is, and what a driver that keeps membership in
// some backend promises. The drivers themselves are in the folders beneath this one; each passes the conformance suite
// in drivertest against its real server.
//
// The words and their meaning come from OpenStack Nova's servicegroup API: a worker joins a group, whoever is
// interested calls get_all, get_one or service_is_up, and a worker can leave.
package drivers

import (
	"context"
	"time"
)

// A Driver reads the membership of one backend. Its methods may be called concurrently.
//
// Drivers that can do more implement [Joiner], [Remover], [Watcher] and [Counter] too.
type Driver interface {
	// Members reads the whole roster with each member's state, as it was at one instant of the backend's clock.
	//
	// It returns when ctx ends, even if the backend hangs. It writes nothing to the backend. A backend that can't
	// answer, or that can't be sure (no quorum, no session, half a reply), gives an error that wraps
	// [ErrUnavailable], never an empty or a partial poll: an empty poll says that nobody is there.
	Members(ctx context.Context) (*Poll, error)

	// Close releases connections and goroutines, and ends calls under way. Memberships that were joined through the
	// driver are abandoned, not left: leave them first. Close may be called more than once.
	Close() error
}

// A Watcher is a driver whose backend says when something may have changed.
type Watcher interface {
	// Changed returns a channel of capacity one that receives when Members is worth calling again. It is only a
	// hint: signals are merged, may be spurious, and may be missed while the backend is out of reach. The channel is
	// the same on every call and is never closed.
	Changed() <-chan struct{}
}

// A Joiner writes membership.
type Joiner interface {
	// Join makes this process a member of a group and keeps it one in the background until the returned membership
	// ends, whatever happens to ctx after Join has returned. It returns when the member is there for others to see.
	//
	// A name that another live process has taken is refused with an error that wraps [ErrNameTaken] and says which process
	// has it, where the backend can tell.
	Join(ctx context.Context, req JoinRequest) (Membership, error)

	// Leave removes a member on purpose, whoever joined it, so that it is neither up nor dead. It gives an error
	// that wraps [ErrNoMember] when the group has no such member.
	Leave(ctx context.Context, group, name string) error
}

// A Remover is a joiner whose groups leave something behind when their last member has left.
type Remover interface {
	// RemoveGroup removes what is left of a group that has no members, if anything is. It gives an error that wraps
	// [ErrNameTaken] when the group has members.
	RemoveGroup(ctx context.Context, group string) error
}

// JoinRequest says who joins what.
type JoinRequest struct {
	Group string
	Name  string
	// Binary is what the member runs, an attribute that some backends store. Empty: the driver's default.
	Binary string
}

// A Membership is this process's presence in a group. Exactly one of Leave, Die and Abandon ends it; later calls of any
// of them return nil and do nothing.
type Membership interface {
	// Leave removes the member on purpose: it is gone at once, and from the roster too.
	Leave(ctx context.Context) error

	// Die ends the member's presence at once but leaves it in the roster: it is dead, and was last alive at the
	// given time of this machine's clock. Used when what the member stood for has died.
	Die(ctx context.Context, at time.Time) error

	// Abandon stops all proofs of life without a word to the backend, as kill -9 would. The backend notices in its
	// own time.
	Abandon()

	// Done is closed when the membership has ended without this process ending it: somebody else removed the member
	// or took its name. Err then says which. A lost connection or session is no end; the driver comes back by itself.
	Done() <-chan struct{}

	// Err is nil until Done is closed.
	Err() error
}

// A Counter counts what a driver asks of its backend.
type Counter interface {
	Counts() Counts
}

// Counts are totals since the driver was made.
type Counts struct {
	// Operations is the number of requests (queries, or client-server round trips) sent on behalf of Members.
	Operations uint64
	// Reconnects is the number of connections made after the first one.
	Reconnects uint64
	// Expirations is the number of sessions that the backend ended because it had not heard from us.
	Expirations uint64
}

// A Poll is what one call of [Driver.Members] read.
type Poll struct {
	// Members is the roster. The driver may hand out the same backing array again only if nothing in it changes.
	Members []Member

	// Now is the backend's clock at the instant of the read, zero where it has none that can be read. Ages are
	// differences between times of this clock.
	Now time.Time

	// DownTime is how long a member may be silent and still count as up: service_down_time, or the session timeout
	// where the member's own is not known.
	DownTime time.Duration

	// Changed holds, for each group that a watch covered without a gap since the poll before, the time of this
	// machine's clock at which the first change was reported. Groups without a change are absent, and so is every
	// group after a time in which changes could have been missed.
	Changed map[string]time.Time

	// Unknown are members of the roster of whom the backend could say nothing this time, since the part of it that
	// would know is out of reach or has lost its memory: they are neither up nor down. None of them is in Members.
	Unknown []Member

	// Rejected are entries that are members but could not be used.
	Rejected []Rejection

	// Backend names the server and its version, as "10.11.19-MariaDB" or "3.8.0", empty where it does not say.
	Backend string

	// Catalogue reports that this source lists other databases, as Nova's API database lists the cells, and has no
	// members of its own.
	Catalogue bool

	// RosterIsGiven reports that the members come from a roster outside the backend. A member that is down and has no
	// heartbeat has then left no trace in the backend.
	RosterIsGiven bool
}

// A Rejection is an entry of the backend that looks like a member but can't be one.
type Rejection struct {
	Group, Name string
	// Reason is one of a small fixed set of words, used as a metric label: "name", "duplicate", "data".
	Reason string
}

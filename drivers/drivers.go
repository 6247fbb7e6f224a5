// Package drivers is the ServiceGroup API: it defines what a member of a group is, and what a driver for a backend must do.
// The drivers are in the folders below this one. Each passes the conformance suite in internal/drivertest against its real
// server.
//
// The API follows OpenStack Nova's servicegroup API: a worker joins a group and can leave it, and clients call get_all,
// get_one or service_is_up.
package drivers

import (
	"context"
	"time"
)

// A Driver reads the membership of one backend. Its methods may be called concurrently.
//
// Drivers that can do more implement [Joiner], [Remover], [Watcher], [Counter] and [Inspector] too.
type Driver interface {
	// Members reads the whole roster with each member's state, as it was at one instant of the backend's clock.
	//
	// It returns when ctx ends, even if the backend hangs. It writes nothing to the backend. If the backend can't answer, or
	// its answer may be wrong (no quorum, no session, half a reply), Members returns an error that wraps [ErrUnavailable],
	// never an empty or partial poll: an empty poll means that there are no members.
	Members(ctx context.Context) (*Poll, error)

	// Close releases connections and goroutines, and ends calls under way. It abandons memberships that were joined through
	// the driver: call Leave on them first. Close may be called more than once.
	Close() error
}

// A Watcher is a driver whose backend notifies it of changes.
type Watcher interface {
	// Changed returns a channel of capacity one that receives when Members should be called again. It is only a hint:
	// signals are merged, may be spurious, and may be missed while the backend can't be reached. The channel is the same on
	// every call and is never closed.
	Changed() <-chan struct{}
}

// A Joiner writes membership.
type Joiner interface {
	// Join makes this process a member of a group. It stays one in the background until the returned membership ends, also
	// if ctx ends after Join has returned. Join returns when other processes can see the member.
	//
	// A name that another live process has taken is refused with an error that wraps [ErrNameTaken] and says which process
	// has it, where the backend can tell.
	Join(ctx context.Context, req JoinRequest) (Membership, error)

	// Leave removes a member on purpose, also one that another process joined, so that it is neither up nor down. It returns
	// an error that wraps [ErrNoMember] if the group has no such member.
	Leave(ctx context.Context, group, name string) error
}

// A Remover is a joiner whose groups still exist in the backend when their last member has left.
type Remover interface {
	// RemoveGroup removes a group without members, if it exists. It returns an error that wraps [ErrNameTaken] if the group
	// has members.
	RemoveGroup(ctx context.Context, group string) error
}

// JoinRequest is the parameters of [Joiner.Join].
type JoinRequest struct {
	Group string
	Name  string
	// Binary is the program that the member runs, an attribute that some backends store. Empty means the driver's default.
	Binary string
}

// A Membership is this process's presence in a group. Exactly one of Leave, Die and Abandon ends it; later calls of any
// of them return nil and do nothing.
type Membership interface {
	// Leave removes the member on purpose: it is gone at once, and from the roster too.
	Leave(ctx context.Context) error

	// Die makes the member down at once and keeps it in the roster. Die is for a member that stands for another process, which
	// has died.
	Die(ctx context.Context, death Death) error

	// Abandon stops all proofs of life without telling the backend, as kill -9 does. The member is down when its heartbeat
	// timeout has passed.
	Abandon()

	// Done is closed if another process ended the membership: it removed the member or took its name, and Err returns which.
	// A lost connection or session does not end the membership; the driver connects again.
	Done() <-chan struct{}

	// Err returns nil until Done is closed.
	Err() error
}

// A Death is when and why a member died.
type Death struct {
	At    time.Time // by this machine's clock
	Cause string    // a short text, which backends store that have a place for it; empty: it is not known
}

// A Counter is a driver that counts its requests to the backend.
type Counter interface {
	Counts() Counts
}

// Counts are totals since the driver was made.
type Counts struct {
	// Operations is the number of requests (queries, or client-server round trips) sent by Members.
	Operations uint64
	// Reconnects is the number of connections made after the first one.
	Reconnects uint64
	// Expirations is the number of sessions that the backend ended because it had received nothing for the session timeout.
	Expirations uint64
}

// A Poll is what one call of [Driver.Members] read.
type Poll struct {
	// Members is the roster. The driver may return the same backing array again only if nothing in it changes.
	Members []Member

	// Now is the time of the backend's clock at the instant of the read, zero if it has no clock that can be read. Ages are
	// differences between times of this clock.
	Now time.Time

	// DownTime is the heartbeat timeout, for which a member may be silent and still count as up: service_down_time, or the
	// session timeout of members without a SessionTimeout of their own.
	DownTime time.Duration

	// Changed has, for each group that a watch covered without a gap since the poll before, the time of this machine's clock
	// at which the first change was reported. Groups without a change are missing, and so are all groups after a time in
	// which changes could have been missed.
	Changed map[string]time.Time

	// Unknown are members of the roster that are neither up nor down in this poll, because the part of the backend that has
	// their proofs of life can't be reached or lost its data. None of them is in Members.
	Unknown []Member

	// Rejected are entries that look like members but can't be used.
	Rejected []Rejection

	// UnreadableGroups names the groups that can't be read while others can. Their members are unknown, not gone: those that
	// are known from polls before keep their last state. Each group also has a [Problem] of the kind [ProblemUnreadable].
	UnreadableGroups []string

	// Problems are what is probably not as the operator meant it, although the backend was read.
	Problems []Problem

	// Backend is the server's name and version, such as "10.11.19-MariaDB" or "3.8.0", empty if it reports none.
	Backend string

	// ListsDatabases reports that this source lists other databases, as Nova's API database lists the cells, and has no
	// members of its own.
	ListsDatabases bool

	// RosterIsGiven reports that the members come from a roster outside the backend. A member that is down and has no
	// heartbeat has then left no trace in the backend.
	RosterIsGiven bool
}

// A Rejection is an entry of the backend that looks like a member but can't be used.
type Rejection struct {
	Group, Name string
	// Reason is one of a small fixed set of words, used as a metric label: "name", "duplicate", "data".
	Reason string
}

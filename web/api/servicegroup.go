package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"servicegroup_exporter/collector"
)

// A view tells how old the data of an answer is.
type view struct {
	LastSuccess *time.Time `json:"last_success"`
	AgeSeconds  *float64   `json:"age_seconds"`
}

// viewOf returns the view of the source whose last success is the oldest.
func viewOf(snapshots []collector.Snapshot) view {
	var oldest time.Time
	for i := range snapshots {
		if last := snapshots[i].LastSuccess; i == 0 || last.Before(oldest) {
			oldest = last
		}
	}
	return view{timeOrNil(oldest), age(oldest)}
}

// getAll returns the live members of a group, as [drivers.GetAll] does. If a source can't be read, it returns an error instead
// of an incomplete list.
func (a *api) getAll(q query) (any, error) {
	snapshots, members, err := a.live(q)
	if err != nil {
		return nil, err
	}
	if err := allReadable(snapshots); err != nil {
		return nil, err
	}
	age, err := json.Marshal(viewOf(snapshots))
	if err != nil {
		return nil, fmt.Errorf("encoding a view as JSON: %w", err)
	}
	return listAnswer{`{"members":[`, func(yield func(any) bool) {
		for _, m := range members {
			if !yield(m.name) {
				return
			}
		}
	}, "]," + string(age[1:])}, nil
}

type getOneAnswer struct {
	Member string `json:"member"`
	view
}

// getOne returns a random live member of a group, as [drivers.GetOne] does. One readable source with a live member is enough.
func (a *api) getOne(q query) (any, error) {
	snapshots, members, err := a.live(q)
	if err != nil {
		return nil, err
	}
	if len(members) > 0 {
		one := members[rand.IntN(len(members))]
		return getOneAnswer{one.name, viewOf(snapshots[one.source : one.source+1])}, nil
	}
	if err := allReadable(snapshots); err != nil {
		return nil, err
	}
	if !collector.HasGroup(snapshots, q["group"]) {
		return nil, noMember(snapshots, q)
	}
	return nil, notFound("group %q has no live member", q["group"])
}

// A liveMember has the name of a member that is up, and the index of its snapshot.
type liveMember struct {
	name   string
	source int
}

// live returns the snapshots that a query is about, and the members of its group that are up, sorted by name, each name once.
func (a *api) live(q query) ([]collector.Snapshot, []liveMember, error) {
	if err := q.required("group"); err != nil {
		return nil, nil, err
	}
	snapshots, err := a.asked(q)
	if err != nil {
		return nil, nil, err
	}
	var members []liveMember
	for i := range snapshots {
		for j := range snapshots[i].Members {
			if m := &snapshots[i].Members[j]; m.Group == q["group"] && m.State == collector.Up {
				members = append(members, liveMember{m.Name, i})
			}
		}
	}
	slices.SortStableFunc(members, func(a, b liveMember) int { return cmp.Compare(a.name, b.name) })
	members = slices.CompactFunc(members, func(a, b liveMember) bool { return a.name == b.name })
	return snapshots, members, nil
}

type isUpAnswer struct {
	Up *bool `json:"up"` // null: unknown
	view
}

// statusHTTP is the value of the parameter status with which the status of the answer says whether a member is up.
const statusHTTP = "http"

// status returns the status for a client that reads nothing else.
func (a isUpAnswer) status() int {
	switch {
	case a.Up == nil:
		return http.StatusFailedDependency
	case *a.Up:
		return http.StatusOK
	default:
		return http.StatusServiceUnavailable
	}
}

// asStatus returns an error as a client with status=http needs it: 503 says that a member is down, so that an answer that the server
// can't give now has the status of an unknown member.
func (q query) asStatus(err error) error {
	if e, ok := errors.AsType[*statusError](err); ok && e.status == http.StatusServiceUnavailable && q["status"] == statusHTTP {
		return &statusError{http.StatusFailedDependency, e.err}
	}
	return err
}

// isUp returns whether one member is up, as [drivers.IsUp] does.
func (a *api) isUp(q query) (any, error) {
	if _, err := q.oneOf("status", statusHTTP); err != nil {
		return nil, err
	}
	s, m, err := find(a.Collector.Snapshots(), q)
	if err != nil {
		return nil, err
	}
	answer := isUpAnswer{nil, viewOf([]collector.Snapshot{*s})}
	if m.State != collector.Unknown {
		answer.Up = new(m.State == collector.Up)
	}
	return answer, nil
}

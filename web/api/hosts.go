package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/hosts"
)

// hostsVersion is the version of the answer about hosts. Properties may be added to a version; whatever else changes is another.
const hostsVersion = 1

// defaultHosts is how many hosts an answer has at most, unless the client asks for another limit.
const defaultHosts = 1000

// A hostsHead is what an answer about hosts has before the hosts.
type hostsHead struct {
	Version int         `json:"version"`
	Now     time.Time   `json:"now"`
	Summary hostSummary `json:"summary"`
	Total   int         `json:"total"` // of matching hosts
}

// A hostSummary is what is known of all hosts and sources, whatever the client asks for.
type hostSummary struct {
	Hosts              hostCount    `json:"hosts"`
	MostHostsDown      bool         `json:"most_hosts_down"`
	MassFailure        bool         `json:"mass_failure"`
	SuspicionSuspended bool         `json:"suspicion_suspended"`
	HeartbeatsStalled  bool         `json:"heartbeats_stalled"`
	AllSourcesCurrent  bool         `json:"all_sources_current"`
	Sources            []hostSource `json:"sources"`
}

type hostCount struct {
	Total     int `json:"total"`
	Up        int `json:"up"`
	Down      int `json:"down"`
	Unknown   int `json:"unknown"`
	Suspected int `json:"suspected"` // of Down
	Known     int `json:"with_several_services"`
}

// A hostSource is how far a source can be believed.
type hostSource struct {
	Source      string     `json:"source"`
	Current     bool       `json:"current"`
	LastSuccess *time.Time `json:"last_success"`
	AgeSeconds  *float64   `json:"age_seconds"`
	decisions
	Suspected          int  `json:"members_suspected"`
	MassFailure        bool `json:"mass_failure"`
	SuspicionSuspended bool `json:"suspicion_suspended"`
	HeartbeatsStalled  bool `json:"heartbeats_stalled"`
}

// A Host is one host as the API returns it.
type Host struct {
	Host      string              `json:"host"`
	Zone      string              `json:"zone"`
	State     string              `json:"state"`
	Certainty collector.Certainty `json:"certainty,omitempty"`
	Retained  bool                `json:"retained"`
	LastProof *time.Time          `json:"last_proof_of_life"`
	Answers   string              `json:"host_answers,omitempty"` // empty: no Prometheus is asked
	Members   []HostMember        `json:"members"`
}

// A HostMember is a member as it is in the answer about its host.
type HostMember struct {
	Source    string      `json:"source"`
	Group     string      `json:"group"`
	Member    string      `json:"member"`
	Binary    string      `json:"binary"`
	Zone      string      `json:"zone"`
	State     string      `json:"state"`
	InService bool        `json:"in_service"`
	Down      bool        `json:"down"`
	Suspected bool        `json:"suspected"`
	Silent    bool        `json:"silent"`
	LastProof *time.Time  `json:"last_proof_of_life"`
	Cause     hosts.Cause `json:"cause,omitempty"`
}

func (a *api) hosts(q query) (any, error) {
	wanted, err := q.hostFilter()
	if err != nil {
		return nil, err
	}
	offset, limit, err := q.window(defaultHosts)
	if err != nil {
		return nil, err
	}
	snapshots := a.Collector.Snapshots()
	all := collector.Hosts(snapshots, nil)
	summary := newHostSummary(snapshots, all)
	all = slices.DeleteFunc(all, func(h collector.Host) bool { return !wanted.Matches(&h) })
	slices.SortStableFunc(all, collector.CompareHosts)
	head, err := json.Marshal(hostsHead{hostsVersion, time.Now().UTC(), summary, len(all)})
	if err != nil {
		return nil, fmt.Errorf("encoding the summary of hosts as JSON: %w", err)
	}
	all = all[min(offset, int64(len(all))):]
	all = all[:min(limit, int64(len(all)))]
	answers := a.Alerts.HostAnswers()
	return listAnswer{string(head[:len(head)-1]) + `,"hosts":[`, func(yield func(any) bool) {
		for i := range all {
			shown := NewHost(&all[i])
			if answers != nil {
				shown.Answers = answers(shown.Host)
			}
			if !yield(shown) {
				return
			}
		}
	}, "]}"}, nil
}

// hostFilter returns the filter of a query about hosts.
func (q query) hostFilter() (*collector.HostFilter, error) {
	state, err := q.oneOf("state", collector.Up.String(), collector.Down.String(), collector.Unknown.String())
	if err != nil {
		return nil, err
	}
	certainty, err := q.oneOf("certainty", string(collector.Suspected), string(collector.Confirmed))
	return &collector.HostFilter{Name: q["host"], Zone: q["zone"], State: state, Certainty: certainty, Text: strings.ToLower(q["q"])}, err
}

func newHostSummary(snapshots []collector.Snapshot, all []collector.Host) hostSummary {
	count := collector.CountHosts(all)
	summary := hostSummary{
		Hosts: hostCount{
			Total: count.Total, Up: count.Up, Down: count.Down, Unknown: count.Unknown, Suspected: count.Suspected, Known: count.Known,
		},
		MostHostsDown: count.MostDown(), AllSourcesCurrent: true, Sources: make([]hostSource, len(snapshots)),
	}
	for i := range snapshots {
		s := newHostSource(&snapshots[i])
		summary.Sources[i] = s
		summary.MassFailure = summary.MassFailure || s.MassFailure
		summary.SuspicionSuspended = summary.SuspicionSuspended || s.SuspicionSuspended
		summary.HeartbeatsStalled = summary.HeartbeatsStalled || s.HeartbeatsStalled
		summary.AllSourcesCurrent = summary.AllSourcesCurrent && s.Current
	}
	return summary
}

func newHostSource(s *collector.Snapshot) hostSource {
	shown := hostSource{
		Source: s.Source, Current: s.Readable && !s.Stale, LastSuccess: timeOrNil(s.LastSuccess), AgeSeconds: age(s.LastSuccess),
		SuspicionSuspended: s.SuspendsSuspicion, HeartbeatsStalled: s.HeartbeatsStalled,
	}
	shown.decisions, shown.MassFailure = decided(s)
	for i := range s.Members {
		if m := &s.Members[i]; m.Suspected && m.InService {
			shown.Suspected++
		}
	}
	return shown
}

// NewHost returns a host as the API returns it.
func NewHost(h *collector.Host) Host {
	shown := Host{
		Host: h.Name, Zone: h.Zone, State: h.Verdict().String(), Certainty: h.Certainty(), Retained: !h.IsCurrent(),
		LastProof: timeOrNil(h.LastProof), Members: make([]HostMember, len(h.Members)),
	}
	for i := range h.Members {
		m := &h.Members[i]
		shown.Members[i] = HostMember{
			Source: m.Source.Source, Group: m.Group, Member: m.Name, Binary: m.Binary, Zone: m.Zone, State: m.State.String(),
			InService: m.InService, Down: m.DecidedDown, Suspected: m.Suspected, Silent: m.IsSilent(),
			LastProof: timeOrNil(m.LastProof), Cause: m.Cause,
		}
	}
	return shown
}

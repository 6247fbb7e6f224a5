package page

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/web/api"
)

// A hostsView is what the pages about hosts show.
type hostsView struct {
	Title   string // of the summary
	State   string // of the summary: down, unknown or up
	Lines   []string
	Down    int          // how many hosts are down
	Filters []filterLink // of the list of hosts
	List    hostListing
	Host    *hostRow // of the page of a host
	Blind   bool     // a source can't be read that has the host, or may have it
	Members []hostMember
}

// A filterLink is a link to the hosts in one state.
type filterLink struct {
	link
	Count   int
	Current bool
}

// A hostListing is one page of the list of hosts.
type hostListing struct {
	pageLinks
	Rows        []hostRow
	Total       int // of matching hosts
	First, Last int // of the rows, from 1
	Sorts       []sortLink
	Asks        bool   // whether it is known of hosts that they answer or that this is unknown
	Filter      string // the text that was searched for
	Zone        string // the zone alone that is shown
	AllZones    string // the address of all of them
}

// A hostRow is a host in the list.
type hostRow struct {
	*collector.Host
	State   string
	Answers string // whether it answers by another way than heartbeats; empty: no Prometheus is asked
}

func newHostRow(h *collector.Host, answers func(host string) string) hostRow {
	return hostRow{h, h.Verdict().String(), answers(h.Name)}
}

// Address returns the address of the page of the host.
func (r *hostRow) Address() string { return hostAddress(r.Name) }

func hostAddress(name string) string { return "host?" + url.Values{"host": {name}}.Encode() }

// ZoneAddress returns the address of the hosts in a zone.
func (view) ZoneAddress(zone string) string { return "hosts?" + url.Values{"zone": {zone}}.Encode() }

// Count returns how many members there are, and how many of those in service are down or suspected.
func (r *hostRow) Count() string {
	if down := r.Down(); down > 0 {
		return fmt.Sprintf("%d of %d down", down, len(r.Members))
	}
	return count(len(r.Members), "member", "members")
}

// Down returns how many of the members in service are down or suspected.
func (r *hostRow) Down() int {
	n := 0
	for i := range r.Members {
		if m := &r.Members[i]; m.DecidedDown || m.Suspected && m.InService {
			n++
		}
	}
	return n
}

// Notes returns which members are down on a host that is not, and what is old.
func (r *hostRow) Notes() string {
	var notes []string
	if !r.IsCurrent() {
		notes = append(notes, "partly old: a source can't be read")
	}
	if !r.IsDown() {
		for i := range r.Members {
			m := &r.Members[i]
			switch {
			case m.DecidedDown:
				notes = append(notes, m.Group+": "+cmp.Or(causeText(m.Cause), "down"))
			case m.Suspected && m.InService:
				notes = append(notes, m.Group+": suspected")
			}
		}
	}
	if r.State == collector.Unknown.String() && len(notes) == 0 {
		notes = append(notes, "no member reports")
	}
	return strings.Join(notes, "; ")
}

// causeText returns why a member is down, in words; empty: that is not known.
func causeText(cause hosts.Cause) string {
	switch cause {
	case hosts.CauseHost:
		return "host down"
	case hosts.CauseProcess:
		return "process died, host reports"
	default:
		return ""
	}
}

// A hostMember is a member on the page of its host.
type hostMember struct {
	row
	LastProof time.Time
}

func (p *Pages) hosts(w http.ResponseWriter, r *http.Request) {
	all := collector.Hosts(p.opts.Snapshots(), nil)
	v := newHostsView(all)
	q := r.URL.Query()
	v.List = newHostListing(all, q, p.hostAnswers())
	v.Filters = stateLinks(all, q)
	p.send(w, r, http.StatusOK, "hosts.html", view{Hosts: v})
}

func (p *Pages) host(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("host")
	snapshots := p.opts.Snapshots()
	found := collector.Hosts(snapshots, func(host string) bool { return host == name })
	switch {
	case name == "":
		p.unknown(w, r, "The address names no host: it needs the parameter host.")
	case len(found) > 0:
		v := view{Hosts: aboutHost(&found[0], p.hostAnswers())}
		p.addNews(&v, api.Filter{}.On(name, snapshots))
		p.send(w, r, http.StatusOK, "host.html", v)
	case p.allRead(snapshots):
		p.unknown(w, r, fmt.Sprintf("There is no host %s.", name))
	default:
		p.send(w, r, http.StatusOK, "host.html", view{Hosts: hostsView{Title: name, State: "unknown", Blind: true, Lines: []string{
			"There is no data about this host. A source that may have it can't be read.",
		}}})
	}
}

// allRead reports whether all sources can be read, so that a name that none of them has does not exist.
func (p *Pages) allRead(snapshots []collector.Snapshot) bool {
	return !slices.ContainsFunc(snapshots, func(s collector.Snapshot) bool { return !s.Readable })
}

// newHostsView returns the summary of all hosts.
func newHostsView(all []collector.Host) hostsView {
	c := collector.CountHosts(all)
	v := hostsView{State: collector.Up.String(), Down: c.Down}
	switch {
	case c.Down > 0:
		v.State, v.Title = collector.Down.String(), count(c.Down, "host is", "hosts are")+" down"
		if c.Suspected > 0 {
			v.Title += fmt.Sprintf(", %d of them suspected", c.Suspected)
		}
	case c.Total == 0:
		v.Title = "There are no hosts yet"
	case c.Unknown > 0:
		v.State, v.Title = collector.Unknown.String(), count(c.Unknown, "host is", "hosts are")+" unknown"
	default:
		v.Title = "No host is down (" + count(c.Total, "host", "hosts") + ")"
	}
	if c.MostDown() {
		v.Lines = append(v.Lines, "Most hosts are down. Suspect the backend, the network or the power, not the hosts.")
	}
	if c.Down > 0 && c.Unknown > 0 {
		v.Lines = append(v.Lines, count(c.Unknown, "host is", "hosts are")+" unknown: no member there reports, and nothing shows that the machine is down.")
	}
	return v
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// newHostListing returns the page of the list that a query asks for.
func newHostListing(all []collector.Host, q url.Values, answers func(host string) string) hostListing {
	filter := hostFilter(q)
	var rows []hostRow
	for i := range all {
		if filter.Matches(&all[i]) {
			rows = append(rows, newHostRow(&all[i], answers))
		}
	}
	sortHosts(rows, q.Get("sort"))
	to := linksTo("hosts", q, "q", "zone", "state", "sort", "page")
	first, last, links := paged(len(rows), q, to)
	return hostListing{
		pageLinks: links, Rows: rows[first:last], Total: len(rows), First: first + 1, Last: last,
		Sorts: sortLinks(q, to, link{"state", "State"}, link{"host", "Host"}, link{"proof", "Last proof of life"}, link{"down", "Members"}),
		Asks:  len(rows) > 0 && rows[0].Answers != "", Filter: q.Get("q"), Zone: q.Get("zone"), AllZones: to("zone", ""),
	}
}

func hostFilter(q url.Values) collector.HostFilter {
	f := collector.HostFilter{Zone: q.Get("zone"), Text: strings.ToLower(strings.TrimSpace(q.Get("q")))}
	if slices.Contains(hostStates(), q.Get("state")) {
		f.State = q.Get("state")
	}
	return f
}

// hostStates returns the states of hosts, from worst to best.
func hostStates() []string {
	return []string{collector.Down.String(), collector.Unknown.String(), collector.Up.String()}
}

// stateLinks returns links to the hosts in each state, with how many of them match the other filters.
func stateLinks(all []collector.Host, q url.Values) []filterLink {
	filter := hostFilter(q)
	current := filter.State
	filter.State = ""
	counts := map[string]int{}
	for i := range all {
		if h := &all[i]; filter.Matches(h) {
			counts[""]++
			counts[h.Verdict().String()]++
		}
	}
	to := linksTo("hosts", q, "q", "zone", "state", "sort")
	links := []filterLink{{link{to("state", ""), "All"}, counts[""], current == ""}}
	for _, state := range hostStates() {
		links = append(links, filterLink{link{to("state", state), strings.ToUpper(state[:1]) + state[1:]}, counts[state], current == state})
	}
	return links
}

// sortHosts sorts hosts by name, or as an order says.
func sortHosts(rows []hostRow, order string) {
	name, reverse := strings.CutPrefix(order, "-")
	var compare func(a, b hostRow) int
	switch name {
	case "host":
		compare = func(a, b hostRow) int { return cmp.Compare(a.Name, b.Name) }
	case "proof":
		compare = func(a, b hostRow) int { return b.LastProof.Compare(a.LastProof) }
	case "down":
		compare = func(a, b hostRow) int { return cmp.Compare(b.Down(), a.Down()) }
	default:
		states := hostStates()
		compare = func(a, b hostRow) int {
			return cmp.Or(cmp.Compare(slices.Index(states, a.State), slices.Index(states, b.State)),
				latest(a, b), cmp.Compare(b.Down(), a.Down()))
		}
	}
	slices.SortStableFunc(rows, compare)
	if reverse {
		slices.Reverse(rows)
	}
}

// latest compares hosts that are down by when they died. Other hosts keep their order.
func latest(a, b hostRow) int {
	if !a.IsDown() {
		return 0
	}
	return b.LastProof.Compare(a.LastProof)
}

// aboutHost returns the page of a host.
func aboutHost(h *collector.Host, answers func(host string) string) hostsView {
	r := newHostRow(h, answers)
	v := hostsView{Title: h.Name, State: r.State, Host: &r, Blind: h.Retained()}
	switch {
	case h.IsSuspected():
		v.Lines = append(v.Lines, "Suspected: no member is down by the rule of its service yet.")
	case r.State == collector.Unknown.String():
		v.Lines = append(v.Lines, "No member reports, and nothing shows that the machine is down.")
	}
	if !h.IsCurrent() {
		v.Lines = append(v.Lines, "A source can't be read, so that this is partly what was known before.")
	}
	for i := range h.Members {
		m := &h.Members[i]
		v.Members = append(v.Members, hostMember{newRow(m.Source, m.MemberState, m.Cause), m.LastProof})
	}
	return v
}

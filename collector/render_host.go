package collector

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/collector/tracker"
)

// hostMembers returns what the states of hosts depend on, of the members of a source: the slice of before, if nothing has changed.
func (s *source) hostMembers(members []*memberSeries, before []hosts.Member) []hosts.Member {
	limit := s.textLimit()
	on := func(m *memberSeries) hosts.Member {
		on := onHost(m)
		on.Zone = tracker.Shorten(on.Zone, limit)
		return on
	}
	same := 0
	for same < min(len(members), len(before)) && on(members[same]) == before[same] {
		same++
	}
	if same == len(members) && same == len(before) {
		return before
	}
	next := append(make([]hosts.Member, 0, len(members)), before[:same]...)
	for _, m := range members[same:] {
		next = append(next, on(m))
	}
	return next
}

// onHost returns the same as [MemberState.onHost], without a snapshot.
func onHost(series *memberSeries) hosts.Member {
	m := series.member
	down, _ := m.DownSince()
	_, suspected := m.Suspected()
	return hosts.Member{
		Host: series.host, Group: m.Group, Zone: m.Zone, Service: series.service,
		InService: m.InService(), Down: !down.IsZero(), Suspected: suspected, Late: m.Late(),
	}
}

// A hostSample is a series with its value.
type hostSample struct {
	labels *exposition.Labels
	value  float64
}

// inLists returns the series of lists.
func inLists(lists ...[]hostSample) seriesFunc {
	return func(yield yieldFunc) {
		for _, list := range lists {
			for _, s := range list {
				if !yield(s.labels, s.value) {
					return
				}
			}
		}
	}
}

// A hostBoard has the series of hosts. While no member changes between silent and not silent, a scrape costs one comparison a
// source; otherwise one pass over all members.
type hostBoard struct {
	mu            sync.Mutex
	madeOf        [][]hosts.Member // what the series were made of
	anyDead       bool             // a member is down or suspected, and in service
	labels        map[string]*exposition.Labels
	up, suspected []hostSample // of the hosts on which several services are known
	down          map[downHostKey]*downHost
}

type downHostKey struct{ name, zone string }

// A downHost is a host that is down, or was within the last hour.
type downHost struct {
	key    downHostKey
	labels *exposition.Labels
	since  time.Time
	ended  tracker.Instant // zero: it is down
}

// update takes in what the sources show.
func (b *hostBoard) update(sources []*rendered, d *descs) {
	of := make([][]hosts.Member, len(sources))
	for i, s := range sources {
		of[i] = s.hosts
	}
	if b.labels != nil && slices.EqualFunc(b.madeOf, of, sameSlice[hosts.Member]) {
		return
	}
	before := b.labels
	b.madeOf, b.anyDead, b.labels, b.up, b.suspected = of, false, make(map[string]*exposition.Labels, len(before)), nil, nil
	for _, state := range hosts.States(of) {
		b.anyDead = b.anyDead || state.Down+state.Suspected > 0
		if !state.IsKnown() {
			continue
		}
		labels := before[state.Name]
		if labels == nil {
			labels = exposition.NewLabels(d.hostUp.labels, state.Name)
		}
		b.labels[state.Name] = labels
		b.up = append(b.up, hostSample{labels, oneIf(!state.IsDown())})
		b.suspected = append(b.suspected, hostSample{labels, oneIf(state.IsSuspected())})
	}
}

// begin takes hosts that [source.deadBefore] names for hosts that were down: the process before this one may have said so.
func (b *hostBoard) begin(sources []*source, snapshots []Snapshot, d *descs, now tracker.Instant) {
	b.down = map[downHostKey]*downHost{}
	for _, h := range Hosts(snapshots, func(host string) bool {
		return slices.ContainsFunc(sources, func(s *source) bool { return s.deadBefore[host] })
	}) {
		b.of(&h, d).ended = now
	}
}

// of returns what is kept of a host.
func (b *hostBoard) of(h *Host, d *descs) *downHost {
	key := downHostKey{h.Name, cmp.Or(h.ZoneLabel(), noAttribute)}
	if b.down[key] == nil {
		b.down[key] = &downHost{key: key, labels: exposition.NewLabels(d.hostDownSince.labels, h.Name, key.zone)}
	}
	return b.down[key]
}

// follow keeps which hosts are down, and which were within the last hour.
func (b *hostBoard) follow(found []Host, d *descs, now tracker.Instant) {
	isDown := map[downHostKey]bool{}
	for i := range found {
		if h := &found[i]; h.IsDown() {
			kept := b.of(h, d)
			kept.since, kept.ended = h.LastProof, tracker.Instant{}
			isDown[kept.key] = true
		}
	}
	for key, host := range b.down {
		switch {
		case isDown[key]:
		case host.ended.IsZero():
			host.ended = now
		case now.Sub(host.ended) >= tracker.EndedFor:
			delete(b.down, key)
		}
	}
}

// downSince returns servicegroup_host_down_since_timestamp_seconds.
func (b *hostBoard) downSince() []hostSample {
	var series []hostSample
	for _, key := range b.downKeys() {
		host := b.down[key]
		switch {
		case !host.ended.IsZero():
			series = append(series, hostSample{host.labels, 0})
		case host.since.IsZero():
			series = append(series, hostSample{host.labels, 1})
		default:
			series = append(series, hostSample{host.labels, timestamp(host.since)})
		}
	}
	return series
}

func (b *hostBoard) downKeys() []downHostKey {
	return slices.SortedFunc(maps.Keys(b.down), func(x, y downHostKey) int {
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.zone, y.zone))
	})
}

// gone returns series with a value of hosts that were down within the last hour and on which several services are no longer known.
// So the last value within an hour is never a death that has ended, as with [tracker.Decision].
func (b *hostBoard) gone(d *descs, value float64) []hostSample {
	var series []hostSample
	last := ""
	for _, key := range b.downKeys() {
		if b.labels[key.name] == nil && key.name != last {
			series = append(series, hostSample{exposition.NewLabels(d.hostUp.labels, key.name), value})
			last = key.name
		}
	}
	return series
}

// silentMembers returns servicegroup_host_silent_member_timestamp_seconds: of the members in service on hosts that are down.
func (d *descs) silentMembers(found []Host) []hostSample {
	var series []hostSample
	for i := range found {
		h := &found[i]
		for j := range h.Members {
			if m := &h.Members[j]; h.IsDown() && m.InService {
				labels := exposition.NewLabels(d.silentMember.labels, m.Source.LabelText(m.Binary), m.Group, h.Name, m.Name, m.Source.Source)
				series = append(series, hostSample{labels, timestamp(m.LastProof)})
			}
		}
	}
	return series
}

// causes returns servicegroup_member_down_cause.
func (d *descs) causes(found []Host) []hostSample {
	var series []hostSample
	for i := range found {
		for j := range found[i].Members {
			m := &found[i].Members[j]
			if m.Cause == "" {
				continue
			}
			for _, cause := range hosts.Causes() {
				labels := exposition.NewLabels(d.cause.labels, string(cause), m.Group, m.Name, m.Source.Source)
				series = append(series, hostSample{labels, oneIf(cause == m.Cause)})
			}
		}
	}
	return series
}

// hostFamilies returns the metrics of hosts.
func (c *Collector) hostFamilies(sources []*rendered) []exposition.Family {
	b, d := &c.hosts, c.env.descs
	b.mu.Lock()
	defer b.mu.Unlock()
	b.update(sources, d)
	now := c.env.clock()
	if b.down == nil {
		b.begin(*c.sources.Load(), c.Snapshots(), d, now)
	}
	var found []Host
	if b.anyDead {
		snapshots := c.Snapshots()
		found = Hosts(snapshots, HasDead(snapshots))
	}
	b.follow(found, d, now)
	return []exposition.Family{
		d.hostUp.family(inLists(b.up, b.gone(d, 1))),
		d.hostSuspected.family(inLists(b.suspected, b.gone(d, 0))),
		d.hostDownSince.family(inLists(b.downSince())),
		d.silentMember.family(inLists(d.silentMembers(found))),
		d.cause.family(inLists(d.causes(found))),
	}
}

func (d *descs) describeHosts() {
	host := []string{"host"}
	d.hostUp = metric{
		"servicegroup_host_up",
		"The host is down (0): at least two services on it are in service, at least one of them is down or suspected, and none of its " +
			"members reports. Otherwise 1. What was known of a source counts while it can't be read. Only hosts on which members of " +
			"two services are known have a series. Alert on == 0.", host,
	}
	d.hostSuspected = metric{
		"servicegroup_host_suspected",
		"The host is down by suspicion alone (1): none of its members is down by the rule of its service yet. Otherwise 0.", host,
	}
	d.hostDownSince = metric{
		"servicegroup_host_down_since_timestamp_seconds",
		"The host is down since the last proof of life of any of its members, at this time by this program's clock; 1 if none is " +
			"known. It is 0 for one hour after that has ended. Other hosts have no series. The label zone is the zone of its members " +
			"with the fewest hosts, - if they have none.",
		[]string{"host", "zone"},
	}
	d.silentMember = metric{
		"servicegroup_host_silent_member_timestamp_seconds",
		"The member is in service on a host that is down, and gave its last proof of life at this time by this program's clock; 0 if " +
			"none is known. Other members have no series.",
		[]string{"binary", "group", "host", "member", "source"},
	}
	d.cause = metric{
		"servicegroup_member_down_cause",
		"The member is in service and down, and this is why (1) or not (0). The label cause is process (another member on its host " +
			"reported later), host (the host is down) or unknown. Other members have no series.",
		[]string{"cause", "group", "member", "source"},
	}
}

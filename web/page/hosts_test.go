package page

import (
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts/bridge"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/web/api"
)

// machines returns snapshots of two services on 60 machines: of every sixth both are down, of every sixth one is, and of one, both are
// silent without being down. One more machine has one service.
func machines() []collector.Snapshot {
	now := time.Now()
	sources := []collector.Snapshot{{Source: "neutron", Readable: true}, {Source: "nova", Readable: true}}
	for i := range sources {
		s := &sources[i]
		s.Groups = []collector.GroupState{{Name: "of-" + s.Source}}
		add := func(host string, age time.Duration, state collector.State) *collector.MemberState {
			m := collector.MemberState{State: state, InService: true, DecidedDown: state == collector.Down, Host: host, Interval: 10 * time.Second}
			m.Group, m.Name, m.Zone, m.LastHeartbeat = "of-"+s.Source, host+".example.org", "<az>", now.Add(-age)
			if state == collector.Down {
				m.DownSince = m.LastHeartbeat
			}
			s.Members = append(s.Members, m)
			return &s.Members[len(s.Members)-1]
		}
		for n := range 60 {
			name := fmt.Sprintf("<m%02d>", n)
			switch {
			case n%6 == 0 || n%6 == 1 && i == 0:
				add(name, time.Duration(100+n)*time.Second, collector.Down)
			case n == 2:
				add(name, 15*time.Second, collector.Up).Late = true
			default:
				add(name, time.Second, collector.Up)
			}
		}
	}
	single := collector.MemberState{State: collector.Down, InService: true, DecidedDown: true, Host: "single", DownSince: now.Add(-time.Hour)}
	single.Group, single.Name = "z", "single:80"
	sources[1].Members = append(sources[1].Members, single)
	return sources
}

var hostName = regexp.MustCompile(`<td class="main"><a class="name" href="host\?host=[^"]*">([^<]*)</a>`)

// hostsOf returns the names on a page of the list of hosts.
func hostsOf(t *testing.T, h http.Handler, path string) (names []string, text string) {
	t.Helper()
	answer := get(t, h, path, nil)
	require.Equal(t, http.StatusOK, answer.Code, path)
	for _, match := range hostName.FindAllStringSubmatch(answer.Body.String(), -1) {
		names = append(names, html.UnescapeString(match[1]))
	}
	return names, answer.Body.String()
}

// Links lead through all hosts in every order, those that are down first.
func TestListOfHosts(t *testing.T) {
	h := newPages(t, Options{MetricsPath: "/metrics", Snapshots: machines})
	for order, want := range map[string]string{
		"":         "<m00> <m06>", // the latest deaths
		"-state":   "<m59> <m58>",
		"host":     "<m00> <m01>",
		"-host":    "single <m59>",
		"proof":    "<m01> <m03>",
		"-proof":   "single <m54>",
		"down":     "<m00> <m06>",
		"nonsense": "<m00> <m06>",
	} {
		names, _ := hostsOf(t, h, "/hosts?sort="+order)
		require.Len(t, names, pageSize, order)
		require.Equal(t, want, strings.Join(names[:2], " "), order)
	}
	names, text := hostsOf(t, h, "/hosts?sort=host")
	require.Contains(t, text, `<title>(10 down) Hosts · Service groups</title>`)
	require.Contains(t, text, `<h1 id="title">10 hosts are down</h1>`)
	require.Contains(t, text, "<p>2 hosts are unknown: no member there reports")
	require.Contains(t, text, `<th scope="col" aria-sort="ascending"><a href="hosts?sort=-host">Host</a></th>`)
	require.Contains(t, text, `<a href="hosts?sort=proof">Last proof of life</a>`)
	require.Contains(t, text, "1 to 50 of 61")
	require.Contains(t, text, `<a href="hosts?page=2&amp;sort=host">Next</a>`)
	require.NotContains(t, text, "Previous")
	more, text := hostsOf(t, h, "/hosts?sort=host&page=2")
	require.Contains(t, text, `<a href="hosts?page=1&amp;sort=host">Previous</a>`)
	require.Len(t, append(names, more...), 61)
	require.Contains(t, text, `<a href="hosts?sort=host&amp;state=down">Down <b>10</b></a>`, "a filter begins at the first page")

	for query, want := range map[string]int{
		"state=down": 10, "state=unknown": 2, "state=up": 49, "state=x": 50, "q=M1": 10, "q=none": 0, "zone=%3Caz%3E&state=unknown": 1, "zone=z": 0, "page=99": 11,
	} {
		names, text := hostsOf(t, h, "/hosts?"+query)
		require.Len(t, names, want, query)
		require.Equal(t, want == 0, strings.Contains(text, "No host matches."), query)
	}
	_, text = hostsOf(t, h, "/hosts?zone=%3Caz%3E")
	require.Contains(t, text, `<a href="hosts">Zone &lt;az&gt;: show all zones</a>`)
}

// The row of a host says how sure it is, and which process died on a host that is up.
func TestNotesOnHosts(t *testing.T) {
	now := machines()
	h := newPages(t, Options{MetricsPath: "/metrics", Snapshots: func() []collector.Snapshot { return now }})
	row := func(name string) string {
		t.Helper()
		_, text := hostsOf(t, h, "/hosts?q="+name)
		return regexp.MustCompile(`(?s)<tbody>.*</tbody>`).FindString(text)
	}
	require.Contains(t, row("m00"), `<tr class="down">`)
	require.Contains(t, row("m00"), `<span class="certainty">confirmed</span>`)
	require.Contains(t, row("m00"), `data-prefix="" data-suffix=" ago">1m 40s ago</time>`)
	require.Contains(t, row("m00"), `<td class="number">2 of 2 down</td>`)
	require.Contains(t, row("m01"), `<td class="number">1 of 2 down</td>`)
	require.Contains(t, row("m01"), `<td class="notes">of-neutron: process died, host reports</td>`)
	require.Contains(t, row("m02"), `<td class="notes">no member reports</td>`)
	require.Contains(t, row("single"), `<tr class="unknown">`)
	require.Contains(t, row("single"), `<td class="notes">z: down</td>`)

	for i := range now {
		m := &now[i].Members[6]
		m.State, m.DecidedDown, m.Suspected, m.DownSince = collector.Up, false, true, time.Time{}
	}
	now[0].Readable = false
	require.Contains(t, row("m06"), `<span class="certainty">suspected</span>`)
	require.Contains(t, row("m06"), "partly old: a source can&#39;t be read")
}

// The page of a host has its members, and links to them and back.
func TestPageOfAHost(t *testing.T) {
	now := machines()
	h := newPages(t, Options{MetricsPath: "/metrics", Snapshots: func() []collector.Snapshot { return now }})
	page := func(name string) string {
		t.Helper()
		answer := get(t, h, "/host?host="+name, nil)
		require.Equal(t, http.StatusOK, answer.Code, name)
		return answer.Body.String()
	}
	text := page("%3Cm00%3E")
	require.Contains(t, text, `<h1 class="name" id="title">&lt;m00&gt;</h1>`)
	require.Contains(t, text, `<title>&lt;m00&gt; · Hosts</title>`)
	require.Contains(t, text, `<span>down</span></span>, confirmed · last proof of life`)
	require.Contains(t, text, `<a href="hosts?zone=%3Caz%3E">&lt;az&gt;</a>`)
	require.Contains(t, text, `<a class="name" href="member?group=of-nova&amp;member=%3Cm00%3E.example.org&amp;source=nova">&lt;m00&gt;.example.org</a>`)
	require.Contains(t, text, `<td class="number">nova / of-nova</td>`)
	require.Contains(t, text, `<td class="notes">host down <a href="runbooks/ServiceGroupMemberDown">Runbook</a></td>`)
	require.Contains(t, text, `<a href="runbooks/ServiceGroupHostDown">Runbook: a host is down</a>`)
	require.NotContains(t, page("%3Cm01%3E"), "ServiceGroupHostDown")
	require.Contains(t, page("%3Cm01%3E"), `<td class="notes">process died, host reports <a`)
	require.Contains(t, page("%3Cm02%3E"), "No member reports, and nothing shows that the machine is down.")

	member := get(t, h, "/member?source=nova&group=of-nova&member=%3Cm00%3E.example.org", nil).Body.String()
	require.Contains(t, member, `<a href="host?host=%3Cm00%3E">Host &lt;m00&gt;</a>`)
	require.Contains(t, member, "<dt>Cause</dt><dd>host down</dd>")
	list := get(t, h, "/?q=m01", nil).Body.String()
	require.Contains(t, list, `<a href="host?host=%3Cm01%3E">process died, host reports</a>`)

	for path, want := range map[string]string{
		"/host?host=%3Cgone%3E": "There is no host &lt;gone&gt;.",
		"/host":                 "The address names no host: it needs the parameter host.",
		"/host?x=y":             "The address names no host: it needs the parameter host.",
	} {
		answer := get(t, h, path, nil)
		require.Equal(t, http.StatusNotFound, answer.Code, path)
		require.Contains(t, answer.Body.String(), want, path)
		require.Contains(t, answer.Body.String(), `<a href="./hosts">All hosts</a>`, path)
	}
	now[0].Readable = false
	const runbook = `<a href="runbooks/ServiceGroupSourceUnreachable">Runbook: a source can't be read</a>`
	require.Contains(t, page("%3Cm00%3E"), runbook)
	require.Contains(t, page("gone"), runbook)
	require.NotContains(t, text, runbook)
	require.Contains(t, page("gone"), "There is no data about this host. A source that may have it can&#39;t be read.")
}

// The summary says how many hosts are down or unknown.
func TestSummaryOfHosts(t *testing.T) {
	member := func(group, host string, down bool) collector.MemberState {
		m := collector.MemberState{State: collector.Up, InService: true, Host: host}
		if m.Group = group; down {
			m.State, m.DecidedDown, m.DownSince = collector.Down, true, time.Now()
		}
		return m
	}
	for want, members := range map[string][]collector.MemberState{
		`<h1 id="title">There are no hosts yet</h1>`:                            nil,
		`<h1 id="title">No host is down (1 host)</h1>`:                          {member("a", "h", false)},
		`<h1 id="title">1 host is unknown</h1>`:                                 {member("a", "h", true)},
		`<h1 id="title">1 host is down</h1>`:                                    {member("a", "h", true), member("b", "h", true), member("a", "i", false), member("b", "i", false)},
		`<p>Most hosts are down. Suspect the backend, the network or the power`: {member("a", "h", true), member("b", "h", true)},
	} {
		h := newPages(t, Options{MetricsPath: "/metrics", Snapshots: func() []collector.Snapshot {
			return []collector.Snapshot{{Source: "s", Readable: true, Members: members}}
		}})
		require.Contains(t, get(t, h, "/hosts", nil).Body.String(), want)
	}
}

// Durations are as in format.js.
func TestDurations(t *testing.T) {
	for seconds, want := range map[float64]string{
		-3: "0s", 0.4: "0s", 59.4: "59s", 59.6: "1m", 200: "3m 20s", 3*3600 + 59: "3h", 86400 + 7200 + 60: "1d 2h",
	} {
		require.Equal(t, want, duration(time.Duration(seconds*float64(time.Second))))
	}
	for seconds, want := range map[float64]string{
		0: "0ms", 0.0004: "0ms", 0.2: "200ms", 0.9996: "1s", 1: "1s", 2.14: "2.1s", 9.94: "9.9s", 9.96: "10s", 59.4: "59s", 200: "3m 20s",
	} {
		require.Equal(t, want, measured(time.Duration(seconds*float64(time.Second))))
	}
}

// The pages say whether hosts answer, where Prometheus is asked. Of members, only those that are down say it.
func TestHostAnswers(t *testing.T) {
	answers := func(host string) string { return map[string]string{"<m00>": "no", "<m01>": "yes"}[host] + "?" }
	asked := newPages(t, Options{MetricsPath: "/metrics", Snapshots: machines, Alerts: firing{answers: answers}})
	unasked := newPages(t, Options{MetricsPath: "/metrics", Snapshots: machines, Alerts: firing{}})
	const member = "/member?source=nova&group=of-nova&member=%3Cm00%3E.example.org"
	for path, want := range map[string]string{
		"/hosts?q=m00":         `<td class="answers">no?</td>`,
		"/hosts?q=m05":         `<td class="answers">?</td>`,
		"/host?host=%3Cm00%3E": " · host answers: no?",
		"/?q=m01":              "process died, host reports</a> (host answers: yes?)",
		member:                 "<dt>Host answers</dt><dd>no?</dd>",
	} {
		require.Contains(t, get(t, asked, path, nil).Body.String(), want, path)
		require.NotContains(t, strings.ToLower(get(t, unasked, path, nil).Body.String()), "host answers", path)
	}
	require.Contains(t, get(t, asked, "/hosts", nil).Body.String(), `<th scope="col">Host answers</th>`)
	require.NotContains(t, get(t, asked, strings.Replace(member, "m00", "m03", 1), nil).Body.String(), "Host answers", "it is up")
	require.NotContains(t, get(t, asked, "/hosts?q=none", nil).Body.String(), "Host answers", "there is no host to ask for")
}

// The page of a host has, without JavaScript too, the alerts about it and its members, and the events of these.
func TestNewsOfAHost(t *testing.T) {
	at := time.Date(2026, 11, 28, 22, 31, 5, 0, time.UTC)
	member := func(name string) drivers.Member { return drivers.Member{Group: "of-nova", Name: name} }
	history := api.NewHistory(pastEvents{
		{ID: 1, Time: at, Type: collector.EventDeath, Source: "nova", Member: member("<m00>.example.org")},
		{ID: 2, Time: at, Type: collector.EventJoin, Source: "nova", Member: member("<m03>.example.org")},
		{ID: 3, Time: at, Type: collector.EventSourceLost, Source: "nova"},
	})
	one, other := about("of-nova", "<m00>"), about("of-nova", "<m03>")
	one.ID.Host, other.ID.Host = "<m00>", "<m03>"
	h := newPages(t, Options{MetricsPath: "/metrics", Snapshots: machines, History: history, Alerts: firing{alerts: []bridge.FiringAlert{one, other}}})
	text := get(t, h, "/host?host=%3Cm00%3E", nil).Body.String()
	require.Contains(t, text, "death: source nova, group of-nova, member &lt;m00&gt;.example.org</li>")
	require.Contains(t, text, "critical: &lt;&lt;m00&gt;&gt; is down")
	require.NotContains(t, text, "join: ")
	require.NotContains(t, text, "source_lost")
	require.NotContains(t, text, "&lt;&lt;m03&gt;&gt; is down")
	require.Contains(t, text, `<div class="columns" id="news" hidden>`)
	require.Contains(t, text, `<ol class="events" id="events">`)
}

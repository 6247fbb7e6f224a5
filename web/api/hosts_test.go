package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/alerts/alertmanager"
	"servicegroup_exporter/alerts/bridge"
	"servicegroup_exporter/drivers"
)

type hostsAnswer struct {
	Version int         `json:"version"`
	Summary hostSummary `json:"summary"`
	Total   int         `json:"total"`
	Hosts   []Host      `json:"hosts"`
}

// hosts requests hosts, and returns the answer.
func (b *bench) hosts(query string) (answer hostsAnswer) {
	b.t.Helper()
	decode(b.t, b.ok("/api/v1/hosts?"+query), &answer)
	return answer
}

// names returns the names of hosts in the order of the answer, and how many there are.
func (a hostsAnswer) names() string {
	var names strings.Builder
	for _, h := range a.Hosts {
		fmt.Fprint(&names, h.Host, " ")
	}
	return fmt.Sprintf("%sof %d", names.String(), a.Total)
}

// agent returns a member of another service on the same machines as [beat], which knows their domain.
func agent(name string, isUp bool, at time.Time) drivers.Member {
	return drivers.Member{
		Group: "agent", Name: name + ".example.org", Binary: "neutron-agent", Zone: "nova", Up: isUp, LastHeartbeat: at, Rostered: true,
		Enabled: drivers.FlagYes,
	}
}

// A machine dies: first it is suspected, then confirmed, and what was known of a source counts while it can't be read.
func TestHosts(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBench(t, "neutron", "suspicious")
		died := time.Now().Add(50 * time.Second)
		step := func(wait time.Duration) {
			t.Helper()
			time.Sleep(wait)
			now := time.Now()
			last, old := now, now.After(died)
			if old {
				last = died
			}
			isUp := now.Sub(last) < time.Minute
			b.sources["neutron"].has(agent("c1", isUp, last), agent("c2", true, now))
			b.sources["suspicious"].has(beat("c1", isUp, last), beat("c2", true, now), up("web", "w1"))
			b.pollIn(0)
		}
		require.JSONEq(t, `{"version": 1, "now": "2000-01-01T00:00:00Z", "summary": {
			"hosts": {"total": 0, "up": 0, "down": 0, "unknown": 0, "suspected": 0, "with_several_services": 0},
			"most_hosts_down": false, "mass_failure": false, "suspicion_suspended": false, "heartbeats_stalled": false, "all_sources_current": false,
			"sources": [
				{"source": "neutron", "current": false, "last_success": null, "age_seconds": null, "members_in_service": 0, "members_down": 0,
				"members_suspected": 0, "mass_failure": false, "suspicion_suspended": false, "heartbeats_stalled": false},
				{"source": "suspicious", "current": false, "last_success": null, "age_seconds": null, "members_in_service": 0, "members_down": 0,
				"members_suspected": 0, "mass_failure": false, "suspicion_suspended": false, "heartbeats_stalled": false}]},
			"total": 0, "hosts": []}`, b.ok("/api/v1/hosts"))

		for range 6 {
			step(10 * time.Second)
		}
		answer := b.hosts("")
		require.Equal(t, "c1 c2 w1 of 3", answer.names())
		require.Equal(t, hostCount{Total: 3, Up: 3, Known: 2}, answer.Summary.Hosts)

		// It is suspected by one member, and the other is late.
		step(7 * time.Second)
		require.Equal(t, "c1 of 1", b.hosts("state=unknown").names(), "nothing on it reports, and nothing is suspected yet")
		step(10 * time.Second)
		answer = b.hosts("state=down&certainty=suspected")
		require.Equal(t, "c1 of 1", answer.names())
		require.Equal(t, hostCount{Total: 3, Up: 2, Down: 1, Suspected: 1, Known: 2}, answer.Summary.Hosts)
		require.Equal(t, 1, answer.Summary.Sources[1].Suspected)
		text, err := json.Marshal(answer.Hosts[0])
		require.NoError(t, err)
		require.JSONEq(t, `{"host": "c1", "zone": "az1", "state": "down", "certainty": "suspected", "retained": false,
			"last_proof_of_life": "2000-01-01T00:00:50Z", "members": [
			{"source": "neutron", "group": "agent", "member": "c1.example.org", "binary": "neutron-agent", "zone": "nova", "state": "up",
			"in_service": true, "down": false, "suspected": false, "silent": true, "last_proof_of_life": "2000-01-01T00:00:50Z"},
			{"source": "suspicious", "group": "compute", "member": "c1", "binary": "nova-compute", "zone": "az1", "state": "up",
			"in_service": true, "down": false, "suspected": true, "silent": true, "last_proof_of_life": "2000-01-01T00:00:50Z"}]}`, string(text))

		b.sources["suspicious"].fail()
		b.pollIn(time.Second)
		answer = b.hosts("host=c1")
		require.True(t, answer.Hosts[0].Retained)
		require.Equal(t, "suspected", string(answer.Hosts[0].Certainty))
		require.False(t, answer.Summary.AllSourcesCurrent)
		require.Equal(t, "c1 w1 c2 of 3", b.hosts("").names(), "nothing shows that w1 lives")

		step(40 * time.Second)
		answer = b.hosts("certainty=confirmed")
		require.Equal(t, "c1 of 1", answer.names())
		require.Equal(t, "host", string(answer.Hosts[0].Members[0].Cause))
		require.False(t, answer.Hosts[0].Retained)
		require.Contains(t, b.ok("/api/v1/member?group=agent&member=c1.example.org"), `"host":"c1","state":"down","in_service":true,"down":true,"cause":"host"`)

		died = time.Now().Add(time.Hour)
		step(time.Second)
		require.Equal(t, "c1 c2 w1 of 3", b.hosts("").names())
	})
}

// The process of a member died, and its host did not. The API says so wherever it has the member.
func TestCauseOfADeath(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBench(t, "nova", "neutron")
		begin := time.Now()
		b.sources["nova"].has(beat("c1", true, begin))
		b.sources["neutron"].has(agent("c1", true, begin))
		b.pollIn(0)
		time.Sleep(2 * time.Minute)
		b.sources["nova"].has(beat("c1", false, begin))
		b.sources["neutron"].has(agent("c1", true, time.Now()))
		b.pollIn(0)
		const process = `"down":true,"cause":"process"`
		require.Contains(t, b.ok("/api/v1/member?group=compute&member=c1"), process)
		require.Contains(t, b.ok("/api/v1/members?source=nova"), process, "another source shows it")
		require.NotContains(t, b.ok("/api/v1/members?source=neutron"), "cause")
		answer := b.hosts("")
		require.Equal(t, "up", answer.Hosts[0].State)
		require.Equal(t, "process", string(answer.Hosts[0].Members[1].Cause))
	})
}

// The summary has the reasons for which the death of a host should not be believed.
func TestHostSummary(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBench(t, "nova", "suspicious")
		has := func(last time.Time, isUp bool) {
			var nova, neutron []drivers.Member
			for i := range 6 {
				name := fmt.Sprintf("c%d", i)
				at := time.Now()
				if i < 4 {
					at = last
				}
				nova = append(nova, beat(name, isUp || i >= 4, at))
				neutron = append(neutron, agent(name, isUp || i >= 4, at))
			}
			b.sources["nova"].has(append(nova, beat("d", isUp, last))...)
			b.sources["suspicious"].has(neutron...)
		}
		for range 6 {
			time.Sleep(10 * time.Second)
			has(time.Now(), true)
			b.pollIn(0)
		}
		last := time.Now()
		time.Sleep(20 * time.Second)
		has(last, true)
		b.pollIn(0)
		summary := b.hosts("").Summary
		require.True(t, summary.SuspicionSuspended, "two thirds are late at once")
		require.True(t, summary.Sources[1].SuspicionSuspended)
		require.Zero(t, summary.Hosts.Down)
		require.Equal(t, 5, summary.Hosts.Unknown)

		time.Sleep(time.Minute)
		has(last, false)
		b.pollIn(0)
		summary = b.hosts("limit=0").Summary
		require.Equal(t, hostCount{Total: 7, Up: 2, Down: 4, Unknown: 1, Known: 6}, summary.Hosts)
		require.True(t, summary.MostHostsDown)
		require.True(t, summary.MassFailure)
		require.True(t, summary.Sources[0].MassFailure)
		require.False(t, summary.Sources[1].MassFailure, "4 of 6")
		require.Equal(t, decisions{InService: 7, Down: 5}, summary.Sources[0].decisions)

		time.Sleep(10 * time.Minute)
		require.Equal(t, 7, b.hosts("").Summary.Hosts.Unknown+b.hosts("").Summary.Hosts.Down, "no source was read recently")
		require.False(t, b.hosts("").Summary.AllSourcesCurrent)
	})
}

func TestFiltersOfHosts(t *testing.T) {
	b := newBench(t, "a", "b")
	b.sources["a"].has(beat("c1", false, time.Time{}), beat("c2", true, time.Now()), beat("c3", true, time.Now()), down("web", "w1:80"), down("web", "w1:81"))
	b.sources["b"].has(agent("c1", false, time.Time{}), agent("c3", true, time.Now()))
	b.poll()
	for query, want := range map[string]string{
		"":                                   "c1 w1 c2 c3 of 4",
		"host=c2":                            "c2 of 1",
		"host=c":                             "of 0",
		"zone=az1":                           "c2 of 1",
		"zone=nova":                          "c1 c3 of 2",
		"state=down":                         "c1 w1 of 2",
		"state=up&q=C":                       "c2 c3 of 2",
		"state=unknown":                      "of 0",
		"certainty=confirmed":                "c1 w1 of 2",
		"certainty=suspected":                "of 0",
		"q=example.org":                      "c1 c3 of 2",
		"q=%3A81":                            "w1 of 1",
		"limit=2":                            "c1 w1 of 4",
		"limit=2&offset=3":                   "c3 of 4",
		"offset=9":                           "of 4",
		"limit=0":                            "of 4",
		"state=down&limit=1":                 "c1 of 2",
		"limit=9223372036854775807&offset=1": "w1 c2 c3 of 4",
	} {
		answer := b.hosts(query)
		require.Equal(t, want, answer.names(), query)
		require.Equal(t, 4, answer.Summary.Hosts.Total, query)
	}
	for query, want := range map[string]string{
		"state=dead":      `"dead" is not one of up, down, unknown`,
		"certainty=maybe": `"maybe" is not one of suspected, confirmed`,
		"limit=-1":        "is not a non-negative integer",
		"offset=x":        "is not a non-negative integer",
		"source=a":        "unknown parameter",
	} {
		status, body := b.get("/api/v1/hosts?" + query)
		require.Equal(t, http.StatusBadRequest, status)
		var answer struct{ Error string }
		decode(t, body, &answer)
		require.Contains(t, answer.Error, want)
	}
}

// An answer has no more hosts than it was asked for: without a limit, a thousand, those that are down first.
func TestManyHosts(t *testing.T) {
	b := newBench(t, "a")
	var members []drivers.Member
	for i := range 3000 {
		members = append(members, up("g", fmt.Sprintf("c%d", i)), up("h", fmt.Sprintf("c%d", i)))
	}
	members = append(members, down("g", "last"), down("h", "last"))
	b.sources["a"].has(members...)
	b.poll()
	answer := b.hosts("")
	require.Len(t, answer.Hosts, defaultHosts)
	require.Equal(t, 3001, answer.Total)
	require.Equal(t, "last", answer.Hosts[0].Host)
}

// The JSON Schema is what the OpenAPI file has of the answer, in words of its own, and open for properties that are added later.
func TestHostsSchema(t *testing.T) {
	b := newBench(t)
	w := b.do(http.MethodGet, "/api/v1/hosts.schema.json", nil)
	require.Equal(t, schemaType, w.Header().Get("Content-Type"))
	var schema struct {
		Schema     string            `json:"$schema"`
		ID         string            `json:"$id"`
		Properties map[string]object `json:"properties"`
		Defs       map[string]object `json:"$defs"`
	}
	decode(t, string(unzip(t, w)), &schema)
	require.Equal(t, "https://json-schema.org/draft/2020-12/schema", schema.Schema)
	require.Equal(t, "urn:servicegroup-exporter:hosts:1", schema.ID)
	require.Equal(t, object{"type": "array", "items": object{"$ref": "#/$defs/Host"}}, schema.Properties["hosts"])
	require.Equal(t, []any{"string", "null"}, schema.Defs["Host"]["properties"].(object)["last_proof_of_life"].(object)["type"])
	text := w.Body.String()
	require.NotContains(t, string(unzip(t, w)), "additionalProperties")
	require.NotContains(t, text, "nullable")
	doc, err := loadSpecification()
	require.NoError(t, err)
	for name := range maps.Keys(schema.Defs) {
		require.Contains(t, doc.Components.Schemas, name)
	}
	w = b.do(http.MethodGet, "/api/v1/host-down-webhook.schema.json", nil)
	decode(t, string(unzip(t, w)), &schema)
	require.Equal(t, "urn:servicegroup-exporter:host-down-webhook:1", schema.ID)
}

// Where Prometheus is asked, the answers say whether hosts answer: of members, only of those that are down.
func TestHostAnswers(t *testing.T) {
	b := newBench(t, "nova")
	b.sources["nova"].has(down("compute", "c1"), up("compute", "c2"), drivers.Member{Group: "off", Name: "c1", Rostered: true, Enabled: drivers.FlagNo})
	b.poll()
	for _, path := range []string{"/api/v1/hosts", "/api/v1/members", "/api/v1/member?group=compute&member=c1"} {
		require.NotContains(t, b.ok(path), "host_answers")
	}
	b.alerts.answers = func(host string) string { return map[string]string{"c1": "no", "c2": "yes"}[host] }
	answers := map[string]string{}
	for _, h := range b.hosts("").Hosts {
		answers[h.Host] = h.Answers
	}
	require.Equal(t, map[string]string{"c1": "no", "c2": "yes"}, answers)
	var all membersAnswer
	decode(t, b.ok("/api/v1/members"), &all)
	answers = map[string]string{}
	for i := range all.Members {
		m := &all.Members[i]
		answers[m.Group+" "+m.Member] = m.HostAnswers
	}
	require.Equal(t, map[string]string{"compute c1": "no", "compute c2": "", "off c1": ""}, answers)
	require.Contains(t, b.ok("/api/v1/member?group=compute&member=c1"), `"host_answers":"no"`)
}

// The alerts and events of a host are those about it and about the members on it.
func TestNewsOfAHost(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBench(t, "nova", "neutron")
		b.sources["nova"].has(up("compute", "c1"), up("compute", "c2"))
		b.sources["neutron"].has(agent("c1", true, time.Now()), agent("c2", true, time.Now()))
		b.pollIn(0)
		b.sources["nova"].has(down("compute", "c1"), down("compute", "c2"))
		b.sources["neutron"].has(agent("c1", false, time.Now()), agent("c2", true, time.Now()))
		b.pollIn(time.Second)
		b.sources["neutron"].fail()
		b.pollIn(time.Second)
		var events eventsAnswer
		decode(t, b.ok("/api/v1/events?host=c1"), &events)
		var died []string
		for _, e := range events.Events {
			died = append(died, fmt.Sprint(e.Event, " ", e.Member))
		}
		require.ElementsMatch(t, []string{"death c1", "death c1.example.org"}, died)
		decode(t, b.ok("/api/v1/events?host=c1&source=nova"), &events)
		require.Len(t, events.Events, 1)
		decode(t, b.ok("/api/v1/events?host=gone"), &events)
		require.Empty(t, events.Events)

		host := alerts.ID{Alert: alerts.HostDown, Host: "c1"}
		member := alerts.ID{Alert: alerts.MemberDown, Source: "neutron", Group: "agent", Member: "c1.example.org", Host: "c1"}
		b.alerts.has(bridge.Place{Status: alertmanager.Status{Delivery: alertmanager.Delivered}}, host, member, alerts.ID{Alert: alerts.MemberDown, Source: "nova", Group: "compute", Member: "c2", Host: "c2"})
		var answer alertsAnswer
		decode(t, b.ok("/api/v1/alerts?host=c1"), &answer)
		require.Equal(t, 2, answer.Total)
		require.Equal(t, []string{alerts.HostDown, alerts.MemberDown}, []string{answer.Alerts[0].Runbook, answer.Alerts[1].Runbook})
	})
}

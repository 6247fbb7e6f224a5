package api

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func unzip(t testing.TB, w *httptest.ResponseRecorder) []byte {
	t.Helper()
	if w.Header().Get("Content-Encoding") != "gzip" {
		return w.Body.Bytes()
	}
	unzipper, err := gzip.NewReader(w.Result().Body)
	require.NoError(t, err)
	return []byte(read(t, unzipper))
}

// beat returns a member as Nova's table has it.
func beat(name string, isUp bool, at time.Time) drivers.Member {
	return drivers.Member{
		Group: "compute", Name: name, Binary: "nova-compute", Zone: "az1", Up: isUp, LastHeartbeat: at, Rostered: true,
		Enabled: drivers.FlagYes, ForcedDown: drivers.FlagNo, UUID: "uuid of " + name, Version: "66",
	}
}

// The answers from the first poll on: with a death, a member that is forced down, and an unreachable backend.
func TestAnswers(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBench(t, "nova")
		require.JSONEq(t, `{"now": "2000-01-01T00:00:00Z", "sources": [{"source": "nova", "driver": "fake", "schema": "", "layout": "", "backend": "", "up": false,
			"last_attempt": null, "last_success": null, "age_seconds": null, "poll_duration_seconds": 0, "heartbeat_timeout_seconds": 0, "heartbeats_stalled": false, "mass_failure": false, "stale": false, "rejected": 0, "long_names": 0,
			"members": {"up": 0, "down": 0, "unknown": 0, "out_of_service": 0}, "members_in_service": 0, "members_down": 0, "problems": []}]}`, b.ok("/api/v1/sources"))
		require.JSONEq(t, `{"total": 0, "members": []}`, b.ok("/api/v1/members"))
		require.JSONEq(t, `{"events": []}`, b.ok("/api/v1/events"))

		begin := time.Now()
		b.sources["nova"].has(beat("c1", true, begin), beat("c2", true, begin), up("web", "w1"))
		b.pollIn(0)
		forced := beat("c2", false, begin)
		forced.ForcedDown, forced.Enabled, forced.DisabledReason = drivers.FlagYes, drivers.FlagNo, `says "no"`
		b.sources["nova"].has(beat("c1", false, begin), forced, up("web", "w1"))
		b.pollIn(65 * time.Second)
		time.Sleep(3 * time.Second)

		require.JSONEq(t, `{"now": "2000-01-01T00:01:08Z", "sources": [{"source": "nova", "driver": "fake", "schema": "", "layout": "", "backend": "fake 1", "up": true,
			"last_attempt": "2000-01-01T00:01:05Z", "last_success": "2000-01-01T00:01:05Z", "age_seconds": 3,
			"poll_duration_seconds": 0, "heartbeat_timeout_seconds": 60, "heartbeats_stalled": false, "mass_failure": false, "stale": false, "rejected": 0, "long_names": 0, "clock_offset_seconds": 0,
			"members": {"up": 1, "down": 1, "unknown": 0, "out_of_service": 1}, "members_in_service": 2, "members_down": 1, "problems": []}]}`, b.ok("/api/v1/sources"))
		require.JSONEq(t, `{"groups": [
			{"source": "nova", "group": "compute", "up": 0, "down": 1, "unknown": 0, "out_of_service": 1,
			"members_in_service": 1, "members_down": 1, "known": true, "last_known": "2000-01-01T00:01:05Z"},
			{"source": "nova", "group": "web", "up": 1, "down": 0, "unknown": 0, "out_of_service": 0,
			"members_in_service": 1, "members_down": 0, "known": true, "last_known": "2000-01-01T00:01:05Z"}]}`, b.ok("/api/v1/groups"))

		c1 := `{"source": "nova", "group": "compute", "member": "c1", "binary": "nova-compute", "zone": "az1", "host": "c1", "state": "down",
			"in_service": true, "down": true, "cause": "unknown",
			"since": "2000-01-01T00:00:00Z", "since_known": true, "last_heartbeat": "2000-01-01T00:00:00Z", "heartbeat_age_seconds": 65, "enabled": true, "forced_down": false,
			"disabled_reason": "", "uuid": "uuid of c1", "version": "66", "transitions": 1, "suspected": false, "not_suspected": "off"}`
		c2 := `{"source": "nova", "group": "compute", "member": "c2", "binary": "nova-compute", "zone": "az1", "host": "c2", "state": "down",
			"in_service": false, "down": false,
			"since": "2000-01-01T00:01:05Z", "since_known": true, "last_heartbeat": "2000-01-01T00:00:00Z", "heartbeat_age_seconds": 65, "enabled": false, "forced_down": true,
			"fenced": false, "disabled_reason": "says \"no\"", "uuid": "uuid of c2", "version": "66", "transitions": 0, "suspected": false, "not_suspected": "off"}`
		w1 := `{"source": "nova", "group": "web", "member": "w1", "binary": "", "zone": "", "host": "w1", "state": "up",
			"in_service": true, "down": false, "since": "2000-01-01T00:00:00Z", "disabled_reason": "", "uuid": "", "version": "", "transitions": 0, "suspected": false, "not_suspected": "off"}`
		require.JSONEq(t, `{"total": 3, "members": [`+c1+","+c2+","+w1+`]}`, b.ok("/api/v1/members"))

		death := `{"id": 946684800000001, "time": "2000-01-01T00:01:05Z", "event": "death", "source": "nova", "group": "compute",
			"member": "c1", "binary": "nova-compute", "zone": "az1", "latency_seconds": 65}`
		force := `{"id": 946684800000002, "time": "2000-01-01T00:01:05Z", "event": "forced_down", "source": "nova",
			"group": "compute", "member": "c2", "binary": "nova-compute", "zone": "az1"}`
		require.JSONEq(t, `{"events": [`+force+","+death+`]}`, b.ok("/api/v1/events"))
		require.JSONEq(t, `{"member": `+c1+`, "events": [`+death+`]}`, b.ok("/api/v1/member?group=compute&member=c1"))
		require.Contains(t, b.ok("/api/v1/detection"), `"group":"compute","count":1,"sum_seconds":65,"buckets":[{"le":0.1,"count":0}`)
		require.Contains(t, b.ok("/api/v1/detection?group=compute"), `{"le":60,"count":0},{"le":75,"count":1}`)
		require.JSONEq(t, `{"detection": []}`, b.ok("/api/v1/detection?group=none"))

		b.sources["nova"].fail()
		b.pollIn(2 * time.Second)
		require.JSONEq(t, `{"now": "2000-01-01T00:01:10Z", "sources": [{"source": "nova", "driver": "fake", "schema": "", "layout": "", "backend": "fake 1", "up": false,
			"error": "connection refused", "reason": "connect",
			"last_attempt": "2000-01-01T00:01:10Z", "last_success": "2000-01-01T00:01:05Z", "age_seconds": 5,
			"poll_duration_seconds": 0, "heartbeat_timeout_seconds": 60, "heartbeats_stalled": false, "mass_failure": false, "stale": false, "rejected": 0, "long_names": 0, "clock_offset_seconds": 0,
			"members": {"up": 0, "down": 0, "unknown": 2, "out_of_service": 1}, "members_in_service": 2, "members_down": 1, "problems": []}]}`, b.ok("/api/v1/sources"))
		require.JSONEq(t, `{"events": [{"id": 946684800000003, "time": "2000-01-01T00:01:10Z", "event": "source_lost",
			"source": "nova", "error": "connection refused"}]}`, b.ok("/api/v1/events?limit=1"))
		require.Contains(t, b.ok("/api/v1/member?group=compute&member=c1"), `"state":"unknown","in_service":true,"down":true`)
		require.Contains(t, b.ok("/api/v1/groups"), `"members_in_service":1,"members_down":1,"known":false,"last_known":"2000-01-01T00:01:05Z"`)
	})
}

func TestFilters(t *testing.T) {
	b := newBench(t, "a", "b")
	disabled := up("web", "w2")
	disabled.DisabledReason = "Ärger im Rack"
	b.sources["a"].has(up("web", "w1"), disabled, down("db", "d1"))
	b.sources["b"].has(up("web", "w1"), up("web", "w3"))
	b.poll()
	for query, want := range map[string]string{
		"":                          "d1 w1 w2 w1 w3 of 5",
		"source=a":                  "d1 w1 w2 of 3",
		"group=web":                 "w1 w2 w1 w3 of 4",
		"state=down":                "d1 of 1",
		"state=up&source=a":         "w1 w2 of 2",
		"state=unknown":             "of 0",
		"q=W1":                      "w1 w1 of 2",
		"q=db":                      "d1 of 1",
		"q=%C3%A4rger":              "w2 of 1",
		"q=%25":                     "of 0",
		"limit=2":                   "d1 w1 of 5",
		"limit=0":                   "of 5",
		"limit=2&offset=4":          "w3 of 5",
		"offset=99":                 "of 5",
		"limit=9223372036854775807": "d1 w1 w2 w1 w3 of 5",
		"source=&group=&q=":         "d1 w1 w2 w1 w3 of 5",
	} {
		t.Run(query, func(t *testing.T) {
			var answer membersAnswer
			decode(t, b.ok("/api/v1/members?"+query), &answer)
			var got []string
			for _, m := range answer.Members {
				got = append(got, m.Member)
			}
			got = append(got, fmt.Sprintf("of %d", answer.Total))
			require.Equal(t, want, strings.Join(got, " "))
		})
	}
	require.NotContains(t, b.ok("/api/v1/groups?source=a"), `"b"`)
}

func TestBadRequests(t *testing.T) {
	b := newBench(t, "a", "b")
	b.sources["a"].has(up("web", "w1"))
	b.sources["b"].has(up("web", "w1"))
	b.poll()
	for path, want := range map[string]string{
		"/api/v1/sources?x=1":                         `400 unknown parameter "x": this path has no parameters`,
		"/api/v1/groups?sources=a":                    `400 unknown parameter "sources": the parameters of this path are source; did you mean "source"?`,
		"/api/v1/members?state=dead":                  `400 parameter "state": "dead" is not one of up, down, unknown`,
		"/api/v1/members?state=DOWN":                  `400 parameter "state": "DOWN" is not one of up, down, unknown; did you mean "down"?`,
		"/api/v1/members?state=unk":                   `400 parameter "state": "unk" is not one of up, down, unknown; did you mean "unknown"?`,
		"/sd/web?all=ture":                            `400 parameter "all": "ture" is not one of true, false; did you mean "true"?`,
		"/api/v1/memebers":                            `did you mean "/api/v1/members"?`,
		"/api/v1/getone":                              `did you mean "/api/v1/get-one"?`,
		"/api/v1/member?group=wbe&member=w1":          `404 group "wbe": no such group: the groups are web; did you mean "web"?`,
		"/api/v1/get-one?group=wbe":                   `404 group "wbe": no such group: the groups are web; did you mean "web"?`,
		"/api/v1/members?offest=1":                    `400 unknown parameter "offest": the parameters of this path are source, group, state, q, limit, offset; did you mean "offset"?`,
		"/api/v1/members?limit=-1":                    `400 limit="-1" is not a non-negative integer`,
		"/api/v1/members?limit=1e3":                   `400 limit="1e3" is not a non-negative integer`,
		"/api/v1/members?offset=99999999999999999999": `400 offset="99999999999999999999" is not a non-negative integer`,
		"/api/v1/members?group=a&group=b":             `400 parameter "group" was given 2 times`,
		"/api/v1/members?group=%ff":                   `400 parameter "group" is not UTF-8: "\xff"`,
		"/api/v1/members?group=%zz":                   `400 parsing the query: invalid URL escape "%zz"`,
		"/api/v1/members?source=c":                    `404 there is no source "c": the sources are a, b`,
		"/api/v1/groups?source=c":                     `404 there is no source "c": the sources are a, b`,
		"/api/v1/detection?source=c":                  `404 there is no source "c": the sources are a, b`,
		"/api/v1/member?group=web":                    `400 parameter "member" is missing`,
		"/api/v1/member?member=w1":                    `400 parameter "group" is missing`,
		"/api/v1/member?group=web&member=w1":          `400 several sources (a, b) have this member: choose one with the parameter source`,
		"/api/v1/member?group=web&member=w2":          `404 group "web", member "w2": no such member; did you mean "w1"?`,
		"/api/v1/member?source=c&group=web&member=w2": `404 there is no source "c": the sources are a, b`,
		"/api/v1/is-up?group=web&member=%22%0A":       `404 group "web", member "\"\n": no such member`,
		"/api/v1/get-all":                             `400 parameter "group" is missing`,
		"/api/v1/get-one?group=none":                  `404 group "none": no such group: the groups are web`,
		"/api/v1/events?after=x":                      `400 after="x" is not a non-negative integer`,
		"/api/v1/events/stream?after=x":               `400 after="x" is not a non-negative integer`,
		"/sd/":                                        `400 parameter "group" is missing`,
		"/sd/web?group=x":                             `400 unknown parameter "group": the parameters of this path are source, port, all, label.NAME`,
		"/sd/%ff":                                     `400 parameter "group" is not UTF-8: "\xff"`,
		"/sd/web?all=yes":                             `400 parameter "all": "yes" is not one of true, false`,
		"/sd/web?port=0":                              `400 port="0" is not a port number from 1 to 65535`,
		"/sd/web?port=http":                           `400 port="http" is not a port number from 1 to 65535`,
		"/sd/web?port=65536":                          `400 port="65536" is not a port number from 1 to 65535`,
		"/sd/web?label.a-b=1":                         `400 label.a-b: "a-b" is not a label name, which has letters, digits and _, and no digit first`,
		"/sd/web?label.=1":                            `400 label.: "" is not a label name, which has letters, digits and _, and no digit first`,
		"/sd/web?label.__meta_servicegroup_state=up":  `400 label.__meta_servicegroup_state: the label __meta_servicegroup_state can't be set, because service discovery sets it`,
		"/sd/web?label.__address__=x":                 `400 label.__address__: the label __address__ can't be set, because service discovery sets it`,
		"/sd/web?source=c":                            `404 there is no source "c": the sources are a, b`,
		"/api/v2/members":                             `404 the path /api/v2/members does not exist`,
		"/api/v1/members/":                            `404 the path /api/v1/members/ does not exist`,
	} {
		t.Run(path, func(t *testing.T) {
			status, body := b.get(path)
			var answer struct{ Error string }
			decode(t, body, &answer)
			require.Contains(t, fmt.Sprintf("%d %s", status, answer.Error), want)
		})
	}
}

func TestMethods(t *testing.T) {
	b := newBench(t, "a")
	b.poll()
	for _, r := range (&api{}).routes() {
		path := r.path
		if path == "/sd/{group...}" {
			path = "/sd/web"
		}
		w := b.do(http.MethodPost, path, nil)
		require.Equal(t, http.StatusMethodNotAllowed, w.Code, path)
		require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		require.JSONEq(t, fmt.Sprintf(`{"error": "%s only answers GET and HEAD"}`, r.path), w.Body.String())
		w = b.do(http.MethodHead, path, nil)
		require.NotEqual(t, http.StatusMethodNotAllowed, w.Code, path)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"), path)
	}
}

// Names can be any text.
func TestOddNames(t *testing.T) {
	b := newBench(t, "a")
	for _, name := range []string{
		`"quoted"`, "two\nlines", "<script>", "a/b", "../..", ".", "a?b=c&d#e", "ünï", "100%", "a+b c", "\u2028", "{x}", `\`, "/",
	} {
		b.sources["a"].has(up(name, name))
		b.poll()
		var one memberAnswer
		decode(t, b.ok("/api/v1/member?group="+url.QueryEscape(name)+"&member="+url.QueryEscape(name)), &one)
		require.Equal(t, name, one.Member.Member)
		var targets []targetGroup
		decode(t, b.ok("/sd/"+strings.ReplaceAll(url.PathEscape(name), ".", "%2E")), &targets)
		require.Equal(t, name, targets[0].Labels["__meta_servicegroup_group"])
	}
}

func TestManyMembers(t *testing.T) {
	b := newBench(t, "a")
	var members []drivers.Member
	for i := range 10000 {
		members = append(members, beat(fmt.Sprintf("c%04d", i), i%10 > 0, time.Now()))
	}
	b.sources["a"].has(members...)
	b.poll()
	w := b.do(http.MethodGet, "/api/v1/members", http.Header{"Accept-Encoding": {"br, gzip"}})
	require.Equal(t, "gzip", w.Header().Get("Content-Encoding"))
	zipped := w.Body.Len()
	var answer membersAnswer
	plain := unzip(t, b.do(http.MethodGet, "/api/v1/members", nil))
	decode(t, string(plain), &answer)
	require.Len(t, answer.Members, 10000)
	require.Less(t, zipped, len(plain)/5)
}

func TestSpecificationIsServed(t *testing.T) {
	b := newBench(t)
	w := b.do(http.MethodGet, "/api/v1/openapi.yaml", http.Header{"Accept-Encoding": {"gzip"}})
	require.Equal(t, "application/yaml", w.Header().Get("Content-Type"))
	require.Equal(t, specification, unzip(t, w))
}

package alertmanager

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// one returns the status of one alert.
func (r *testClient) one(a *Alert) Status { return r.Statuses([]*Alert{a})[0] }

// runStates lets the client ask about states until the test ends.
func (r *testClient) runStates() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.followStates(ctx) }()
	r.t.Cleanup(func() { cancel(); <-done })
}

func TestDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{refuses: func(a Alert) bool { return a.Labels["member"] == "odd" }}
		r := newTestClient(t, f, nil)
		a, odd := alertOf("c1"), alertOf("odd")
		require.Equal(t, Status{Delivery: Waiting}, r.one(a), "nothing was sent yet")
		defer r.run()()
		r.Send(a, odd)
		synctest.Wait()
		require.Equal(t, Delivered, r.one(a).Delivery)
		require.Equal(t, Failed, r.one(odd).Delivery)
		require.Contains(t, r.one(odd).Reason, "400")
		require.Empty(t, r.Failure())

		f.set(func() { f.down = true })
		r.Send(a)
		synctest.Wait()
		require.Equal(t, Delivered, r.one(a).Delivery, "the post before is still valid")
		require.Contains(t, r.Failure(), "connection refused")
		time.Sleep(31 * time.Second)
		require.Equal(t, Failed, r.one(a).Delivery)
		require.Contains(t, r.one(a).Reason, "connection refused")
		require.Equal(t, Failed, r.one(alertOf("c2")).Delivery, "it can't be posted either")

		f.set(func() { f.down = false })
		time.Sleep(6 * time.Second)
		require.Equal(t, Delivered, r.one(a).Delivery)
		require.Empty(t, r.Failure())
	})
}

// An Alertmanager that hangs is asked in the background, once at a time. Until it answers, the states are not known.
func TestStatesOfFrozenAlertmanager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const list = "GET /api/v2/alerts"
		a := alertOf("c1")
		f := &fake{delay: time.Hour, active: []Alert{*a}}
		r := newTestClient(t, f, nil)
		r.runStates()
		for range 100 {
			began := time.Now()
			require.False(t, r.one(a).Known)
			require.Zero(t, time.Since(began))
			time.Sleep(100 * time.Millisecond)
		}
		f.set(func() { f.delay = 0 })
		time.Sleep(6 * time.Second)
		r.one(a)
		synctest.Wait()
		require.True(t, r.one(a).Known)
		require.False(t, r.one(alertOf("c2")).Known, "the answer does not have it")
		asked := f.count(list)
		for range 100 {
			r.one(a)
			time.Sleep(100 * time.Millisecond)
		}
		require.LessOrEqual(t, f.count(list)-asked, 3, "in 10 s")
		time.Sleep(2 * time.Minute)
		asked = f.count(list)
		time.Sleep(time.Hour)
		require.Equal(t, asked, f.count(list), "no page wants to know")
		require.False(t, r.one(a).Known, "the answer is too old")
	})
}

// A real Alertmanager says which alerts it silences or inhibits.
func TestStatesOfRealAlertmanager(t *testing.T) {
	t.Parallel()
	server := testserver.Alertmanager(t, `route: {receiver: none}
receivers: [{name: none}]
inhibit_rules: [{source_matchers: [alertname="ServiceGroupOutage"], target_matchers: [alertname="ServiceGroupMemberDown"], equal: [group]}]
`)
	r := startClient(t, server.URL(), nil)
	r.runStates()
	silenced, inhibited, free := alertOf(`c "1" {a, b}`), alertOf("c2"), alertOf("c3")
	silenced.Labels["group"], free.Labels["group"] = "volume", "network"
	outage := &Alert{Labels: map[string]string{"alertname": "ServiceGroupOutage", "group": "compute"}, Start: time.Now()}
	id := silence(t, server.URL(), silenced)
	r.Send(silenced, inhibited, free, outage)
	eventually(t, "the states", func() bool {
		states := r.Statuses([]*Alert{silenced, inhibited, free, outage})
		return states[0].Known && states[3].Known && len(states[1].InhibitedBy) > 0
	})
	states := r.Statuses([]*Alert{silenced, inhibited, free, outage})
	require.Equal(t, []string{id}, states[0].SilencedBy)
	require.Equal(t, []string{"ServiceGroupOutage"}, states[1].InhibitedBy)
	for _, s := range states[2:] {
		require.Empty(t, s.SilencedBy)
		require.Empty(t, s.InhibitedBy)
	}
	require.Equal(t, server.URL()+"/#/silences/"+id, r.SilenceURL(id))
}

// silence makes an Alertmanager silence an alert, and returns the ID of the silence.
func silence(t *testing.T, url string, a *Alert) string {
	t.Helper()
	type matcher struct {
		Name    string `json:"name"`
		Value   string `json:"value"`
		IsRegex bool   `json:"isRegex"`
	}
	var matchers []matcher
	for name, value := range a.Labels {
		matchers = append(matchers, matcher{Name: name, Value: value})
	}
	body, err := json.Marshal(map[string]any{
		"matchers": matchers, "createdBy": "test", "comment": "test", "startsAt": time.Now(), "endsAt": time.Now().Add(time.Hour),
	})
	require.NoError(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v2/silences", strings.NewReader(string(body)))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	var answer struct {
		SilenceID string `json:"silenceID"`
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return answer.SilenceID
}

func TestURLsOfPages(t *testing.T) {
	t.Parallel()
	r := newTestClient(t, &fake{}, func(o *Options) { o.Config = configOf(t, "http://user:secret@am:9093/prefix/") })
	for member, want := range map[string]string{
		"c1":         `{alertname="A", member="c1"}`,
		"a b+c&d":    `{alertname="A", member="a b+c&d"}`,
		`q"\`:        `{alertname="A", member="q\"\\"}`,
		"שלום":       `{alertname="A", member="שלום"}`,
		"100%/x#y?z": `{alertname="A", member="100%/x#y?z"}`,
	} {
		a := &Alert{Labels: map[string]string{"alertname": "A", "member": member, "empty": ""}}
		for address, begin := range map[string]string{
			r.AlertURL(a): "http://am:9093/prefix/#/alerts?filter=", r.NewSilenceURL(a): "http://am:9093/prefix/#/silences/new?filter=",
		} {
			filter, ok := strings.CutPrefix(address, begin)
			require.True(t, ok, address)
			require.NotContains(t, filter, "+", "Alertmanager's pages do not decode it")
			decoded, err := url.PathUnescape(filter)
			require.NoError(t, err)
			require.Equal(t, want, decoded)
		}
	}
}

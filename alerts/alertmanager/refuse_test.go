package alertmanager

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// When half of the alerts are refused, the others are accepted, and the refused ones are not posted again.
func TestRefusedAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{refuses: func(a Alert) bool { return a.Labels["bad"] != "" }}
		r := newTestClient(t, f, nil)
		defer r.run()()
		alerts := many(512)
		want := map[string]bool{}
		for i, a := range alerts {
			if i%2 == 0 {
				a.Labels["bad"] = "1"
			} else {
				want[a.Labels["member"]] = true
			}
		}
		r.Send(alerts...)
		synctest.Wait()
		got := map[string]bool{}
		for _, name := range members(f.accepted()) {
			got[name] = true
		}
		require.True(t, maps.Equal(want, got))
		require.Equal(t, 2*511, f.count(post))
		require.InDelta(t, 256, r.value("notifications_dropped_total"), 0)
		require.InDelta(t, 256, r.value("notifications_errors_total", "reason", "rejected"), 0)
		require.InDelta(t, 256, r.value("alerts_firing"), 0)
		require.InDelta(t, 0, r.value("notifications_queue_length"), 0)
		require.InDelta(t, 1, r.value("notifications_alertmanager_up"), 0)
		require.Equal(t, 256, strings.Count(r.log.String(), "\n"))

		r.Send(alerts...)
		synctest.Wait()
		require.Equal(t, 2*511+1, f.count(post), "a refused alert is not posted again")

		changed := *alerts[0]
		changed.Annotations = map[string]string{"summary": "another"}
		r.Send(&changed)
		synctest.Wait()
		require.Equal(t, 2*511+2, f.count(post), "a refused alert is posted again after it changed")
		require.Equal(t, 256, strings.Count(r.log.String(), "\n"), "a repeated refusal is not logged")
		f.set(func() { f.refuses = nil })
		r.Send(resolved(&changed, time.Now()))
		synctest.Wait()
		require.Equal(t, "m00000", f.accepted()[len(f.accepted())-1].Labels["member"])
		require.InDelta(t, 257, r.value("notifications_dropped_total"), 0)
		f.set(func() { f.refuses = func(Alert) bool { return true } })
		r.Send(&changed)
		synctest.Wait()
		require.Equal(t, 257, strings.Count(r.log.String(), "\n"), "a refusal after an accepted post is logged")
	})
}

// Alerts stay queued after answers that are not about the alerts.
func TestFailingAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		code   int
		header http.Header
		reason string
		retry  time.Duration
	}{
		"error":                     {500, nil, "server", minRetry},
		"too many requests":         {429, nil, "server", minRetry},
		"not found":                 {404, nil, "rejected", minSlowRetry},
		"no user":                   {401, nil, "auth", minSlowRetry},
		"forbidden":                 {403, nil, "auth", minSlowRetry},
		"no user for the proxy":     {407, nil, "auth", minSlowRetry},
		"not from Alertmanager":     {400, http.Header{"Content-Type": {"text/plain"}}, "rejected", minSlowRetry},
		"redirect to a login page":  {302, http.Header{"Location": {"/login"}}, "rejected", minSlowRetry},
		"redirect without a target": {307, nil, "rejected", minSlowRetry},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{}
				r := newTestClient(t, f, nil)
				defer r.run()()
				synctest.Wait()
				f.set(func() {
					f.answers = func(q *http.Request) *http.Response {
						if q.URL.Path == "/login" {
							return f.answer(http.StatusOK, "please log in")
						}
						answer := f.answer(tt.code, strings.Repeat("hunter2", 100_000))
						maps.Copy(answer.Header, tt.header)
						return answer
					}
				})
				r.Send(many(3)...)
				synctest.Wait()
				require.InDelta(t, 3, r.value("notifications_queue_length"), 0)
				require.InDelta(t, 0, r.value("notifications_dropped_total"), 0)
				require.InDelta(t, 3, r.value("notifications_errors_total", "reason", tt.reason), 0)
				require.Contains(t, r.log.String(), fmt.Sprintf("the answer is %d", tt.code))
				require.NotContains(t, r.log.String(), "hunter2")
				f.set(func() { f.answers = nil })
				time.Sleep(tt.retry - time.Millisecond)
				require.Empty(t, f.accepted())
				time.Sleep(time.Millisecond)
				synctest.Wait()
				require.Len(t, f.accepted(), 3)
			})
		})
	}
}

// A body that is too large is split, and a redirect that keeps the method is followed.
func TestTooLargeAndRedirected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
		f.answers = func(q *http.Request) *http.Response {
			if q.ContentLength > 2000 {
				return f.answer(http.StatusRequestEntityTooLarge, "<html>")
			}
			if q.URL.Path != "/elsewhere" {
				answer := f.answer(http.StatusTemporaryRedirect, "")
				answer.Header.Set("Location", "/elsewhere")
				return answer
			}
			return f.answer(http.StatusOK, "")
		}
		r.Send(many(10)...)
		stop := r.run()
		time.Sleep(time.Minute)
		stop()
		require.Positive(t, f.count("POST /elsewhere"))
		require.InDelta(t, 10, r.value("notifications_sent_total"), 0)
		require.InDelta(t, 0, r.value("notifications_dropped_total"), 0)
	})
}

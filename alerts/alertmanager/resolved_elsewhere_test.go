package alertmanager

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const get = "GET /api/v2/alerts"

// retainedVersion returns the retained version of an alert.
func retainedVersion(a *Alert) *Alert {
	b := *a
	b.Retained = true
	return &b
}

// setActive sets the alerts that the fake returns.
func (f *fake) setActive(alerts ...*Alert) {
	f.set(func() {
		f.active = nil
		for _, a := range alerts {
			f.active = append(f.active, Alert{Labels: a.Labels})
		}
	})
}

// Retained alerts are posted until another sender has resolved them.
func TestResolvedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{started: "2026-11-25T03:00:00Z"}
		var mu sync.Mutex
		var resolved []string
		r := newTestClient(t, f, func(o *Options) {
			o.ResolvedElsewhere = func(a *Alert) {
				mu.Lock()
				defer mu.Unlock()
				resolved = append(resolved, a.Labels["member"])
			}
		})
		defer r.run()()
		alerts := many(600)
		var retained []*Alert
		for _, a := range alerts {
			retained = append(retained, retainedVersion(a))
		}
		other := alertOf("other")
		r.Send(retained...)
		synctest.Wait()
		require.Len(t, f.accepted(), 600, "Alertmanager is not asked about alerts that it has not accepted before")
		require.Zero(t, f.count(get))
		f.setActive(retained...)
		time.Sleep(10 * time.Second)
		r.Send(retained...)
		synctest.Wait()
		require.Len(t, f.accepted(), 1200)
		require.Equal(t, 1, f.count(get))
		require.Equal(t, "filter=source%3D%22nova%22", f.query)

		f.setActive(retained[2:]...)
		time.Sleep(10 * time.Second)
		r.Send(retained...)
		r.Send(other)
		synctest.Wait()
		require.Len(t, f.accepted(), 1799, "the two that were resolved elsewhere are not posted")
		require.Equal(t, 2, f.count(get))
		require.Equal(t, []string{"m00000", "m00001"}, resolved)
		require.InDelta(t, 0, r.value("notifications_dropped_total"), 0)
		r.Send(alerts[0], retained[1])
		synctest.Wait()
		require.Equal(t, "m00000", f.accepted()[1799].Labels["member"], "an alert that is not retained is posted")
		require.Len(t, f.accepted(), 1800)
		require.Equal(t, []string{"m00000", "m00001", "m00001"}, resolved)
	})
}

// An alert about a host has no source. Alertmanager is asked for the alerts of this name, and not for all that it has.
func TestHostResolvedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{started: "2026-11-25T03:00:00Z"}
		var resolved []*Alert
		r := newTestClient(t, f, func(o *Options) { o.ResolvedElsewhere = func(a *Alert) { resolved = append(resolved, a) } })
		defer r.run()()
		host := alertOf("")
		host.Labels = map[string]string{"alertname": "ServiceGroupHostDown", "scope": "host", "host": "c1"}
		r.Send(host)
		time.Sleep(10 * time.Second)
		f.set(func() { f.stored = nil })
		r.Send(retainedVersion(host))
		synctest.Wait()
		require.Len(t, resolved, 1)
		require.Len(t, f.accepted(), 1)
		require.Equal(t, "filter="+url.QueryEscape(`alertname="ServiceGroupHostDown"`), f.query)
	})
}

// A retained alert is posted while it is unknown whether another sender has resolved it.
func TestNotResolvedElsewhere(t *testing.T) {
	for name, change := range map[string]func(*fake){
		"Alertmanager was restarted":              func(f *fake) { f.started = "2026-11-25T03:00:01Z" },
		"its status does not say when it started": func(f *fake) { f.started = "" },
		"its clock was set":                       func(f *fake) { f.offset = time.Hour },
		"it does not return alerts": func(f *fake) {
			f.answers = func(q *http.Request) *http.Response {
				code := http.StatusOK
				if q.Method == http.MethodGet {
					code = http.StatusForbidden
				}
				return f.answer(code, "")
			}
		},
		"its answer is not a list": func(f *fake) {
			f.answers = func(*http.Request) *http.Response { return f.answer(http.StatusOK, `{"labels":{}}`) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{started: "2026-11-25T03:00:00Z"}
				r := newTestClient(t, f, func(o *Options) { o.ResolvedElsewhere = func(a *Alert) { panic(fmt.Sprint(a.Labels)) } })
				defer r.run()()
				a := alertOf("m1")
				r.Send(a)
				time.Sleep(10 * time.Second)
				f.set(func() { change(f) })
				r.Send(retainedVersion(a))
				synctest.Wait()
				require.InDelta(t, 1, r.value("notifications_alertmanager_up"), 0)
				if over := r.value("notifications_over_on_arrival_total"); over > 0 {
					require.Equal(t, "its clock was set", name)
					require.Equal(t, []string{"m1"}, f.firing())
					return
				}
				require.InDelta(t, 2, r.value("notifications_sent_total"), 0)
				require.Empty(t, r.log.String())
			})
		})
	}
}

// An alert whose last post has expired was not resolved by another sender.
func TestExpiredAlertIsNotResolvedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{started: "2026-11-25T03:00:00Z"}
		r := newTestClient(t, f, func(o *Options) { o.ResolvedElsewhere = func(a *Alert) { panic(fmt.Sprint(a.Labels)) } })
		defer r.run()()
		a := alertOf("m1")
		for _, age := range []time.Duration{0, 21 * time.Second, 31 * time.Second} {
			time.Sleep(age)
			r.Send(retainedVersion(a))
		}
		synctest.Wait()
		require.InDelta(t, 3, r.value("notifications_sent_total"), 0)
		require.Equal(t, 1, f.count(get))
	})
}

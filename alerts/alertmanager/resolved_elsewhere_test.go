package alertmanager

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const get = "GET /api/v2/alerts"

// heldOf gives an alert's version that is only held.
func heldOf(a *Alert) *Alert {
	b := *a
	b.Held = true
	return &b
}

// holds makes the fake show alerts.
func (f *fake) holds(alerts ...*Alert) {
	f.set(func() {
		f.held = nil
		for _, a := range alerts {
			f.held = append(f.held, wireAlert{Labels: a.Labels})
		}
	})
}

// What is held is posted for as long as nobody else has ended it.
func TestHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{started: "2026-11-25T03:00:00Z"}
		var mu sync.Mutex
		var ended []string
		r := newRig(t, f, func(o *Options) {
			o.Ended = func(a *Alert) {
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, a.Labels["member"])
			}
		})
		defer r.run()()
		alerts := many(600)
		var held []*Alert
		for _, a := range alerts {
			held = append(held, heldOf(a))
		}
		other := alertOf("other")
		r.Send(held...)
		synctest.Wait()
		require.Len(t, f.taken(), 600, "nobody was told of them before: there is nothing to ask")
		require.Zero(t, f.count(get))
		f.holds(held...)
		time.Sleep(10 * time.Second)
		r.Send(held...)
		synctest.Wait()
		require.Len(t, f.taken(), 1200)
		require.Equal(t, 1, f.count(get))
		require.Equal(t, "filter=source%3D%22nova%22", f.query)

		f.holds(held[2:]...)
		time.Sleep(10 * time.Second)
		r.Send(held...)
		r.Send(other)
		synctest.Wait()
		require.Len(t, f.taken(), 1799, "without the two")
		require.Equal(t, 2, f.count(get))
		require.Equal(t, []string{"m00000", "m00001"}, ended)
		require.InDelta(t, 0, r.value("dropped_total"), 0)
		r.Send(alerts[0], held[1])
		synctest.Wait()
		require.Equal(t, "m00000", f.taken()[1799].Labels["member"], "it is seen to fire")
		require.Len(t, f.taken(), 1800)
		require.Equal(t, []string{"m00000", "m00001", "m00001"}, ended)
	})
}

// Whoever can't know that somebody else has ended an alert goes on.
func TestHeldGoesOn(t *testing.T) {
	for name, change := range map[string]func(*fake){
		"it was restarted":             func(f *fake) { f.started = "2026-11-25T03:00:01Z" },
		"it says nothing of its start": func(f *fake) { f.started = "" },
		"its clock was set":            func(f *fake) { f.offset = time.Hour },
		"it does not show alerts": func(f *fake) {
			f.answers = func(q *http.Request) *http.Response {
				code := http.StatusOK
				if q.Method == http.MethodGet {
					code = http.StatusForbidden
				}
				return f.answer(code, "")
			}
		},
		"what it shows is no list": func(f *fake) {
			f.answers = func(*http.Request) *http.Response { return f.answer(http.StatusOK, `{"labels":{}}`) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{started: "2026-11-25T03:00:00Z"}
				r := newRig(t, f, func(o *Options) { o.Ended = func(a *Alert) { panic(fmt.Sprint(a.Labels)) } })
				defer r.run()()
				a := alertOf("m1")
				r.Send(a)
				time.Sleep(10 * time.Second)
				f.set(func() { change(f) })
				r.Send(heldOf(a))
				synctest.Wait()
				require.InDelta(t, 2, r.value("sent_total"), 0)
				require.InDelta(t, 1, r.value("alertmanager_up"), 0)
				require.Empty(t, r.log.String())
			})
		})
	}
}

// What was posted too long ago may have ended by itself.
func TestHeldForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{started: "2026-11-25T03:00:00Z"}
		r := newRig(t, f, func(o *Options) { o.Ended = func(a *Alert) { panic(fmt.Sprint(a.Labels)) } })
		defer r.run()()
		a := alertOf("m1")
		for _, age := range []time.Duration{0, 21 * time.Second, 31 * time.Second} {
			time.Sleep(age)
			r.Send(heldOf(a))
		}
		synctest.Wait()
		require.InDelta(t, 3, r.value("sent_total"), 0)
		require.Equal(t, 1, f.count(get))
	})
}

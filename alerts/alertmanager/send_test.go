package alertmanager

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPostsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newRig(t, f, nil)
		defer r.run()()
		time.Sleep(5 * time.Second)
		require.Equal(t, 1, f.count(status), "the first request finds out who is there")

		a := alertOf("m1")
		a.GeneratorURL = "http://here/member"
		r.Send(a)
		synctest.Wait()
		got := f.taken()
		require.Len(t, got, 1)
		now := time.Now().UTC()
		require.Equal(t, wireAlert{
			Labels: a.Labels, Annotations: a.Annotations, GeneratorURL: a.GeneratorURL, StartsAt: now, EndsAt: now.Add(30 * time.Second),
		}, got[0])
		require.InDelta(t, 1, r.value("sent_total"), 0)
		require.InDelta(t, 1, r.value("firing"), 0)
		require.InDelta(t, 0, r.value("queue_length"), 0)
		require.InDelta(t, 1, r.value("alertmanager_up"), 0)
		require.InDelta(t, float64(now.Unix()), r.value("last_success_timestamp_seconds"), 0)
	})
}

// Ten thousand alerts are forty posts, and those that inhibit others go first.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newRig(t, f, nil)
		alerts := many(10_000)
		for i := range alerts {
			alerts[i].First = i%1000 == 999
		}
		r.Send(alerts...)
		require.InDelta(t, 10_000, r.value("queue_length"), 0)
		defer r.run()()
		synctest.Wait()
		require.Equal(t, 40, f.count(post))
		got := members(f.taken())
		require.Len(t, got, 10_000)
		require.Equal(t, []string{"m00999", "m01999"}, got[:2])
		require.Equal(t, []string{"m09999", "m00000", "m00001"}, got[9:12])
		require.InDelta(t, 10_000, r.value("firing"), 0)
	})
}

func TestNewestVersionIsPosted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newRig(t, f, nil)
		a, b, c := alertOf("a"), alertOf("b"), alertOf("c")
		a2 := alertOf("a")
		a2.Annotations = map[string]string{"summary": "newer"}
		a2.Labels["empty"] = ""
		c2 := alertOf("c")
		c2.First = true
		r.Send(a, b, c)
		r.Send(a2, c2)
		defer r.run()()
		synctest.Wait()
		got := f.taken()
		require.Equal(t, []string{"c", "a", "b"}, members(got))
		require.Equal(t, "newer", got[1].Annotations["summary"])
	})
}

func TestTooManyAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{down: true}
		r := newRig(t, f, func(o *Options) { o.Capacity = 3 })
		stop := r.run()
		defer stop()
		first := alertOf("first")
		first.First = true
		r.Send(first)
		r.Send(many(5)...)
		time.Sleep(20 * time.Second)
		require.InDelta(t, 3, r.value("queue_length"), 0)
		require.InDelta(t, 3, r.value("dropped_total"), 0)
		more := []*Alert{alertOf("second"), alertOf("third"), alertOf("fourth")}
		for _, a := range more {
			a.First = true
		}
		r.Send(more...)
		f.set(func() { f.down = false })
		time.Sleep(maxRetry)
		require.Equal(t, []string{"second", "third", "fourth"}, members(f.taken()))
		require.InDelta(t, 6, r.value("dropped_total"), 0)
	})
}

// While nothing gets through, requests are made less and less often, however much is sent; what was sent waits.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{down: true}
		r := newRig(t, f, nil)
		defer r.run()()
		for range 600 {
			r.Send(alertOf("m1"))
			time.Sleep(100 * time.Millisecond)
		}
		var pauses []time.Duration
		at := f.times()
		for i := range at[1:] {
			pauses = append(pauses, at[i+1].Sub(at[i]))
		}
		require.Equal(t, []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second}, pauses[:6])
		require.Len(t, at, 16)
		require.InDelta(t, 0, r.value("alertmanager_up"), 0)
		require.InDelta(t, 1, r.value("queue_length"), 0)
		require.Positive(t, r.value("failed_total", "reason", "connect"))

		f.set(func() { f.down = false })
		time.Sleep(maxRetry)
		require.Equal(t, []string{"m1"}, members(f.taken()))
		require.InDelta(t, 1, r.value("alertmanager_up"), 0)
		r.Send(alertOf("m2"))
		synctest.Wait()
		require.Len(t, f.taken(), 2, "at once again")
		require.Regexp(t, `(?s)^[^\n]*level=WARN msg="Alertmanager takes no alerts" alertmanager=http://am:9093 reason=connect err="connection refused"\n`+
			`[^\n]*level=INFO msg="Alertmanager takes alerts again" alertmanager=http://am:9093 after=1m\d.*\n$`, r.log.String())
	})
}

func TestHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newRig(t, f, nil)
		defer r.run()()
		synctest.Wait()
		f.set(func() { f.delay = time.Hour })
		r.Send(many(300)...)
		time.Sleep(9 * time.Second)
		require.InDelta(t, 44, r.value("queue_length"), 0)
		time.Sleep(time.Second)
		synctest.Wait()
		require.InDelta(t, 300, r.value("queue_length"), 0)
		require.InDelta(t, 256, r.value("failed_total", "reason", "timeout"), 0)
		require.InDelta(t, 0, r.value("alertmanager_up"), 0)
		require.Contains(t, r.log.String(), `reason=timeout err="no answer in time"`)
		f.set(func() { f.delay = 0 })
		time.Sleep(minRetry)
		synctest.Wait()
		require.Equal(t, "m00000", f.taken()[0].Labels["member"], "in the old order")
		require.Len(t, f.taken(), 300)
	})
}

// While an answer is awaited, a newer version comes.
func TestNewerVersionMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newRig(t, f, nil)
		defer r.run()()
		synctest.Wait()
		f.set(func() { f.delay = time.Hour })
		a := alertOf("m1")
		a.Detected = time.Now()
		r.Send(a)
		time.Sleep(5 * time.Second)
		again := *a
		again.Annotations, again.Detected = map[string]string{"summary": "newer"}, time.Time{}
		r.Send(&again)
		f.set(func() { f.delay = 0 })
		time.Sleep(6 * time.Second)
		require.Equal(t, "newer", f.taken()[0].Annotations["summary"])
		require.Len(t, f.taken(), 1)
		require.InDelta(t, 1, r.value("delivery_latency_seconds_count"), 0, "that it began was not told before")
		require.InDelta(t, 10.25, r.value("delivery_latency_seconds_sum"), 0.01)
	})
}

// What waits is replaced by re-posts, which don't know that nobody was told before.
func TestLatencyAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{down: true}
		r := newRig(t, f, nil)
		defer r.run()()
		a := alertOf("m1")
		a.Detected = time.Now()
		r.Send(a)
		for range 10 {
			time.Sleep(10 * time.Second)
			again := *a
			again.Detected = time.Time{}
			r.Send(&again)
		}
		f.set(func() { f.down = false })
		time.Sleep(maxRetry)
		require.Len(t, f.taken(), 1)
		require.InDelta(t, 1, r.value("delivery_latency_seconds_count"), 0)
		require.InDelta(t, 102.75, r.value("delivery_latency_seconds_sum"), 0.01)
	})
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{delay: 20 * time.Millisecond}
		r := newRig(t, f, nil)
		defer r.run()()
		time.Sleep(time.Second)
		a := alertOf("m1")
		a.Detected = time.Now()
		again := *a
		again.Detected = time.Time{}
		for _, version := range []*Alert{a, &again, &again} {
			r.Send(version)
			time.Sleep(time.Second)
		}
		require.InDelta(t, 1, r.value("delivery_latency_seconds_count"), 0)
		require.InDelta(t, 0.02, r.value("delivery_latency_seconds_sum"), 1e-9)
		end := resolved(&again, time.Now())
		end.Detected = time.Now()
		r.Send(end)
		time.Sleep(time.Second)
		require.InDelta(t, 2, r.value("delivery_latency_seconds_count"), 0)
		require.InDelta(t, 4, r.value("sent_total"), 0)
	})
}

func TestFiring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newRig(t, f, nil)
		defer r.run()()
		alerts := many(3)
		r.Send(alerts...)
		time.Sleep(20 * time.Second)
		require.InDelta(t, 3, r.value("firing"), 0)
		r.Send(alerts[0], resolved(alerts[1], time.Now()))
		synctest.Wait()
		require.InDelta(t, 2, r.value("firing"), 0)
		time.Sleep(10*time.Second + time.Millisecond)
		require.InDelta(t, 1, r.value("firing"), 0, "one was not posted again")
		time.Sleep(20 * time.Second)
		require.InDelta(t, 0, r.value("firing"), 0)
	})
}

func TestProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newRig(t, f, nil)
		defer r.run()()
		time.Sleep(95 * time.Second)
		require.Equal(t, 4, f.count(status))
		for range 60 {
			r.Send(alertOf("m1"))
			time.Sleep(time.Second)
		}
		require.Equal(t, 4, f.count(status), "who is posted to needs no probe")
		f.set(func() {
			f.answers = func(*http.Request) *http.Response { return f.answer(http.StatusOK, `<html>Welcome`) }
		})
		time.Sleep(30 * time.Second)
		require.InDelta(t, 0, r.value("alertmanager_up"), 0)
		require.Contains(t, r.log.String(), `reason=rejected err="what answers is no Alertmanager"`)
	})
}

// What waits at the end is posted, if that is quickly done.
func TestLastFlush(t *testing.T) {
	for name, hangs := range map[string]bool{"answers": false, "hangs": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{delay: 100 * time.Millisecond}
				r := newRig(t, f, nil)
				stop := r.run()
				time.Sleep(time.Second)
				if hangs {
					f.set(func() { f.delay = time.Hour })
				}
				r.Send(many(1000)...)
				begun := time.Now()
				stop()
				if hangs {
					require.Equal(t, flushTimeout, time.Since(begun))
					require.InDelta(t, 1000, r.value("queue_length"), 0)
				} else {
					require.Equal(t, 400*time.Millisecond, time.Since(begun))
					require.Len(t, f.taken(), 1000)
				}
			})
		})
	}
}

func TestKey(t *testing.T) {
	key := func(labels map[string]string) string { return (&Alert{Labels: labels}).Key() }
	require.Equal(t, key(map[string]string{"a": "1", "b": "2"}), key(map[string]string{"b": "2", "a": "1", "c": ""}))
	keys := map[string]bool{}
	for _, labels := range []map[string]string{{}, {"a": "b"}, {"ab": "x"}, {"a": "bx"}, {"a": "b", "x": "y"}, {"a": "bx", "y": "z"}} {
		keys[key(labels)] = true
	}
	require.Len(t, keys, 6, fmt.Sprint(keys))
}

func BenchmarkEncode(b *testing.B) {
	batch := make([]entry, 0, 10_000)
	for _, a := range many(cap(batch)) {
		batch = append(batch, entry{key: a.Key(), alert: a})
	}
	now := newClock().read(time.Now())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encode(batch, now, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQueue(b *testing.B) {
	alerts := many(10_000)
	b.ReportAllocs()
	for b.Loop() {
		q := newQueue(defaultCapacity)
		for _, a := range alerts {
			q.add(entry{key: a.Key(), alert: a})
		}
		for q.len() > 0 {
			q.take(maxBatch)
		}
	}
}

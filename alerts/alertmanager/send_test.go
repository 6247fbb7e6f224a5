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
		r := newTestClient(t, f, nil)
		defer r.run()()
		time.Sleep(5 * time.Second)
		require.Equal(t, 1, f.count(status), "the first request is a probe")

		a := alertOf("m1")
		a.GeneratorURL = "http://here/member"
		r.Send(a)
		synctest.Wait()
		got := f.accepted()
		require.Len(t, got, 1)
		now := time.Now().UTC()
		require.Equal(t, Alert{
			Labels: a.Labels, Annotations: a.Annotations, GeneratorURL: a.GeneratorURL, Start: now, End: now.Add(30 * time.Second),
		}, got[0])
		require.InDelta(t, 1, r.value("notifications_sent_total"), 0)
		require.InDelta(t, 1, r.value("alerts_firing"), 0)
		require.InDelta(t, 0, r.value("notifications_queue_length"), 0)
		require.InDelta(t, 1, r.value("notifications_alertmanager_up"), 0)
		require.InDelta(t, float64(now.Unix()), r.value("notifications_last_success_timestamp_seconds"), 0)
	})
}

// 10,000 alerts are sent in 40 posts, those that inhibit others first.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
		alerts := many(10_000)
		for i := range alerts {
			alerts[i].First = i%1000 == 999
		}
		r.Send(alerts...)
		require.InDelta(t, 10_000, r.value("notifications_queue_length"), 0)
		defer r.run()()
		synctest.Wait()
		require.Equal(t, 40, f.count(post))
		got := members(f.accepted())
		require.Len(t, got, 10_000)
		require.Equal(t, []string{"m00999", "m01999"}, got[:2])
		require.Equal(t, []string{"m09999", "m00000", "m00001"}, got[9:12])
		require.InDelta(t, 10_000, r.value("alerts_firing"), 0)
	})
}

func TestNewestVersionIsPosted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
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
		got := f.accepted()
		require.Equal(t, []string{"c", "a", "b"}, members(got))
		require.Equal(t, "newer", got[1].Annotations["summary"])
	})
}

func TestTooManyAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{down: true}
		r := newTestClient(t, f, func(o *Options) { o.capacity = 3 })
		stop := r.run()
		defer stop()
		first := alertOf("first")
		first.First = true
		r.Send(first)
		r.Send(many(5)...)
		time.Sleep(20 * time.Second)
		require.InDelta(t, 3, r.value("notifications_queue_length"), 0)
		require.InDelta(t, 3, r.value("notifications_dropped_total"), 0)
		more := []*Alert{alertOf("second"), alertOf("third"), alertOf("fourth")}
		for _, a := range more {
			a.First = true
		}
		r.Send(more...)
		f.set(func() { f.down = false })
		time.Sleep(maxRetry)
		require.Equal(t, []string{"second", "third", "fourth"}, members(f.accepted()))
		require.InDelta(t, 6, r.value("notifications_dropped_total"), 0)
	})
}

// While requests fail, the pauses between them grow, however many alerts are sent; the alerts stay queued.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{down: true}
		r := newTestClient(t, f, nil)
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
		require.InDelta(t, 0, r.value("notifications_alertmanager_up"), 0)
		require.InDelta(t, 1, r.value("notifications_queue_length"), 0)
		require.Positive(t, r.value("notifications_errors_total", "reason", "connect"))

		f.set(func() { f.down = false })
		time.Sleep(maxRetry)
		require.Equal(t, []string{"m1"}, members(f.accepted()))
		require.InDelta(t, 1, r.value("notifications_alertmanager_up"), 0)
		r.Send(alertOf("m2"))
		synctest.Wait()
		require.Len(t, f.accepted(), 2, "posts are immediate again")
		require.Regexp(t, `(?s)^[^\n]*level=WARN msg="Alertmanager does not accept alerts" alertmanager=http://am:9093 reason=connect err="connection refused"\n`+
			`[^\n]*level=INFO msg="Alertmanager accepts alerts again" alertmanager=http://am:9093 after=1m\d.*\n$`, r.log.String())
	})
}

func TestAlertmanagerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
		defer r.run()()
		synctest.Wait()
		f.set(func() { f.delay = time.Hour })
		r.Send(many(300)...)
		time.Sleep(9 * time.Second)
		require.InDelta(t, 44, r.value("notifications_queue_length"), 0)
		time.Sleep(time.Second)
		synctest.Wait()
		require.InDelta(t, 300, r.value("notifications_queue_length"), 0)
		require.InDelta(t, 256, r.value("notifications_errors_total", "reason", "timeout"), 0)
		require.InDelta(t, 0, r.value("notifications_alertmanager_up"), 0)
		require.Contains(t, r.log.String(), `reason=timeout err="no answer in time: waited 10s"`)
		f.set(func() { f.delay = 0 })
		time.Sleep(minRetry)
		synctest.Wait()
		require.Equal(t, "m00000", f.accepted()[0].Labels["member"], "the order is kept")
		require.Len(t, f.accepted(), 300)
	})
}

// A newer version of an alert is sent while the older one is being posted.
func TestNewerVersionDuringAPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
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
		require.Equal(t, "newer", f.accepted()[0].Annotations["summary"])
		require.Len(t, f.accepted(), 1)
		require.InDelta(t, 1, r.value("notifications_latency_seconds_count"), 0, "the start was not reported before")
		require.InDelta(t, 10.25, r.value("notifications_latency_seconds_sum"), 0.01)
	})
}

// The latency counts from the detection, although repetitions have replaced the first version in the queue.
func TestLatencyAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{down: true}
		r := newTestClient(t, f, nil)
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
		require.Len(t, f.accepted(), 1)
		require.InDelta(t, 1, r.value("notifications_latency_seconds_count"), 0)
		require.InDelta(t, 102.75, r.value("notifications_latency_seconds_sum"), 0.01)
	})
}

func TestLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{delay: 20 * time.Millisecond}
		r := newTestClient(t, f, nil)
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
		require.InDelta(t, 1, r.value("notifications_latency_seconds_count"), 0)
		require.InDelta(t, 0.02, r.value("notifications_latency_seconds_sum"), 1e-9)
		end := resolved(&again, time.Now())
		end.Detected = time.Now()
		r.Send(end)
		time.Sleep(time.Second)
		require.InDelta(t, 2, r.value("notifications_latency_seconds_count"), 0)
		require.InDelta(t, 4, r.value("notifications_sent_total"), 0)
	})
}

func TestFiring(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
		defer r.run()()
		alerts := many(3)
		r.Send(alerts...)
		time.Sleep(20 * time.Second)
		require.InDelta(t, 3, r.value("alerts_firing"), 0)
		r.Send(alerts[0], resolved(alerts[1], time.Now()))
		synctest.Wait()
		require.InDelta(t, 2, r.value("alerts_firing"), 0)
		time.Sleep(10*time.Second + time.Millisecond)
		require.InDelta(t, 1, r.value("alerts_firing"), 0, "one alert was not posted again in time")
		time.Sleep(20 * time.Second)
		require.InDelta(t, 0, r.value("alerts_firing"), 0)
	})
}

func TestProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		r := newTestClient(t, f, nil)
		defer r.run()()
		time.Sleep(95 * time.Second)
		require.Equal(t, 4, f.count(status))
		for range 60 {
			r.Send(alertOf("m1"))
			time.Sleep(time.Second)
		}
		require.Equal(t, 4, f.count(status), "no probes while alerts are posted")
		f.set(func() {
			f.answers = func(*http.Request) *http.Response { return f.answer(http.StatusOK, `<html>Welcome`) }
		})
		time.Sleep(30 * time.Second)
		require.InDelta(t, 0, r.value("notifications_alertmanager_up"), 0)
		require.Contains(t, r.log.String(), `reason=rejected err="the server that answers is not an Alertmanager"`)
	})
}

// Queued alerts are posted at the end, within a time limit.
func TestLastFlush(t *testing.T) {
	for name, hangs := range map[string]bool{"answers": false, "hangs": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{delay: 100 * time.Millisecond}
				r := newTestClient(t, f, nil)
				stop := r.run()
				time.Sleep(time.Second)
				if hangs {
					f.set(func() { f.delay = time.Hour })
				}
				r.Send(many(1000)...)
				began := time.Now()
				stop()
				if hangs {
					require.Equal(t, flushTimeout, time.Since(began))
					require.InDelta(t, 1000, r.value("notifications_queue_length"), 0)
				} else {
					require.Equal(t, 500*time.Millisecond, time.Since(began), "four posts, and a question after the first")
					require.Len(t, f.accepted(), 1000)
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
	batch := many(10_000)
	now := newClock().sample(time.Now())
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
			a.key = a.Key()
			q.add(a)
		}
		for q.len() > 0 {
			q.take(maxBatch)
		}
	}
}

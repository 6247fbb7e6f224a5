package collector

func holdHistories() []history {
	return []history{
		{name: "an outage kills nobody", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s b:up:beat=-5s"), want: "a=up b=up"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, failed: true},
			{at: 315 * sec, rows: rows("a:down:beat=-5s b:up:beat=314s"), want: "a=unknown b=up"},
			{at: 330 * sec, rows: rows("a:up:beat=329s b:up:beat=329s"), want: "a=up b=up"},
			{at: 345 * sec, rows: rows("a:up:beat=329s b:up:beat=329s"), want: "a=up b=up"},
		}},
		{name: "what stays silent after an outage is dead after its down time", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 315 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 370 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 371 * sec, rows: rows("a:down:beat=-5s"), want: "death a 6m16s; a=down"},
		}},
		{name: "a beat within the outage counts", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, rows: rows("a:down:beat=200s"), want: "a=unknown"},
			{at: 360 * sec, rows: rows("a:down:beat=200s"), want: "a=unknown"},
			{at: 361 * sec, rows: rows("a:down:beat=200s"), want: "death a 2m41s; a=down"},
		}},
		{name: "up right after the outage and silent then", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 50 * sec, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 65 * sec, rows: rows("a:down:beat=0s"), want: "a=unknown"},
			{at: 110 * sec, rows: rows("a:down:beat=0s"), want: "a=unknown"},
			{at: 111 * sec, rows: rows("a:down:beat=0s"), want: "death a 1m51s; a=down"},
		}},
		{name: "another outage while held", steps: []step{
			{at: 0, rows: rows("a:up:beat=-5s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 100 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 120 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 135 * sec, failed: true},
			{at: 200 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 235 * sec, rows: rows("a:down:beat=-5s"), want: "a=unknown"},
			{at: 236 * sec, rows: rows("a:down:beat=-5s"), want: "death a 4m1s; a=down"},
		}},
		{name: "an old outage excuses nobody", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 100 * sec, rows: rows("a:up:beat=99s"), want: "a=up"},
			{at: 170 * sec, rows: rows("a:down:beat=101s"), want: "death a 1m9s; a=down"},
		}},
		{name: "failed polls before the first good one are no outage", steps: []step{
			{at: 0, failed: true},
			{at: 15 * sec, rows: rows("a:up:beat=14s b:down:beat=-1h"), want: "a=up b=down"},
			{at: 80 * sec, rows: rows("a:down:beat=14s b:down:beat=-1h"), want: "death a 1m6s; a=down b=down"},
		}},
		{name: "the dead stay dead over an outage", steps: []step{
			{at: 0, rows: rows("a:down:beat=-1h"), want: "a=down"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, rows: rows("a:down:beat=-1h"), want: "a=down"},
			{at: 400 * sec, failed: true},
			{at: 500 * sec, rows: rows("a:up:beat=499s"), want: "recovery a 1h8m20s; a=up"},
		}},
		{name: "members without heartbeats have one session timeout", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up b:up:rostered c:up:session=10s"), want: "a=up b=up c=up"},
			{at: 5 * sec, failed: true},
			{at: 60 * sec, rows: rows("b:down:rostered"), want: "a=unknown b=unknown c=unknown"},
			{at: 63 * sec, rows: rows("a:up b:down:rostered"), want: "a=up b=unknown c=unknown"},
			{
				at: 64 * sec, rows: rows("a:up b:down:rostered"),
				want: "death b 1m8s; a=up b=down c=unknown",
			},
			{at: 69 * sec, rows: rows("a:up b:down:rostered"), want: "a=up b=down c=unknown"},
			{at: 70 * sec, rows: rows("a:up b:down:rostered"), want: "death c 1m20s; a=up b=down c=down"},
		}},
		{name: "gone soon after the outage", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 5 * sec, failed: true},
			{at: 60 * sec, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 62 * sec, rows: rows("b:up"), want: "a=unknown b=up"},
			{at: 66 * sec, changed: 65 * sec, rows: nil, want: "death a 10s, death b 5s; a=down b=down"},
		}},
		{name: "an agent that recorded the death knew better", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up:rostered"), want: "a=up"},
			{at: 5 * sec, failed: true},
			{at: 60 * sec, rows: rows("a:down:rostered:died=50s"), want: "death a 10s; a=down"},
		}},
		{name: "forced down over an outage", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:unforced"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, rows: rows("a:down:beat=0s:forced"), want: "forced_down a; a=down"},
		}},
		{name: "forced down while held", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:unforced"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, rows: rows("a:down:beat=0s:unforced"), want: "a=unknown"},
			{at: 310 * sec, rows: rows("a:down:beat=0s:forced"), want: "forced_down a; a=down"},
		}},
		{name: "a rostered member left during the outage", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s:rostered"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 300 * sec, rows: nil, want: "leave a;"},
		}},
		{name: "without a down time nothing can be excused", downTime: -1, steps: []step{
			{at: 0, rows: rows("a:up:beat=-1s b:up"), want: "a=up b=up"},
			{at: 15 * sec, failed: true},
			{at: 60 * sec, rows: rows("a:down:beat=-1s b:down"), want: "death a 1m1s, death b 1m0s; a=down b=down"},
		}},
	}
}

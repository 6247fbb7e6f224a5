package tracker

func restartHistories() []history {
	return []history{
		{name: "died while the exporter was down", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s b:up:beat=0s"), want: "a=up b=up"},
			{
				at: 600 * sec, restart: true, rows: rows("a:down:beat=100s b:up:beat=599s"),
				want: "death a 8m20s; a=down b=up",
			},
			{at: 610 * sec, restart: true, rows: rows("a:up:beat=609s b:up:beat=609s"), want: "recovery a 8m30s; a=up b=up"},
		}},
		{name: "the presence ended while the exporter was down", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 10 * sec, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 60 * sec, restart: true, rows: rows("b:up"), want: "death a 54s; a=down b=up"},
			{at: 70 * sec, restart: true, rows: rows("b:up"), want: "a=down b=up"},
			{at: 80 * sec, restart: true, rows: rows("a:up b:up"), want: "recovery a 1m14s; a=up b=up"},
		}},
		{name: "the dead are forgotten although the exporter restarts", forgetAfter: hour, downTime: sec, steps: []step{
			{at: 0, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 10 * sec, rows: rows("b:up"), want: "death a 11s; a=down b=up"},
			{at: 40 * mins, restart: true, rows: rows("b:up"), want: "a=down b=up"},
			{at: 70*mins + 10*sec, restart: true, rows: rows("b:up"), want: "forgotten a; b=up"},
		}},
		{name: "joined and left while the exporter was down", steps: []step{
			{at: 0, rows: rows("a:up:rostered"), want: "a=up"},
			{at: 60 * sec, restart: true, rows: rows("b:up:rostered"), want: "leave a, join b; b=up"},
		}},
		{name: "a restart is no outage", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 61 * sec, restart: true, rows: rows("a:down:beat=0s"), want: "death a 1m1s; a=down"},
		}},
		{name: "a restart within an outage", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 15 * sec, failed: true},
			{at: 30 * sec, restart: true, failed: true},
			{at: 100 * sec, rows: rows("a:down:beat=0s"), want: "a=unknown"},
			{at: 130 * sec, restart: true, rows: rows("a:down:beat=0s"), want: "a=unknown"},
			{at: 160 * sec, rows: rows("a:down:beat=0s"), want: "a=unknown"},
			{at: 161 * sec, rows: rows("a:down:beat=0s"), want: "death a 2m41s; a=down"},
		}},
		{name: "a restart while members without heartbeats are held", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up"), want: "a=up"},
			{at: 5 * sec, failed: true},
			{at: 60 * sec, rows: nil, want: "a=unknown"},
			{at: 62 * sec, restart: true, rows: nil, want: "a=unknown"},
			{at: 64 * sec, rows: nil, want: "death a 1m8s; a=down"},
		}},
		{name: "forced down over a restart", steps: []step{
			{at: 0, rows: rows("a:down:beat=0s:forced"), want: "a=down"},
			{at: 15 * sec, restart: true, rows: rows("a:up:beat=15s:unforced"), want: "forced_up a; a=up"},
		}},
		{name: "fenced over a restart", steps: []step{
			{at: 0, rows: rows("a:down:beat=0s:unforced b:up:unforced"), want: "a=down b=up"},
			{at: 15 * sec, rows: rows("a:down:beat=0s:forced b:down:forced"), want: "forced_down b; a=down(fenced) b=down"},
			{at: 30 * sec, restart: true, rows: rows("a:down:beat=0s:forced b:down:forced"), want: "a=down(fenced) b=down"},
			{at: 45 * sec, rows: rows("a:up:beat=45s:unforced b:down:forced"), want: "forced_up a; a=up b=down"},
		}},
		{name: "fenced while the exporter was down", steps: []step{
			{at: 0, rows: rows("a:down:beat=0s:unforced b:up:unforced"), want: "a=down b=up"},
			{
				at: 15 * sec, restart: true, rows: rows("a:down:beat=0s:forced b:down:forced"),
				want: "forced_down b; a=down(fenced) b=down",
			},
		}},
		{name: "a clock that was set back over a restart", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 10 * sec, restart: true, wallStep: -hour, rows: rows("b:up"), want: "death a 4s; a=down b=up"},
		}},
	}
}

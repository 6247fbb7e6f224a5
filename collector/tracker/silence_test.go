package tracker

func latencyHistories() []history {
	return []history{
		{name: "a heartbeat that goes backwards was withdrawn", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 30 * sec, rows: rows("a:up:beat=25s"), want: "a=up"},
			{at: 45 * sec, rows: rows("a:down:beat=-2h"), want: "death a 20s; a=down"},
		}},
		{name: "a heartbeat that is gone was withdrawn", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 70 * sec, rows: rows("a:down"), want: "death a 1m10s; a=down"},
		}},
		{name: "a heartbeat seen only by the poll that sees the death", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 300 * sec, rows: rows("a:down:beat=100s"), want: "death a 3m20s; a=down"},
		}},
		{name: "a heartbeat in the future proves no latency", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 15 * sec, rows: rows("a:down:beat=2h"), want: "death a; a=down"},
			{at: 30 * sec, rows: rows("a:up:beat=30s"), want: "recovery a; a=up"},
			{at: 100 * sec, rows: rows("a:down:beat=30s"), want: "death a 1m10s; a=down"},
		}},
		{name: "the time that the answer took counts", steps: []step{
			{at: 0, rows: rows("a:up:beat=0s"), want: "a=up"},
			{at: 61 * sec, took: 2 * sec, rows: rows("a:down:beat=0s"), want: "death a 1m3s; a=down"},
		}},
		{name: "an agent recorded the death", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up:rostered"), want: "a=up"},
			{at: 10 * sec, rows: rows("a:down:rostered:died=9900ms"), want: "death a 100ms; a=down"},
			{at: 20 * sec, rows: rows("a:up:rostered"), want: "recovery a 10.1s; a=up"},
		}},
		{name: "an agent whose clock is a little ahead", downTime: 4 * sec, steps: []step{
			{at: 0, rows: rows("a:up:rostered"), want: "a=up"},
			{at: 10 * sec, rows: rows("a:down:rostered:died=13s"), want: "death a 0s; a=down"},
		}},
		{name: "an agent whose clock is far ahead", downTime: 4 * sec, steps: []step{
			{at: 0, rows: rows("a:up:rostered"), want: "a=up"},
			{at: 10 * sec, rows: rows("a:down:rostered:died=16s"), want: "death a; a=down"},
		}},
		{name: "an agent whose clock is far behind", downTime: 4 * sec, steps: []step{
			{at: 0, rows: rows("a:up:rostered"), want: "a=up"},
			{at: 10 * sec, rows: rows("a:down:rostered:died=-1h"), want: "death a 14s; a=down"},
		}},
		{name: "the member's own session timeout", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up:rostered:session=30s"), want: "a=up"},
			{at: 10 * sec, rows: rows("a:down:rostered:session=30s"), want: "death a 40s; a=down"},
		}},
		{name: "the session timeout of a member that is gone", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up:session=30s"), want: "a=up"},
			{at: 10 * sec, rows: nil, want: "death a 40s; a=down"},
		}},
		{name: "a watch told when", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 0, rows: rows("a:up b:up"), want: "a=up b=up"},
			{at: 10 * sec, changed: 9900 * ms, rows: rows("b:up"), want: "death a 4.1s; a=down b=up"},
			{at: 15 * sec, rows: rows("a:up b:up"), want: "recovery a 9.1s; a=up b=up"},
		}},
		{name: "a watch that tells of an earlier change", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 5 * sec, rows: rows("a:up"), want: "a=up"},
			{at: 10 * sec, changed: 4 * sec, rows: nil, want: "death a 9s; a=down"},
		}},
		{name: "a watch that tells of the future", downTime: 4 * sec, noClock: true, steps: []step{
			{at: 5 * sec, rows: rows("a:up"), want: "a=up"},
			{at: 10 * sec, changed: 11 * sec, rows: nil, want: "death a 9s; a=down"},
		}},
		{name: "a member first seen dead", steps: []step{
			{at: 0, rows: rows("a:down:beat=-100s b:down c:down:died=-20s"), want: "a=down b=down c=down"},
			{
				at: 10 * sec, rows: rows("a:up:beat=10s b:up c:up"),
				want: "recovery a 1m50s, recovery b, recovery c 30s; a=up b=up c=up",
			},
		}},
		{name: "a member whose clock was ahead and was put right", steps: []step{
			{at: 0, rows: rows("a:up:beat=50s"), want: "a=up"},
			{at: 10 * sec, rows: rows("a:up:beat=9s"), want: "a=up"},
			{at: 70 * sec, rows: rows("a:down:beat=9s"), want: "death a 1m1s; a=down"},
		}},
		{name: "a member that never beat", steps: []step{
			{at: 0, rows: rows("a:up"), want: "a=up"},
			{at: 70 * sec, rows: rows("a:down"), want: "death a 2m10s; a=down"},
		}},
	}
}

package collector

import "unicode/utf8"

// limits bound what one source may have, and with it the memory that it takes: whatever a backend holds must not take down
// what watches all the others. Who is there when a limit is reached stays; who would come is rejected.
type limits struct{ members, groups int }

// defaultLimits are far above what anybody has: a million members were measured. A member takes about 2 kB with all of its
// series, a group about 6 kB: it has two histograms.
func defaultLimits() limits { return limits{members: 1_000_000, groups: 20_000} }

// full says whether there is no place for one more member of a group. A member of a new group takes a place for that too.
func (t *tracker) full(group string) bool {
	if len(t.records) >= t.limits.members {
		return true
	}
	if t.groups[group] != nil || t.met[group] {
		return false
	}
	if len(t.groups)+len(t.met) >= t.limits.groups {
		return true
	}
	t.met[group] = true
	return false
}

// shorten cuts a text that is too long, and shows that it did.
func shorten(s string, limit int) string {
	const mark = "…"
	if len(s) <= limit {
		return s
	}
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}

// maxError bounds the text of a source's error in bytes: a backend may put anything into one.
const maxError = 4 << 10

// A brief is an error whose text is bounded.
type brief struct{ error }

func (b brief) Error() string { return shorten(b.error.Error(), maxError) }

func (b brief) Unwrap() error { return b.error }

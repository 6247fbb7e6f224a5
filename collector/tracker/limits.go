package tracker

// limits bound how many members and groups one source may have, and with them the memory that it takes. A backend with
// any content must not take down the program that watches all the others. Members that are known when a limit is reached
// stay; new ones are rejected.
type limits struct{ members, groups int }

// defaultLimits returns limits far above any known installation: a million members were measured. A member takes about
// 2 kB with all of its series, and a group about 6 kB for its two histograms.
func defaultLimits() limits { return limits{members: 1_000_000, groups: 20_000} }

// full reports whether one more member of a group would exceed a limit. The first member of a new group counts against the
// limit of groups too.
func (t *Tracker) full(group string) bool {
	if len(t.members) >= t.opts.limits.members {
		return true
	}
	if t.groups[group] != nil || t.newGroups[group] {
		return false
	}
	if len(t.groups)+len(t.newGroups) >= t.opts.limits.groups {
		return true
	}
	t.newGroups[group] = true
	return false
}

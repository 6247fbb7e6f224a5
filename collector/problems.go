package collector

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// problemsOf returns the problems of a poll that found a number of members, sorted by kind and group, at most one of each. It
// adds that none of the source's entries can be used, which would look like a source without members.
func problemsOf(poll *drivers.Poll, members int, changes *tracker.Changes) []drivers.Problem {
	problems := slices.Clone(poll.Problems)
	if members == 0 && len(changes.Rejected) > 0 {
		reasons := slices.Sorted(maps.Keys(changes.Rejected))
		problems = append(problems, drivers.Problem{
			Kind: drivers.ProblemUnmatched,
			Detail: "The source has entries that look like members, but none of them can be used (" + strings.Join(reasons, ", ") +
				"): check that the configuration names the right schema, columns or layout.",
		})
	}
	slices.SortStableFunc(problems, compareProblems)
	return slices.CompactFunc(problems, func(a, b drivers.Problem) bool { return compareProblems(a, b) == 0 })
}

func compareProblems(a, b drivers.Problem) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Group, b.Group))
}

// logProblems logs the problems that began with the last poll, and those that ended with it.
func (s *source) logProblems(before []drivers.Problem) {
	now, lines := s.now.Problems, 0
	for _, p := range missingIn(before, now) {
		if lines++; lines <= logAtMost {
			s.log.Warn("Source can be read but is probably not as it was meant", problemAttributes(p, "detail", p.Detail)...)
		}
	}
	for _, p := range missingIn(now, before) {
		if lines++; lines <= logAtMost {
			s.log.Info("A problem of the source is gone", problemAttributes(p)...)
		}
	}
	if lines > logAtMost {
		s.log.Warn("More problems of the source changed", "not_shown", lines-logAtMost)
	}
}

// missingIn returns the problems of all that are not among those that are known. Both are sorted.
func missingIn(known, all []drivers.Problem) []drivers.Problem {
	return slices.DeleteFunc(slices.Clone(all), func(p drivers.Problem) bool {
		_, found := slices.BinarySearchFunc(known, p, compareProblems)
		return found
	})
}

func problemAttributes(p drivers.Problem, more ...any) []any {
	attributes := []any{"problem", string(p.Kind)}
	if p.Group != "" {
		attributes = append(attributes, "group", p.Group)
	}
	return append(attributes, more...)
}

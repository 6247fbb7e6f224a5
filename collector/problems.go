package collector

import (
	"cmp"
	"slices"

	"servicegroup_exporter/drivers"
)

// sortedProblems returns the problems sorted by kind and group, each once.
func sortedProblems(problems []drivers.Problem) []drivers.Problem {
	sorted := slices.SortedFunc(slices.Values(problems), func(a, b drivers.Problem) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Detail, b.Detail))
	})
	return slices.Compact(sorted)
}

package soak

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A usage is what the program used at some time. heap is the size at which the next garbage collection starts, about twice the
// live heap.
type usage struct{ goroutines, descriptors, heap, resident float64 }

func (u usage) String() string {
	return fmt.Sprintf("goroutines %3.0f, file descriptors %3.0f, heap %5.1f MB, resident %5.1f MB",
		u.goroutines, u.descriptors, u.heap/1e6, u.resident/1e6)
}

// flat compares the last quarter of usages with the second one, and returns an error for each value that has grown. The first
// quarter is ignored, because caches and histories fill in it.
func flat(usages []usage) error {
	quarter := len(usages) / 4
	if quarter < 3 {
		return fmt.Errorf("%d samples are too few", len(usages))
	}
	early, late := usages[quarter:2*quarter], usages[len(usages)-quarter:]
	var errs []error
	compare := func(name string, of func(usage) float64, share, amount float64) {
		before, after := median(early, of), median(late, of)
		if limit := before*(1+share) + amount; after > limit {
			errs = append(errs, fmt.Errorf("%s grew from %.0f to %.0f, above %.0f", name, before, after, limit))
		}
	}
	compare("goroutines", func(u usage) float64 { return u.goroutines }, 0.1, 10)
	compare("file descriptors", func(u usage) float64 { return u.descriptors }, 0.1, 5)
	compare("heap", func(u usage) float64 { return u.heap }, 0.1, 8e6)
	compare("resident memory", func(u usage) float64 { return u.resident }, 0.1, 16e6)
	return errors.Join(errs...)
}

func median(usages []usage, of func(usage) float64) float64 {
	values := make([]float64, len(usages))
	for i, u := range usages {
		values[i] = of(u)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func TestFlat(t *testing.T) {
	grow := func(change func(u *usage, part float64)) error {
		var usages []usage
		for i := range 60 {
			u := usage{goroutines: 50 + 5*math.Sin(float64(i)), descriptors: 20, heap: 20e6, resident: 60e6}
			change(&u, float64(i)/60)
			usages = append(usages, u)
		}
		return flat(usages)
	}
	require.NoError(t, grow(func(*usage, float64) {}))
	require.NoError(t, grow(func(u *usage, part float64) { u.heap += 20e6 * min(part, 0.25) }), "the heap grows only in the first quarter")
	require.ErrorContains(t, grow(func(u *usage, part float64) { u.goroutines += 40 * part }), "goroutines grew from 6")
	require.ErrorContains(t, grow(func(u *usage, part float64) { u.descriptors += 30 * part }), "file descriptors grew")
	require.ErrorContains(t, grow(func(u *usage, part float64) { u.heap += 40e6 * part }), "heap grew")
	require.ErrorContains(t, grow(func(u *usage, part float64) { u.resident += 80e6 * part }), "resident memory grew")
	require.ErrorContains(t, flat(nil), "0 samples are too few")
}

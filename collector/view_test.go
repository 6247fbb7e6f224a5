package collector

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/exposition"
)

// A hurried scrape that gets no answer, and of whose source nothing recent is known, is the only one to which the source is unknown.
func TestASourceIsUnknownToOneWaiterAlone(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		slow, quick := answeringAfter(ms, "x:up y:down"), answeringAfter(ms, "z:up")
		b.apply(slow, quick)
		b.scrape(9500 * ms)
		before := b.text()
		time.Sleep(DefaultPollTimeout)
		slow.slow(2*sec, "x:up y:down")
		var patient sync.WaitGroup
		patient.Go(func() {
			shown := b.visible(t, 9500*ms)
			assert.Contains(t, shown, `servicegroup_source_up{source="a"} 1`)
			assert.Contains(t, shown, `member="x",source="a",zone=""} 1`)
		})
		time.Sleep(ms)
		for range 2 {
			shown := b.visible(t, 500*ms)
			require.Contains(t, shown, `servicegroup_source_up{source="a"} 0`)
			require.NotContains(t, shown, `service_up{binary="",group="g",member="x",source="a",zone=""}`)
			require.NotContains(t, shown, `servicegroup_source_unknown_members{source="a"}`)
			require.Contains(t, shown, `servicegroup_members{group="g",source="a",state="unknown"} 2`)
			require.Contains(t, shown, `servicegroup_group_known{group="g",source="a"} 0`)
			require.Contains(t, shown, `servicegroup_source_up{source="b"} 1`)
			require.Contains(t, shown, `service_up{binary="",group="g",member="z",source="b",zone=""} 1`)
			require.Contains(t, shown, `servicegroup_label_check{`)

			snapshot := b.Snapshots()[0]
			require.True(t, snapshot.Readable, "pages, API and bridge")
			require.NoError(t, snapshot.Err)
			require.True(t, snapshot.Groups[0].Known)
			require.Contains(t, b.text(), `servicegroup_source_up{source="a"} 1`)
		}
		patient.Wait()
		require.Equal(t, strings.Count(before, "\n"), strings.Count(b.text(), "\n"))
		require.Empty(t, b.log.String())
		b.requireTimeouts("a", 0)
	})
}

// visible returns what a scrape with a timeout shows.
func (b *bench) visible(t *testing.T, timeout time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	view := b.Poll(ctx)
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(b.Collector))
	gathered, err := registry.Gather()
	require.NoError(t, err)
	gathered, err = view.Correct(gathered)
	require.NoError(t, err)
	var text bytes.Buffer
	encoder := exposition.NewEncoder(&text, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range gathered {
		require.NoError(t, encoder.Gathered(family))
	}
	for _, family := range view.Families() {
		require.NoError(t, encoder.Family(&family))
	}
	require.NoError(t, encoder.Close())
	return text.String()
}

package collector

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDetection(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		second, first := answering("b2:up:beat=0s"), answering("a1:up a2:up")
		b.apply(first, second)
		b.scrape(time.Second)
		detections := b.Detection()
		require.Len(t, detections, 2)
		for i, source := range []string{"a", "b"} {
			require.Equal(t, source, detections[i].Source)
			require.Equal(t, "g", detections[i].Group)
			require.Zero(t, detections[i].Count)
		}

		time.Sleep(65 * time.Second)
		second.say("b2:down:beat=0s")
		b.scrape(time.Second)
		d := b.Detection()[1]
		require.EqualValues(t, 1, d.Count)
		require.Equal(t, 65*time.Second, d.Sum)
		require.Contains(t, d.Buckets, DetectionBucket{60 * time.Second, 0})
		require.Contains(t, d.Buckets, DetectionBucket{75 * time.Second, 1})
		require.Equal(t, DetectionBucket{600 * time.Second, 1}, d.Buckets[len(d.Buckets)-1])
		require.Zero(t, b.Detection()[0].Count)
	})
}

package exposition

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// formats are all that client_golang can be asked for, and one that it does not offer yet.
func formats() []expfmt.Format {
	var all []expfmt.Format
	for _, f := range append(expfmt.DefaultOpenMetricsAcceptedFormats(), expfmt.FmtOpenMetrics_2_0_0) {
		for _, scheme := range []model.EscapingScheme{model.NoEscaping, model.UnderscoreEscaping, model.DotsEscaping} {
			all = append(all, f.WithEscapingScheme(scheme))
		}
	}
	return all
}

// randomFamily has values and labels that formats write in different ways.
func randomFamily(rng *rand.Rand) *Family {
	f := &Family{Name: "a_family", Help: pick(rng, "", "Help.", `With "quotes", a \ and`+"\n a line's end.", "é")}
	if f.Counter = rng.IntN(2) == 0; f.Counter {
		f.Name += "_total"
	}
	names := []string{"a", "b_1", "zone"}[:rng.IntN(4)]
	type series struct {
		labels *Labels
		value  float64
	}
	var all []series
	for range rng.IntN(40) {
		var values []string
		for range names {
			values = append(values, pick(rng, "", "x", "é", `"`, `\`, "\n", `\n`, "a,b={}", strings.Repeat("long ", rng.IntN(3000))))
		}
		value := pick(rng, 0, 1, 2, 100, 0.1, 1e21, 1e20, 1.7959142231234567e9, math.MaxFloat64, math.SmallestNonzeroFloat64)
		if !f.Counter {
			value = pick(rng, value, -value, math.NaN(), math.Inf(1), math.Inf(-1))
		}
		all = append(all, series{NewLabels(names, values...), value})
	}
	f.Series = func(yield func(*Labels, float64) bool) {
		for _, s := range all {
			if !yield(s.labels, s.value) {
				return
			}
		}
	}
	return f
}

func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// The encoder writes what client_golang writes, in every format, also the second time, when labels are encoded already.
func TestTheSameAsClientGolang(t *testing.T) {
	for _, format := range formats() {
		t.Run(string(format), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			for range 10 {
				family := randomFamily(rng)
				var want, got bytes.Buffer
				reference := expfmt.NewEncoder(&want, format)
				encoder := NewEncoder(&got, format)
				gathered := &dto.MetricFamily{
					Name: new("other"), Type: dto.MetricType_GAUGE.Enum(), Metric: []*dto.Metric{{Gauge: &dto.Gauge{Value: new(2.0)}}},
				}
				for range 2 {
					if all := family.DTO(); all != nil {
						require.NoError(t, reference.Encode(all))
					}
					require.NoError(t, encoder.Family(family))
					require.NoError(t, reference.Encode(gathered))
					require.NoError(t, encoder.Gathered(gathered))
				}
				require.NoError(t, reference.(expfmt.Closer).Close())
				require.NoError(t, encoder.Close())
				// Protobuf's text formats have random blanks.
				if kind := format.FormatType(); kind != expfmt.TypeProtoText && kind != expfmt.TypeProtoCompact {
					require.Equal(t, want.String(), got.String())
				} else {
					require.Equal(t, strings.Fields(want.String()), strings.Fields(got.String()))
				}
			}
		})
	}
}

// broken is a connection that breaks after some bytes.
type broken struct{ left int }

var errBroken = errors.New("broken")

func (b *broken) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestWritesThatFailAreNoticed(t *testing.T) {
	long := NewLabels([]string{"a"}, strings.Repeat("x", 3*bufferSize/4))
	family := &Family{Name: "a", Series: func(yield func(*Labels, float64) bool) {
		for range 4 {
			if !yield(long, 1) {
				return
			}
		}
	}}
	for _, format := range formats() {
		for _, left := range []int{0, bufferSize, 2 * bufferSize} {
			encoder := NewEncoder(&broken{left}, format)
			require.ErrorIs(t, errors.Join(encoder.Family(family), encoder.Close()), errBroken)
			require.ErrorIs(t, encoder.Err(), errBroken)
		}
	}
}

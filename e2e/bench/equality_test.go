package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/web"
)

// A randomDriver reads members that come, go and change at random. Some polls fail.
type randomDriver struct {
	rng     *rand.Rand
	members []drivers.Member
}

func (d *randomDriver) Close() error { return nil }

func (d *randomDriver) Members(context.Context) (*drivers.Poll, error) {
	if d.rng.IntN(5) == 0 {
		return nil, drivers.Unavailable(drivers.ReasonConnect, errors.New("broken"))
	}
	if d.rng.IntN(3) > 0 { // Otherwise nothing has changed.
		for range 1 + d.rng.IntN(3) {
			d.change()
		}
	}
	return &drivers.Poll{Members: append([]drivers.Member(nil), d.members...), Now: time.Now(), DownTime: time.Minute}, nil
}

func (d *randomDriver) change() {
	if len(d.members) < 3 || d.rng.IntN(3) == 0 {
		d.members = append(d.members, drivers.Member{
			Group: pick(d.rng, "compute", "a", "z\"\\\n"), Name: pick(d.rng, "é", "host", "x") + strconv.Itoa(d.rng.IntN(10)),
			Binary: pick(d.rng, "", "a", "nova-compute"), Rostered: d.rng.IntN(2) == 0, UUID: pick(d.rng, "", "1", "2"),
		})
		return
	}
	i := d.rng.IntN(len(d.members))
	if d.rng.IntN(6) == 0 {
		d.members = append(d.members[:i], d.members[i+1:]...)
		return
	}
	m := &d.members[i]
	m.Up = d.rng.IntN(2) == 0
	m.ForcedDown, m.Enabled = drivers.Flag(d.rng.IntN(3)), drivers.Flag(d.rng.IntN(3))
	m.Up = m.Up && m.ForcedDown != drivers.FlagYes
	m.DisabledReason, m.Version, m.Zone = pick(d.rng, "", `"why"`), pick(d.rng, "", "61"), pick(d.rng, "", "az1")
	if d.rng.IntN(2) == 0 {
		m.LastHeartbeat = time.Now().Add(-time.Duration(d.rng.IntN(100)) * time.Second / 7)
	}
}

func pick(rng *rand.Rand, of ...string) string { return of[rng.IntN(len(of))] }

// A pair is one collector behind two handlers: this program's own, and promhttp's with constant metrics.
type pair struct {
	*collector.Collector
	reference     *constMetrics
	ours, theirs  http.Handler
	rng           *rand.Rand
	compat        bool
	randomDrivers []*randomDriver
}

func newPair(t *testing.T, seed uint64) *pair {
	histograms, own, reference := prometheus.NewRegistry(), prometheus.NewRegistry(), prometheus.NewPedanticRegistry()
	compat := seed%2 == 0
	c, err := collector.New(collector.Options{Registerer: histograms, CompatOpenStackExporter: compat})
	require.NoError(t, err)
	p := &pair{Collector: c, reference: newConstMetrics(c), compat: compat, rng: rand.New(rand.NewPCG(seed, 1))}
	own.MustRegister(c)
	reference.MustRegister(p.reference)
	o := web.Options{Settings: web.DefaultSettings(), Logger: slog.New(slog.DiscardHandler)}
	o.Gatherer, o.Families = prometheus.Gatherers{histograms, own}, c.Families
	o.Registerer, o.Poll = prometheus.NewRegistry(), func(context.Context) web.View { return nil }
	p.ours, err = web.New(o)
	require.NoError(t, err)
	p.theirs = promhttp.HandlerFor(prometheus.Gatherers{histograms, reference}, promhttp.HandlerOpts{EnableOpenMetrics: true})
	for i := range 4 {
		p.randomDrivers = append(p.randomDrivers, &randomDriver{rng: rand.New(rand.NewPCG(seed, uint64(i)+2))})
	}
	return p
}

// reload applies random sources with random settings.
func (p *pair) reload(t *testing.T) {
	p.reference.upOnly, p.reference.service = make(map[string]bool), make(map[string]string)
	var configs []collector.SourceConfig
	for i, d := range p.randomDrivers[p.rng.IntN(2):] {
		cfg := collector.SourceConfig{
			Name: fmt.Sprint("source", i), Service: pick(p.rng, "nova", "nova", "cinder", "neutron", ""), UpOnly: p.rng.IntN(3) == 0,
			Open: func() (drivers.Driver, error) { return d, nil },
		}
		cfg.Fingerprint = fmt.Sprint(cfg.Service, cfg.UpOnly, d)
		configs = append(configs, cfg)
		p.reference.upOnly[cfg.Name] = cfg.UpOnly
		if p.compat {
			p.reference.service[cfg.Name] = cfg.Service
		}
	}
	require.NoError(t, p.Apply(configs))
}

// compare sends the same request to both handlers. Families must come in the same order, the series of a family in any order.
func (p *pair) compare(t *testing.T, query, accept, encoding string) {
	t.Helper()
	ask := func(h http.Handler) (http.Header, []string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics"+query, nil)
		r.Header.Set("Accept", accept)
		r.Header.Set("Accept-Encoding", encoding)
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		require.Equal(t, http.StatusOK, answer.Code, answer.Body)
		body := io.Reader(answer.Body)
		if answer.Header().Get("Content-Encoding") == "gzip" {
			var err error
			body, err = gzip.NewReader(body)
			require.NoError(t, err)
		}
		return answer.Header(), sortedFamilies(t, body, expfmt.ResponseFormat(answer.Header()))
	}
	ourHeader, our := ask(p.ours)
	theirHeader, their := ask(p.theirs)
	require.Equal(t, their, our)
	for _, name := range []string{"Content-Type", "Content-Encoding", "Vary"} {
		require.Equal(t, theirHeader.Values(name), ourHeader.Values(name), name)
	}
}

// sortedFamilies returns an exposition as one text per family, with the lines of its series sorted. It fails if a family is
// in two places, or a line appears twice.
func sortedFamilies(t *testing.T, body io.Reader, format expfmt.Format) []string {
	t.Helper()
	text, err := io.ReadAll(body)
	require.NoError(t, err)
	if format.FormatType() == expfmt.TypeProtoDelim {
		text = protobufToText(t, text)
	}
	var families []string
	seen := make(map[string]bool)
	for family := range strings.SplitSeq(string(text), "# HELP ") {
		name, _, _ := strings.Cut(family, " ")
		require.False(t, seen[name], "family %s is in two places", name)
		seen[name] = true
		lines := strings.Split(family, "\n")
		slices.Sort(lines)
		for i, line := range lines[1:] {
			require.True(t, line == "" || line != lines[i], "this line appears twice: %s", line)
		}
		families = append(families, strings.Join(lines, "\n"))
	}
	return families
}

// protobufToText returns the families of a protobuf exposition as text, with all fields of each series.
func protobufToText(t *testing.T, body []byte) []byte {
	t.Helper()
	var text bytes.Buffer
	decoder := expfmt.NewDecoder(bytes.NewReader(body), expfmt.NewFormat(expfmt.TypeProtoDelim))
	for {
		var family dto.MetricFamily
		err := decoder.Decode(&family)
		if errors.Is(err, io.EOF) {
			return text.Bytes()
		}
		require.NoError(t, err)
		fmt.Fprintf(&text, "# HELP %s %s %s\n", family.GetName(), family.GetHelp(), family.GetType())
		for _, m := range family.GetMetric() {
			series, err := json.Marshal(m)
			require.NoError(t, err)
			fmt.Fprintf(&text, "%s\n", series)
		}
	}
}

// protobufAccepts is the Accept header of a Prometheus that prefers protobuf.
const protobufAccepts = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7," +
	prometheusAccepts

// After any changes, the exposition equals the one of client_golang with constant metrics, apart from the order of series.
func TestExpositionEqualsClientGolang(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, seed)
				defer p.Close()
				for step := range 30 {
					if step%10 == 0 {
						p.reload(t)
					}
					time.Sleep(time.Duration(p.rng.IntN(40)) * time.Second)
					p.Poll(t.Context())
					query := pick(p.rng, "", "", "?name[]=service_up&name[]=servicegroup_source_up&name[]=none")
					p.compare(t, query, pick(p.rng, "", prometheusAccepts, protobufAccepts), pick(p.rng, "", "gzip"))
				}
			})
		})
	}
}

// Both handlers choose the same content coding for every Accept-Encoding header.
func TestContentCodingEqualsClientGolang(t *testing.T) {
	p := newPair(t, 1)
	defer p.Close()
	p.reload(t)
	for _, encoding := range []string{
		"", "gzip", "gzip, deflate, br", "identity", "*", "gzip;q=0", "gzip;q=0.5", "gzip;q=1.0, identity;q=0.5",
		"identity;q=0.5, *;q=0.9", "gzip;q=0.2, *;q=0.1", "gzip;q=0.1, identity;q=0.2", "deflate", "zstd", "gzip;q=x", "gzip;level=1",
		"gzip ; q=0.3", "gzip;q=2", "identity, gzip", "identity;q=0, gzip;q=0", ";;", "br;q=1.0, gzip;q=0.8, *;q=0.1",
	} {
		t.Run(encoding, func(t *testing.T) { p.compare(t, "", "", encoding) })
	}
}

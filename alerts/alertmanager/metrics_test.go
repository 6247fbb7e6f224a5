package alertmanager

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
)

// The series of an Alertmanager start at zero, and are removed with its last client.
func TestMetrics(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	metrics, err := NewMetrics(registry)
	require.NoError(t, err)
	client := func(url string) *Client {
		c, err := New(Options{Config: configOf(t, url), Validity: time.Minute, Metrics: metrics, Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, err)
		return c
	}
	c := client("http://user:hunter2@am1:9093/prefix/")
	require.Equal(t, "http://am1:9093/prefix", c.Name())
	text, err := testutil.GatherAndFormat(registry, expfmt.TypeTextPlain, metricNames(t, registry)...)
	require.NoError(t, err)
	want, err := os.ReadFile("testdata/metrics.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), string(text))
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	require.Empty(t, problems)

	other := client("http://am2:9093")
	replacement := client("http://am1:9093/prefix")
	c.series.setMismatches(map[string]int{"cluster": 1})
	count := func() int {
		n, err := testutil.GatherAndCount(registry)
		require.NoError(t, err)
		return n
	}
	require.Equal(t, 2*14+1, count())
	c.Close()
	c.Close()
	require.Equal(t, 2*14+1, count())
	replacement.Close()
	require.Equal(t, 14, count())
	replacement.series.setMismatches(map[string]int{"cluster": 1})
	replacement.Send(alertOf("m1"))
	require.Equal(t, 14, count(), "no series is created after Close")
	other.Close()
	require.Equal(t, 0, count())

	_, err = NewMetrics(registry)
	require.ErrorContains(t, err, "registering metrics: duplicate metrics collector registration attempted")
	_, err = NewMetrics(nil)
	require.NoError(t, err)
}

func metricNames(t *testing.T, g prometheus.Gatherer) (names []string) {
	t.Helper()
	families, err := g.Gather()
	require.NoError(t, err)
	for _, f := range families {
		names = append(names, f.GetName())
	}
	return names
}

// A secret from a file is sent without the mark that editors on Windows write before a text, or not at all.
func TestSecretWithByteOrderMark(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	for place, set := range map[string]func(*config.Alertmanager){
		"password": func(c *config.Alertmanager) { c.BasicAuth = &promconfig.BasicAuth{Username: "u", PasswordFile: file} },
		"user":     func(c *config.Alertmanager) { c.BasicAuth = &promconfig.BasicAuth{UsernameFile: file} },
		"token":    func(c *config.Alertmanager) { c.Authorization = &promconfig.Authorization{CredentialsFile: file} },
		"client secret": func(c *config.Alertmanager) {
			c.OAuth2 = &promconfig.OAuth2{ClientID: "u", ClientSecretFile: file, TokenURL: "http://login"}
		},
		"header": func(c *config.Alertmanager) {
			c.HTTPHeaders = &promconfig.Headers{Headers: map[string]promconfig.Header{"X-Key": {Files: []string{file}}}}
		},
	} {
		for text, refused := range map[string]bool{
			"hunter2": false, "h": false, "": false, "hunter2\ufeff": false,
			"\ufeffhunter2\n": true, "\xff\xfeh\x00": true, "\xfe\xff\x00h": true,
		} {
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			c := configOf(t, "http://am:9093")
			set(&c)
			clients, err := NewClients(Options{Config: c, Validity: time.Minute, Metrics: newMetrics(), Logger: slog.New(slog.DiscardHandler)})
			if !refused {
				require.NoError(t, err, "%s %q", place, text)
				clients.Close()
				continue
			}
			require.ErrorContains(t, err, file+" begins with a byte order mark", "%s %q", place, text)
			require.NotContains(t, err.Error(), "hunter2")
		}
	}
	c := configOf(t, "http://am:9093")
	c.BasicAuth = &promconfig.BasicAuth{Username: "u", PasswordFile: file + ".absent"}
	clients, err := NewClients(Options{Config: c, Validity: time.Minute, Metrics: newMetrics(), Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err, "it may be mounted later")
	clients.Close()
}

func TestBadOptions(t *testing.T) {
	metrics, err := NewMetrics(nil)
	require.NoError(t, err)
	logger := slog.New(slog.DiscardHandler)
	_, err = New(Options{Config: configOf(t, am), Metrics: metrics, Logger: logger})
	require.EqualError(t, err, "creating an Alertmanager client: Validity, Metrics and Logger must be set")
	_, err = New(Options{Config: config.DefaultAlertmanager(), Validity: 1, Metrics: metrics, Logger: logger})
	require.ErrorContains(t, err, "url: is missing")
	c := configOf(t, am)
	c.TLSConfig.CAFile = "absent.pem"
	_, err = New(Options{Config: c, Validity: 1, Metrics: metrics, Logger: logger})
	require.ErrorContains(t, err, "setting up HTTP for http://am:9093: ")
	require.ErrorContains(t, err, "absent.pem")
	require.NotContains(t, err.Error(), "\n")
}

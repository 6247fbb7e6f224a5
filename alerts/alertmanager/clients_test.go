package alertmanager

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/internal/testserver"
)

// names is a resolver whose answers a test sets.
type names struct {
	mu        sync.Mutex
	addresses []netip.Addr
	err       error
	asked     []time.Time
}

func (n *names) set(err error, addresses ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err, n.addresses = err, nil
	for _, a := range addresses {
		n.addresses = append(n.addresses, netip.MustParseAddr(a))
	}
}

func (n *names) lookup(_ context.Context, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, time.Now())
	if host != "alertmanager.test" {
		return nil, fmt.Errorf("unexpected name %q", host)
	}
	return n.addresses, n.err
}

func (n *names) times() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.asked)
}

// testClients are clients with their own registry and log.
type testClients struct {
	*Clients
	t        *testing.T
	registry *prometheus.Registry
	log      *testserver.Log
	added    chan struct{}
}

func newTestClients(t *testing.T, url string, n *names, change func(*Options)) *testClients {
	t.Helper()
	c := &testClients{t: t, registry: prometheus.NewPedanticRegistry(), log: &testserver.Log{}, added: make(chan struct{}, 100)}
	metrics, err := NewMetrics(c.registry)
	require.NoError(t, err)
	o := Options{
		Config: configOf(t, url), Validity: 30 * time.Second, Metrics: metrics, Logger: slog.New(slog.NewTextHandler(c.log, nil)),
		Lookup: n.lookup, AddressAdded: func() { c.added <- struct{}{} },
	}
	if change != nil {
		change(&o)
	}
	c.Clients, err = NewClients(o)
	require.NoError(t, err)
	return c
}

// start runs the clients until the test ends, or until stop is called.
func (c *testClients) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		c.Run(ctx)
		close(ended)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	c.t.Cleanup(stop)
	return stop
}

// ups returns servicegroup_notifications_alertmanager_up, by the label "alertmanager".
func (c *testClients) ups() map[string]string {
	c.t.Helper()
	text, err := testutil.GatherAndFormat(c.registry, expfmt.TypeTextPlain, "servicegroup_notifications_alertmanager_up")
	require.NoError(c.t, err)
	found := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, `servicegroup_notifications_alertmanager_up{alertmanager="`); ok {
			name, value, _ := strings.Cut(strings.TrimSuffix(rest, "\n"), `"} `)
			found[name] = value
		}
	}
	return found
}

func (c *testClients) eventuallyUp(want map[string]string) {
	c.t.Helper()
	testserver.Eventually(c.t, func() bool { return fmt.Sprint(c.ups()) == fmt.Sprint(want) }, patience, 5*time.Millisecond, "series %v", want)
}

const silent = "route: {receiver: none}\nreceivers: [{name: none}]\n"

// Each address of a name gets each alert, whatever happens to the others.
func TestEveryAddressGetsAlerts(t *testing.T) {
	t.Parallel()
	port := testserver.Port(t)
	at := func(address string) string {
		return netip.AddrPortFrom(netip.MustParseAddr(address), uint16(port)).String()
	}
	second, third, six := testserver.AlertmanagerOn(t, at("127.0.0.2"), silent), testserver.AlertmanagerOn(t, at("127.0.0.3"), silent),
		testserver.AlertmanagerOn(t, at("::1"), silent)
	n := &names{}
	n.set(nil, "127.0.0.3", "127.0.0.2", "::ffff:127.0.0.2")
	name := fmt.Sprintf("http://alertmanager.test:%d", port)
	c := newTestClients(t, name+"/", n, func(o *Options) { o.probeInterval = 10 * time.Millisecond })
	c.Send(alertOf("early")) // before the name was looked up
	require.Empty(t, c.ups())
	stop := c.start()
	has := func(server *testserver.AM, n int) {
		t.Helper()
		eventually(t, "the alerts", func() bool { return len(server.Alerts()) == n })
	}
	has(second, 1)
	has(third, 1)
	c.eventuallyUp(map[string]string{name + " (127.0.0.2)": "1", name + " (127.0.0.3)": "1"})
	require.Empty(t, six.Alerts())
	require.Empty(t, c.added, "the first addresses have all alerts")

	third.Freeze()
	c.Send(many(3)...)
	has(second, 4) // One that hangs delays no other.
	third.Thaw()
	has(third, 4)

	n.set(nil, "127.0.0.3", "::1")
	second.Kill() // Its client looks the name up.
	c.eventuallyUp(map[string]string{name + " (127.0.0.3)": "1", name + " (::1)": "1"})
	<-c.added
	c.Send(many(5)...)
	has(third, 6)
	has(six, 5)
	second.Start()
	c.Send(alertOf("late"))
	has(third, 7)
	has(six, 6)
	require.Empty(t, second.Alerts(), "its address is gone")

	n.set(errors.New("the resolver does not answer"))
	third.Kill()
	eventually(t, "a warning", func() bool {
		return strings.Contains(c.log.String(), "can't be resolved, its last known addresses stay in use")
	})
	c.Send(alertOf("later"))
	has(six, 7)
	third.Start()
	has(third, 1) // what was not posted while it was away
	n.set(nil, "127.0.0.3", "::1")
	third.Kill()
	eventually(t, "the name", func() bool { return strings.Contains(c.log.String(), "Alertmanager's name can be resolved again") })
	stop()
	require.Empty(t, c.ups())
	require.Equal(t, 1, strings.Count(c.log.String(), "can't be resolved"))
	require.Contains(t, c.log.String(), `msg="Alerts are posted to the addresses of Alertmanager's name" alertmanager=`+name+` addresses="[127.0.0.2 127.0.0.3]"`)
}

// Alerts that a client has not posted when its address goes are posted to the addresses that come.
func TestAnAddressThatReplacesAnother(t *testing.T) {
	t.Parallel()
	port := testserver.Port(t)
	n := &names{}
	n.set(nil, "127.0.0.4") // Nothing listens there.
	name := fmt.Sprintf("http://alertmanager.test:%d", port)
	c := newTestClients(t, name, n, nil)
	c.start()
	c.Send(many(3)...)
	c.eventuallyUp(map[string]string{name + " (127.0.0.4)": "0"})
	server := testserver.AlertmanagerOn(t, fmt.Sprintf("127.0.0.5:%d", port), silent)
	n.set(nil, "127.0.0.5")
	c.eventuallyUp(map[string]string{name + " (127.0.0.5)": "1"})
	eventually(t, "the alerts", func() bool { return len(server.Alerts()) == 3 })
}

// A name that can't be resolved is a failure like others, and costs no alert.
func TestANameThatCannotBeResolved(t *testing.T) {
	t.Parallel()
	port := testserver.Port(t)
	server := testserver.AlertmanagerOn(t, fmt.Sprintf("127.0.0.6:%d", port), silent)
	name := fmt.Sprintf("http://alertmanager.test:%d", port)
	for kind, err := range map[string]error{"error": errors.New("SERVFAIL"), "no address": nil, "no such name": &net.DNSError{IsNotFound: true, Err: "no such host"}} {
		n := &names{}
		n.set(err)
		c := newTestClients(t, name, n, nil)
		stop := c.start()
		c.Send(alertOf(kind))
		c.eventuallyUp(map[string]string{name: "0"})
		eventually(t, "the reason", func() bool { return strings.Contains(c.log.String(), "no such host") })
		n.set(nil, "127.0.0.6")
		c.eventuallyUp(map[string]string{name + " (127.0.0.6)": "1"})
		eventually(t, "the alert", func() bool {
			for _, a := range server.Alerts() {
				if a.Labels["member"] == kind {
					return true
				}
			}
			return false
		})
		require.NotContains(t, c.log.String(), "last known", "there were none")
		stop()
	}
}

// The server sees the name, and its certificate must be for the name.
func TestTheNameStaysInRequests(t *testing.T) {
	t.Parallel()
	authority := testserver.NewAuthority(t)
	for certified, right := range map[string]bool{"alertmanager.test": true, "127.0.0.1": false} {
		hosts := make(chan string, 100)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { hosts <- r.Host + " " + r.TLS.ServerName }))
		own := authority.Issue(certified)
		certificate, err := tls.LoadX509KeyPair(own.CertFile, own.KeyFile)
		require.NoError(t, err)
		server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
		server.Config.ErrorLog = log.New(&testserver.Log{}, "", 0)
		server.StartTLS()
		t.Cleanup(server.Close)
		_, port, err := net.SplitHostPort(server.Listener.Addr().String())
		require.NoError(t, err)
		n := &names{}
		n.set(nil, "127.0.0.1")
		c := newTestClients(t, "https://alertmanager.test:"+port, n, func(o *Options) { o.Config.TLSConfig.CAFile = authority.File })
		c.start()
		if right {
			require.Equal(t, "alertmanager.test:"+port+" alertmanager.test", <-hosts)
		} else {
			eventually(t, "a refusal", func() bool { return strings.Contains(c.log.String(), "match alertmanager.test") })
			require.Empty(t, hosts)
		}
	}
}

// A name is looked up each 30 s, and after a request that got no answer, but not more often than each second.
func TestWhenNamesAreLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := &names{}, &fake{}
		n.set(nil, "127.0.0.1")
		c := newTestClients(t, "http://alertmanager.test:9093", n, func(o *Options) { o.Transport = f })
		stop := c.start()
		time.Sleep(95 * time.Second)
		require.Equal(t, 4, n.times())
		f.set(func() { f.down = true })
		c.Send(alertOf("m1"))
		time.Sleep(10 * time.Second)
		require.GreaterOrEqual(t, n.times(), 4+4)
		require.LessOrEqual(t, n.times(), 4+11)
		for i, at := range n.asked[1:] {
			require.GreaterOrEqual(t, at.Sub(n.asked[i]), minLookupInterval)
		}
		f.set(func() { f.down = false })
		time.Sleep(10 * time.Second)
		before := n.times()
		time.Sleep(lookupInterval)
		require.Equal(t, before+1, n.times())
		require.Len(t, f.accepted(), 1)
		stop()
	})
}

func TestWhichNamesAreLookedUp(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://proxy:3128")
	proxy := func(c *config.Alertmanager) {
		c.ProxyURL = promconfig.URL{URL: &url.URL{Scheme: "http", Host: "proxy:3128"}}
	}
	for name, test := range map[string]struct {
		url    string
		change func(*config.Alertmanager)
		want   string
	}{
		"name":                     {"http://am:9093", nil, "am"},
		"name of several parts":    {"https://am.example.com/prefix", nil, "am.example.com"},
		"IPv4":                     {"http://10.0.0.5:9093", nil, ""},
		"IPv6":                     {"http://[2001:db8::5]:9093", nil, ""},
		"IPv6 with a zone":         {"http://[fe80::1%25eth0]:9093", nil, ""},
		"localhost":                {"http://LOCALHOST:9093", nil, ""},
		"below localhost":          {"http://am.localhost.:9093", nil, ""},
		"name that is not ASCII":   {"http://bücher.example:9093", nil, ""},
		"proxy":                    {"http://am:9093", proxy, ""},
		"proxy, but not for it":    {"http://am:9093", func(c *config.Alertmanager) { proxy(c); c.NoProxy = "am" }, "am"},
		"proxy, but for others":    {"http://am:9093", func(c *config.Alertmanager) { proxy(c); c.NoProxy = "other" }, ""},
		"proxy of the environment": {"http://am:9093", func(c *config.Alertmanager) { c.ProxyFromEnvironment = true }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := configOf(t, test.url)
			if test.change != nil {
				test.change(&c)
			}
			require.Equal(t, test.want, hostToResolve(&c))
			o := Options{Config: c, Validity: time.Minute, Metrics: newMetrics(), Logger: slog.New(slog.DiscardHandler)}
			clients, err := NewClients(o)
			require.NoError(t, err)
			require.Equal(t, test.want, clients.host)
			clients.Close()
		})
	}
	_, err := NewClients(Options{})
	require.Error(t, err)
}

func TestUsableAddresses(t *testing.T) {
	parse := func(texts ...string) (all []netip.Addr) {
		for _, text := range texts {
			all = append(all, netip.MustParseAddr(text))
		}
		return all
	}
	require.Equal(t, parse("127.0.0.1", "127.0.0.2", "::1"), usable(parse("::1", "127.0.0.2", "::ffff:127.0.0.1", "127.0.0.2", "127.0.0.1")))
	require.Equal(t, parse("127.0.0.1"), usable(parse("fe80::1%nowhere", "127.0.0.1")), "there is no route to the other")
	require.Equal(t, parse("fe80::1%nowhere"), usable(parse("fe80::1%nowhere")), "there is a route to none")
	require.Empty(t, usable(nil))
}

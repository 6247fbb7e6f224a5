package alertmanager

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"sync"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

// A Report is what one server of an Alertmanager says about itself.
type Report struct {
	// Address is the address of the server if the name has several that get alerts, see [Clients]; otherwise it is not valid.
	Address netip.Addr
	Err     error // why the server can't be used; the fields below are then empty

	Version string
	Cluster string // "ready", "settling", or "disabled" for a single instance
	Peers   int    // of the cluster, itself included
	// GroupWait is the longest group_wait of its routes.
	GroupWait time.Duration
	HasDate   bool // whether its answers have a Date header
	// DateOffset is that header minus this machine's clock: zero while both may be
	// equal, since the header has whole seconds. A proxy may have written it, so it is not Alertmanager's clock.
	DateOffset time.Duration
	// ClockDoubtful is true if the client posts alerts without times because of this header, until Alertmanager itself has said when it
	// received an alert.
	ClockDoubtful bool
	TLS           *tls.ConnectionState // nil: the connection is not encrypted
	Alerts        []*Alert             // the active alerts
}

// Inspect asks every server that gets alerts for its status and its alerts, and posts nothing. There is at least one report.
func Inspect(ctx context.Context, c *config.Alertmanager) []*Report { return inspect(ctx, c, lookup) }

func inspect(ctx context.Context, c *config.Alertmanager, lookup func(context.Context, string) ([]netip.Addr, error)) []*Report {
	addresses := []netip.Addr{{}}
	if host := hostToResolve(c); host != "" {
		if found, err := lookup(ctx, host); err == nil && len(usable(found)) > 1 { // The request itself says why a lookup fails.
			addresses = usable(found)
		}
	}
	reports := make([]*Report, len(addresses))
	var servers sync.WaitGroup
	for i, address := range addresses {
		servers.Go(func() {
			reports[i] = &Report{Address: address}
			reports[i].Err = reports[i].ask(ctx, c)
		})
	}
	servers.Wait()
	return reports
}

// ask fills in the report.
func (s *Report) ask(ctx context.Context, c *config.Alertmanager) error {
	var options []promconfig.HTTPClientOption
	if s.Address.IsValid() {
		options = append(options, dialAddress(c.URL.Hostname(), s.Address))
	}
	client, err := NewHTTPClient(c, nil, options...)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	api := c.URL.JoinPath("api/v2")
	err = fetch(ctx, client, api.JoinPath("status").String(), func(response *http.Response, sent time.Time) error {
		if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
			s.seeDate(date, sent, time.Now())
		}
		s.TLS = response.TLS
		return s.read(response.Body)
	})
	if err != nil {
		return err
	}
	return fetch(ctx, client, api.JoinPath("alerts").String(), func(response *http.Response, _ time.Time) error {
		return json.NewDecoder(response.Body).Decode(&s.Alerts)
	})
}

// seeDate takes in a Date header as the client does, see [clock].
func (s *Report) seeDate(date, sent, received time.Time) {
	seen := newClock()
	seen.seeDate(date, received)
	s.HasDate, s.DateOffset, s.ClockDoubtful = true, offsetOf(date, sent, received), seen.sample(received).doubtful
}

// offsetOf returns the smallest difference of clocks that explains a Date header.
func offsetOf(date, sent, received time.Time) time.Duration {
	low, high := date.Sub(received.Round(0)), date.Add(time.Second).Sub(sent.Round(0))
	return min(max(0, low), high)
}

// fetch makes one request, and passes a successful answer to read, with the time when the request was sent.
func fetch(ctx context.Context, client *http.Client, url string, read func(*http.Response, time.Time) error) error {
	ctx = drivers.Limited(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return errors.New("building the request: the URL is not valid")
	}
	request.Header.Set("Accept", "application/json")
	sent := time.Now()
	response, err := client.Do(request)
	if err != nil {
		return failureOfRequest(ctx, err)
	}
	defer response.Body.Close()
	response.Body = http.MaxBytesReader(nil, response.Body, maxAnswer)
	if f := failureOfAnswer(response); f != nil {
		return f
	}
	return read(response, sent)
}

// read reads the answer to a request for the status.
func (s *Report) read(body io.Reader) error {
	var answer struct {
		VersionInfo map[string]string `json:"versionInfo"`
		Cluster     struct {
			Status string            `json:"status"`
			Peers  []json.RawMessage `json:"peers"`
		} `json:"cluster"`
		Config struct {
			Original string `json:"original"`
		} `json:"config"`
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil || answer.VersionInfo == nil {
		return errNotAlertmanager
	}
	s.Version, s.Cluster, s.Peers = answer.VersionInfo["version"], answer.Cluster.Status, len(answer.Cluster.Peers)
	s.GroupWait = groupWait(answer.Config.Original)
	return nil
}

// groupWaitSetting matches a group_wait of Alertmanager's configuration, as Alertmanager prints it.
var groupWaitSetting = regexp.MustCompile(`(?m)^[ -]*group_wait: ([0-9a-z]+)$`)

// defaultGroupWait is Alertmanager's group_wait of routes that set none and inherit none.
const defaultGroupWait = 30 * time.Second

// groupWait returns the longest group_wait of a configuration.
func groupWait(configuration string) time.Duration {
	var waits []time.Duration
	for _, found := range groupWaitSetting.FindAllStringSubmatch(configuration, -1) {
		if d, err := model.ParseDuration(found[1]); err == nil {
			waits = append(waits, time.Duration(d))
		}
	}
	if len(waits) == 0 {
		return defaultGroupWait
	}
	return slices.Max(waits)
}

// Differences returns the names of the labels in which two alerts differ, sorted.
func Differences(a, b map[string]string) []string {
	differing := map[string]bool{}
	addDifferences(differing, a, b)
	return slices.Sorted(maps.Keys(differing))
}

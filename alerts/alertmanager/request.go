package alertmanager

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/version"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

const (
	// maxDrained is how much of an unused answer is read so that its connection can be used again.
	maxDrained = 64 << 10
	// maxAnswer is the maximum size of an answer: more than that of 10,000 alerts.
	maxAnswer = 32 << 20
)

// NewHTTPClient returns a client that follows the configuration.
func NewHTTPClient(c *config.Alertmanager, transport http.RoundTripper, more ...promconfig.HTTPClientOption) (*http.Client, error) {
	if err := checkSecretFiles(&c.HTTPClientConfig); err != nil {
		return nil, fmt.Errorf("setting up HTTP for %s: %w", c.Name(), err)
	}
	if transport == nil {
		made, err := promconfig.NewRoundTripperFromConfig(c.HTTPClientConfig, "alertmanager",
			append(more, promconfig.WithUserAgent(version.ComponentUserAgent("servicegroup_exporter")))...)
		if err != nil {
			return nil, fmt.Errorf("setting up HTTP for %s: %w", c.Name(), err)
		}
		transport = made
	}
	follow := c.FollowRedirects
	return &http.Client{Transport: transport, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		// Most redirects turn a POST into a GET, often of a login page. The success of that GET says nothing about the alerts.
		// Another host, or a connection without TLS, would get the credentials too.
		from := via[0]
		if !follow || len(via) >= 10 || to.Method != from.Method || to.URL.Hostname() != from.URL.Hostname() ||
			from.URL.Scheme == "https" && to.URL.Scheme != "https" {
			return http.ErrUseLastResponse
		}
		return nil
	}}, nil
}

// do makes one request, and passes the body of a successful answer to read.
func (c *Client) do(ctx context.Context, method, url string, body []byte, read func(io.Reader) error) *failure {
	ctx, cancel := drivers.WithLimit(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return &failure{reason: reasonRejected, err: errors.New("building the request: the URL is not valid")}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Cache-Control", "no-cache")
	response, err := c.http.Do(request)
	if err != nil {
		return failureOfRequest(ctx, err)
	}
	defer response.Body.Close()
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		c.clock.seeDate(date, time.Now())
	}
	if f := failureOfAnswer(response); f != nil || read == nil {
		// If this fails, the connection is not used again, and nothing else is lost.
		_, _ = io.CopyN(io.Discard, response.Body, maxDrained)
		return f
	}
	if err := read(http.MaxBytesReader(nil, response.Body, maxAnswer)); err != nil {
		return failureOfReading(ctx, err)
	}
	return nil
}

// get is do with a GET. The URL differs each time, so that no cache answers in Alertmanager's place: some ignore Cache-Control.
func (c *Client) get(ctx context.Context, address string, query url.Values, read func(io.Reader) error) *failure {
	query.Set("nocache", rand.Text())
	return c.do(ctx, http.MethodGet, address+"?"+query.Encode(), nil, read)
}

func isJSON(response *http.Response) bool {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// A receivedAlert is an alert as Alertmanager returns it.
type receivedAlert struct {
	Alert
	Fingerprint string `json:"fingerprint"`
	Status      struct {
		SilencedBy  []string `json:"silencedBy"`
		InhibitedBy []string `json:"inhibitedBy"`
		MutedBy     []string `json:"mutedBy"` // the time intervals that mute it; only newer releases
	} `json:"status"`
}

// fetchActive calls visit for each active alert in the Alertmanager that is about the same as one with these labels. Only in an
// alert whose scope is a zone or a host, that label says what it is about; in others it is an attribute.
func (c *Client) fetchActive(ctx context.Context, labels map[string]string, visit func(*receivedAlert)) *failure {
	names := []string{"alertname", "source", "group", "member", "problem"}
	if scope := labels["scope"]; scope == "zone" || scope == "host" {
		names = append(names, scope)
	}
	var matchers []string
	for _, name := range names {
		if value := labels[name]; value != "" {
			matchers = append(matchers, name+"="+quote(value))
		}
	}
	return c.fetch(ctx, matchers, visit)
}

// fetch calls visit for each active alert that matches, also those that are silenced or inhibited. It decodes one alert at a
// time, because there may be many.
func (c *Client) fetch(ctx context.Context, matchers []string, visit func(*receivedAlert)) *failure {
	return c.get(ctx, c.alertsURL, url.Values{"filter": matchers}, func(r io.Reader) error {
		list := json.NewDecoder(r)
		begin, err := list.Token()
		if err == nil && begin != json.Delim('[') {
			err = errors.New("the answer is not a list")
		}
		for err == nil && list.More() {
			var a receivedAlert
			if err = list.Decode(&a); err == nil {
				visit(&a)
			}
		}
		if err == nil {
			_, err = list.Token() // An answer that was cut off has no end.
		}
		if err != nil {
			return fmt.Errorf("reading alerts: %w", err)
		}
		return nil
	})
}

// quote returns a value in the quotes that both of Alertmanager's parsers of matchers understand.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}

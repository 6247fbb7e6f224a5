package alertmanager

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"servicegroup_exporter/config"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/version"
)

const (
	// maxDrained bounds what is read of an answer that nobody needs, so that its connection can be used again.
	maxDrained = 64 << 10
	// maxAnswer bounds what is read of an answer: it is more than 10,000 alerts.
	maxAnswer = 32 << 20
)

// newHTTPClient makes a client that does what the configuration says.
func newHTTPClient(c *config.Alertmanager, transport http.RoundTripper) (*http.Client, error) {
	if transport == nil {
		made, err := promconfig.NewRoundTripperFromConfig(c.HTTPClientConfig, "alertmanager",
			promconfig.WithUserAgent(version.ComponentUserAgent("servicegroup_exporter")))
		if err != nil {
			return nil, fmt.Errorf("setting up HTTP for %s: %w", c.Name(), err)
		}
		transport = made
	}
	follow := c.FollowRedirects
	return &http.Client{Transport: transport, CheckRedirect: func(to *http.Request, via []*http.Request) error {
		// Most redirects make a GET of a POST: of whatever is there, often a page to log in. That it succeeds means nothing.
		if !follow || len(via) >= 10 || to.Method != via[0].Method {
			return http.ErrUseLastResponse
		}
		return nil
	}}, nil
}

// do makes one request and gives the answer to read, if there is one to it. Every answer tells the time.
func (c *Client) do(ctx context.Context, method, url string, body []byte, read func(io.Reader) error) *failure {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return &failure{reason: reasonRejected, err: errors.New("its URL can't be used")}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	sent := time.Now()
	response, err := c.http.Do(request)
	if err != nil {
		return unanswered(err)
	}
	defer response.Body.Close()
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		c.clock.observe(date, sent, time.Now())
	}
	if f := answered(response); f != nil || read == nil {
		// What can't be read costs a connection, no more.
		_, _ = io.CopyN(io.Discard, response.Body, maxDrained)
		return f
	}
	if err := read(http.MaxBytesReader(nil, response.Body, maxAnswer)); err != nil {
		return &failure{reason: reasonRejected, err: err}
	}
	return nil
}

func isJSON(response *http.Response) bool {
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

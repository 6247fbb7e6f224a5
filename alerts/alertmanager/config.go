package alertmanager

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"

	"servicegroup_exporter/drivers"
)

// Config is one element of "alertmanagers": where it is, and how to talk to it.
type Config struct {
	// URL is where Alertmanager's own pages begin, with the path prefix it may have: its API is at URL/api/v2.
	URL promconfig.URL `yaml:"url"`
	// Timeout bounds each request.
	Timeout drivers.Duration `yaml:"timeout"`
	// HTTPClientConfig is what every program of the Prometheus project understands.
	promconfig.HTTPClientConfig `yaml:",inline"`
}

// DefaultConfig returns everything but the URL.
func DefaultConfig() Config {
	return Config{Timeout: drivers.Duration(10 * time.Second), HTTPClientConfig: promconfig.DefaultHTTPClientConfig}
}

// Name is the URL without its user and password: the label "alertmanager".
func (c *Config) Name() string {
	if c.URL.URL == nil {
		return ""
	}
	u := *c.URL.URL
	u.User = nil
	return strings.TrimSuffix(u.String(), "/")
}

// String gives the name: a configuration has secrets in many places.
func (c Config) String() string { return c.Name() }

// GoString hides secrets from %#v.
func (c Config) GoString() string { return c.Name() }

// LogValue hides secrets from slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.Name()) }

// Validate checks the section and returns one error, a [drivers.FieldError], for each setting that is wrong, joined. No
// file that it names is read.
func (c *Config) Validate() error {
	errs := []error{c.validateURL()}
	if c.Timeout <= 0 {
		errs = append(errs, drivers.Field("timeout", "must be more than 0"))
	}
	errs = append(errs, validateHTTP(&c.HTTPClientConfig)...)
	if c.URL.URL != nil && c.URL.User != nil && (c.BasicAuth != nil || c.Authorization != nil || c.OAuth2 != nil) {
		errs = append(errs, drivers.Field("url", "has a user, and there is another way to authenticate; keep one of them"))
	}
	return errors.Join(errs...)
}

func (c *Config) validateURL() error {
	switch u := c.URL.URL; {
	case u == nil || *u == url.URL{}:
		return drivers.Field("url", "is missing: write a URL like http://alertmanager:9093")
	case !isHTTP(u):
		return drivers.Field("url", "must be a URL like http://alertmanager:9093")
	case u.RawQuery != "" || u.Fragment != "":
		return drivers.Field("url", "must end with its path, without ? and #")
	}
	return nil
}

// isHTTP says whether a URL names a web server.
func isHTTP(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

// endpoint gives the URL of a part of the API.
func (c *Config) endpoint(part string) string {
	return c.URL.JoinPath("api/v2", part).String()
}

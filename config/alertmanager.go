package config

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"

	"servicegroup_exporter/drivers"
)

// Alertmanager is one element of "alertmanagers": where it is, and how to talk to it.
type Alertmanager struct {
	// URL is where Alertmanager's own pages begin, with the path prefix it may have: its API is at URL/api/v2.
	URL promconfig.URL `yaml:"url"`
	// Timeout bounds each request.
	Timeout drivers.Duration `yaml:"timeout"`
	// HTTPClientConfig is what every program of the Prometheus project understands.
	promconfig.HTTPClientConfig `yaml:",inline"`
}

// DefaultAlertmanager returns everything but the URL.
func DefaultAlertmanager() Alertmanager {
	return Alertmanager{Timeout: drivers.Duration(10 * time.Second), HTTPClientConfig: promconfig.DefaultHTTPClientConfig}
}

// Name is the URL without its user and password: the label "alertmanager".
func (a *Alertmanager) Name() string {
	if a.URL.URL == nil {
		return ""
	}
	u := *a.URL.URL
	u.User = nil
	return strings.TrimSuffix(u.String(), "/")
}

// String gives the name: a configuration has secrets in many places.
func (a Alertmanager) String() string { return a.Name() }

// GoString hides secrets from %#v.
func (a Alertmanager) GoString() string { return a.Name() }

// LogValue hides secrets from slog.
func (a Alertmanager) LogValue() slog.Value { return slog.StringValue(a.Name()) }

// Validate checks the section and returns one error, a [drivers.FieldError], for each setting that is wrong, joined. No
// file that it names is read.
func (a *Alertmanager) Validate() error {
	errs := []error{a.validateURL()}
	if a.Timeout <= 0 {
		errs = append(errs, drivers.Field("timeout", "must be more than 0"))
	}
	errs = append(errs, validateHTTP(&a.HTTPClientConfig)...)
	if a.URL.URL != nil && a.URL.User != nil && (a.BasicAuth != nil || a.Authorization != nil || a.OAuth2 != nil) {
		errs = append(errs, drivers.Field("url", "has a user, and there is another way to authenticate; keep one of them"))
	}
	return errors.Join(errs...)
}

func (a *Alertmanager) validateURL() error {
	switch u := a.URL.URL; {
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

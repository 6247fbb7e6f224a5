package config

import (
	"errors"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"

	"servicegroup_exporter/drivers"
)

// Alertmanager is one element of "alertmanagers", or the section "prometheus", whose server has the same settings: its URL and
// the settings of the HTTP client.
type Alertmanager struct {
	// URL is the URL of the server's own pages, with its path prefix if it has one. The API of Alertmanager is at URL/api/v2.
	URL promconfig.URL `yaml:"url"`
	// Timeout bounds each request.
	Timeout drivers.Duration `yaml:"timeout"`
	// HTTPClientConfig has the settings that all programs of the Prometheus project have.
	promconfig.HTTPClientConfig `yaml:",inline"`
}

// DefaultAlertmanager returns the defaults. Only the URL is left to be set.
func DefaultAlertmanager() Alertmanager {
	return Alertmanager{Timeout: drivers.Duration(10 * time.Second), HTTPClientConfig: promconfig.DefaultHTTPClientConfig}
}

// Name returns the URL without its user and password: the value of the label "alertmanager".
func (a *Alertmanager) Name() string {
	if a.URL.URL == nil {
		return ""
	}
	u := *a.URL.URL
	u.User = nil
	return strings.TrimSuffix(u.String(), "/")
}

// String returns the name, because other settings may be secrets.
func (a Alertmanager) String() string { return a.Name() }

// GoString hides secrets from %#v.
func (a Alertmanager) GoString() string { return a.Name() }

// LogValue hides secrets from slog.
func (a Alertmanager) LogValue() slog.Value { return slog.StringValue(a.Name()) }

// Validate returns every mistake as a [drivers.FieldError], joined. It reads no file that the section names.
func (a *Alertmanager) Validate() error {
	errs := []error{a.validateURL()}
	if a.Timeout <= 0 {
		errs = append(errs, drivers.Field("timeout", "is %s, must be positive", a.Timeout))
	}
	errs = append(errs, validateHTTP(&a.HTTPClientConfig)...)
	if a.URL.URL != nil && a.URL.User != nil && (a.BasicAuth != nil || a.Authorization != nil || a.OAuth2 != nil) {
		errs = append(errs, drivers.Field("url", "has a user, and there is another authentication setting; keep one of them"))
	}
	return errors.Join(errs...)
}

func (a *Alertmanager) validateURL() error {
	switch u := a.URL.URL; {
	case u == nil || *u == url.URL{}:
		return drivers.Field("url", "is missing: write a URL like http://alertmanager:9093")
	case !isHTTP(u):
		return drivers.Field("url", "%s is not a URL like http://alertmanager:9093", quoteURL(u.String()))
	case u.RawQuery != "" || u.Fragment != "":
		return drivers.Field("url", "must end with its path, without ? and #")
	case apiPath.MatchString(u.Path):
		return drivers.Field("url", "is an address of the server's API: write the URL of its own pages, without %s", apiPath.FindString(u.Path))
	}
	return nil
}

// apiPath matches the end of a URL of Alertmanager's API, or of another address that serves no pages.
var apiPath = regexp.MustCompile(`/(api(/v[0-9]+(/[a-z]+)*)?|-/(healthy|ready|reload)|metrics)/*$`)

// isHTTP reports whether a URL is one of HTTP or HTTPS with a host.
func isHTTP(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != ""
}

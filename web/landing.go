package web

import (
	"html"
	"net/http"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// newLandingPage links to everything that is served. The toolkit's template does not escape.
func newLandingPage(o Options) (http.Handler, error) {
	return toolkit.NewLandingPage(toolkit.LandingConfig{
		Name:        "servicegroup_exporter",
		Description: "Which members of a service group are alive",
		Version:     html.EscapeString(o.Version),
		Profiling:   "false", // Nothing is served there.
		Links: []toolkit.LandingLinks{
			{Address: html.EscapeString(o.MetricsPath), Text: "Metrics"},
			{Address: "/-/healthy", Text: "Healthy", Description: "answers as long as the program runs"},
			{Address: "/-/ready", Text: "Ready", Description: "answers 503 until every source was polled once"},
		},
	})
}

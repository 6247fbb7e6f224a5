package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"servicegroup_exporter/alerts"
)

// Options are what differs between the sites that use the dashboards.
type Options struct {
	// TitlePrefix is the beginning of each title. Tags are the tags of each dashboard, by which links and searches in Grafana find them.
	TitlePrefix string
	Tags        []string
	// ExporterURL is the URL of this program for browsers.
	ExporterURL string
	// Job is the scrape job of the exporters. Empty: all jobs that have exporters.
	Job string
	// ClusterLabel is the label that tells clusters apart whose series are in one Prometheus. It need not exist.
	ClusterLabel string
	// DegradedLimits are the limits of the alert ServiceGroupDegraded.
	DegradedLimits []alerts.Limit
	// ScrapeInterval is the shortest time between two points of a graph.
	ScrapeInterval time.Duration
}

// Names returns the names of the dashboards.
func Names() []string { return []string{"overview", "group", "detection", "exporter"} }

// Build returns the dashboard with a name, as JSON.
func (o *Options) Build(name string) ([]byte, error) {
	build := map[string]func(*Options) *page{"overview": overview, "group": group, "detection": detection, "exporter": exporter}[name]
	if build == nil {
		return nil, fmt.Errorf("there is no dashboard %q", name)
	}
	d, err := build(o).build()
	if err != nil {
		return nil, fmt.Errorf("building the dashboard %s: %w", name, err)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // so that queries with < and > can be read in the file
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(d); err != nil {
		return nil, fmt.Errorf("encoding the dashboard %s: %w", name, err)
	}
	return text.Bytes(), nil
}

// cluster matches the cluster label of the queries here. Before that, it matches a string, which may have the same word.
var cluster = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\b` + clusterLabel + `\b`)

// relabel returns a text with the cluster label of the site.
func (o *Options) relabel(text string) string {
	if o.ClusterLabel == clusterLabel {
		return text
	}
	return cluster.ReplaceAllStringFunc(text, func(found string) string {
		if found == clusterLabel {
			return o.ClusterLabel
		}
		return found
	})
}

// step returns the shortest step of a graph whose points have a number of scrapes between them.
func (o *Options) step(scrapes int) string {
	return fmt.Sprintf("%ds", int((time.Duration(scrapes) * o.ScrapeInterval).Seconds()))
}

// seconds returns the time of a number of scrapes, in seconds.
func (o *Options) seconds(scrapes float64) float64 { return scrapes * o.ScrapeInterval.Seconds() }

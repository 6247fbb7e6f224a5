package config

import "unicode/utf8"

// defaultHostQuery is whether the exporter of each machine could be scraped. Its host is the name of the target without port and domain,
// or the whole IP address, as hosts are named by default.
const defaultHostQuery = `label_replace(label_replace(up{job="node"}, "host", "$1", "instance", "([^.:]+).*"), ` +
	`"host", "$1", "instance", "([0-9.]+)(:[0-9]+)?")`

func (a *Alerting) validateHostQuery(wrong wrongFunc) {
	if hasTemplate(a.HostQuery) || !utf8.ValidString(a.HostQuery) {
		wrong("host_query", "is not a PromQL expression without templates")
	}
	if a.Prometheus == nil {
		return
	}
	if a.HostQuery == "" {
		wrong("prometheus", "is not asked for anything without a host_query")
	}
	if err := a.Prometheus.Validate(); err != nil {
		for _, e := range fieldErrors("prometheus", err) {
			wrong(e.Field, "%w", e.Err)
		}
	}
}

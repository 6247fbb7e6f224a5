package alerts

import (
	"net/url"
	"strings"
)

// link returns the URL of a page of this program.
func (c alerting) link(path string) string {
	return strings.TrimSuffix(c.ExternalURL, "/") + "/" + path
}

// Parts of links, as templates. The function urlquery is part of text/template.
const (
	linkHost   = "host={{ $labels.host | urlquery }}"
	linkZone   = "zone={{ $labels.zone | urlquery }}"
	linkSource = "source={{ $labels.source | urlquery }}"
	linkGroup  = linkSource + "&group={{ $labels.group | urlquery }}"
	linkMember = linkGroup + "&member={{ $labels.member | urlquery }}"

	varSource = "?var-source={{ $labels.source | urlquery }}"
	varGroup  = varSource + "&var-group={{ $labels.group | urlquery }}"
)

// dashboard returns a link to a Grafana dashboard that shows what the alert is about; without a grafana_url, a link to the
// status page.
func (c alerting) dashboard(d *definition) string {
	if c.GrafanaURL == "" {
		return c.link(map[scope]string{
			scopeZone: "hosts?" + linkZone, scopeHost: "host?" + linkHost, scopeMember: "member?" + linkMember,
			scopeGroup: "?" + linkGroup, scopeSource: "?" + linkSource, scopeExporter: "",
		}[d.scope])
	}
	page := map[scope]string{
		scopeHost: "servicegroup-overview", scopeMember: "servicegroup-group" + varGroup, scopeGroup: "servicegroup-group" + varGroup,
		scopeZone: "servicegroup-overview" + varSource, scopeSource: "servicegroup-overview" + varSource, scopeExporter: "servicegroup-exporter",
	}[d.scope]
	if d.dashboard != "" {
		page = d.dashboard + varSource
	}
	return strings.TrimSuffix(c.GrafanaURL, "/") + "/d/" + page
}

// page returns the generator URL of an alert of the bridge: the page of this program that shows what the alert is about.
func (c alerting) page(s scope, labels map[string]string) string {
	query := url.Values{}
	for _, name := range []string{"source", "group", "member"} {
		if value, ok := labels[name]; ok {
			query.Set(name, value)
		}
	}
	switch s {
	case scopeHost:
		return c.link("host?" + url.Values{"host": {labels["host"]}}.Encode())
	case scopeZone:
		return c.link("hosts?" + url.Values{"zone": {labels["zone"]}}.Encode())
	case scopeMember:
		return c.link("member?" + query.Encode())
	default:
		return c.link("?" + query.Encode())
	}
}

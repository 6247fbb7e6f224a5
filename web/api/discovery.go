package api

import (
	"maps"
	"net"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"

	"servicegroup_exporter/collector"
)

const (
	// labelPrefix begins the parameters that are labels of every target.
	labelPrefix = "label."
	// metaPrefix begins the labels with the attributes of a target.
	metaPrefix = "__meta_servicegroup_"
)

// A targetGroup is one target in the format of Prometheus' HTTP service discovery.
type targetGroup struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// discover returns the members of a group that are up or unknown as targets. Unknown members are included, and a source that
// can't be read is an error, because Prometheus should keep its targets while a backend is unreachable: after an error it
// keeps the last list.
func (a *api) discover(q query) (any, error) {
	if err := q.required("group"); err != nil {
		return nil, err
	}
	all, err := q.oneOf("all", "true", "false")
	if err != nil {
		return nil, err
	}
	labels, err := staticLabels(q)
	if err != nil {
		return nil, err
	}
	port, err := q.port()
	if err != nil {
		return nil, err
	}
	snapshots, err := a.asked(q)
	if err != nil {
		return nil, err
	}
	if err := allReadable(snapshots); err != nil {
		return nil, err
	}
	targets := membersOf(snapshots, func(m *collector.MemberState) bool {
		return m.Group == q["group"] && (m.State != collector.Down || all == "true")
	})
	return listAnswer{"[", func(yield func(any) bool) {
		for s, m := range targets {
			if !yield(newTarget(s.Source, m, port, labels)) {
				return
			}
		}
	}, "]"}, nil
}

func newTarget(source string, m *collector.MemberState, port string, static map[string]string) targetGroup {
	labels := map[string]string{
		metaPrefix + "source": source,
		metaPrefix + "group":  m.Group,
		metaPrefix + "member": m.Name,
		metaPrefix + "binary": m.Binary,
		metaPrefix + "zone":   m.Zone,
		metaPrefix + "state":  m.State.String(),
	}
	maps.Copy(labels, static)
	return targetGroup{[]string{address(m.Name, port)}, labels}
}

// address returns the address to scrape: the name of the member, or its host with the port of the query.
func address(name, port string) string {
	if port == "" {
		return name
	}
	host, _, err := net.SplitHostPort(name)
	if err != nil { // It has no port of its own.
		host = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	}
	return net.JoinHostPort(host, port)
}

// port returns the port that the query sets for all targets, or an empty string.
func (q query) port() (string, error) {
	text, ok := q["port"]
	if !ok {
		return "", nil
	}
	if n, err := strconv.ParseUint(text, 10, 16); err != nil || n == 0 {
		return "", badRequest("port=%q is not a port number from 1 to 65535", text)
	}
	return text, nil
}

// staticLabels returns the labels that the query sets for all targets. Their names have to be valid in Prometheus before
// version 3.
func staticLabels(q query) (map[string]string, error) {
	labels := make(map[string]string)
	for param, value := range q {
		name, ok := strings.CutPrefix(param, labelPrefix)
		switch {
		case !ok:
		case !model.LegacyValidation.IsValidLabelName(name):
			return nil, badRequest("%s: %q is not a label name, which has letters, digits and _, and no digit first", param, name)
		case name == model.AddressLabel || strings.HasPrefix(name, model.MetaLabelPrefix):
			return nil, badRequest("%s: the label %s can't be set, because service discovery sets it", param, name)
		default:
			labels[name] = value
		}
	}
	return labels, nil
}

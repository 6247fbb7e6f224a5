package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// column is a column of a table: a label of its queries, or the value of one.
type column struct {
	from  string // the label, or "Value #A"; "Value" if there is only one query
	title string // empty: the column is left out
	width int    // in pixels; 0: a share of what the others leave
	min   int    // the least width of a share; default: minWidth
	unit  string
	words []dashboard.ValueMapping
	// colors are the colours of numbers, which are green below the first; nil: all have the colour of text.
	colors []level
	links  []link
	order  order
}

// clusterColumn is the column of the cloud. It is left out if no series has the label.
func clusterColumn() column { return column{from: clusterLabel, title: "Cluster", width: 65} }

// Widths of columns in pixels, for texts of Grafana's font: about 8 for each letter, and 13 for the cell.
const (
	wideAlert  = 260 // ServiceGroupMemberForcedDownLong
	wideBinary = 205 // neutron-openvswitch-agent
	wideCount  = 62
	wideMember = 250 // at least, for compute-0007.cloud.example.com: members have what the other columns leave
	wideName   = 84
	wideState  = 140 // DOWN, last known
	wideSince  = 142 // a few seconds ago
	wideWord   = 77

	minWidth = 60
)

// noCell is the text of a cell without a value. The text of a panel without data would say something else.
const noCell = "–"

// order is how a column sorts its table.
type order int

const (
	unsorted order = iota
	ascending
	descending
)

// link is the link of a cell.
type link struct {
	Title  string `json:"title"`
	URL    string `json:"url"`
	NewTab bool   `json:"targetBlank"`
}

// rows returns a table with a row for each set of labels in the queries' results.
func rows(columns ...column) *table.PanelBuilder {
	b := table.NewPanelBuilder().
		ShowHeader(true).
		CellHeight(common.TableCellHeightSm).
		Filterable(true).
		MinWidth(minWidth).
		WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}}).
		WithTransformation(organized(columns))
	for _, kind := range []string{"string", "number", "time"} {
		b.OverrideByFieldType(kind, []dashboard.DynamicConfigValue{{Id: "noValue", Value: noCell}})
	}
	var sorted []cog.Builder[common.TableSortByFieldState]
	for _, c := range columns {
		if properties := c.properties(); len(properties) > 0 {
			b.OverrideByName(c.title, properties)
		}
		if c.order != unsorted {
			sorted = append(sorted, common.NewTableSortByFieldStateBuilder().DisplayName(c.title).Desc(c.order == descending))
		}
	}
	return b.SortBy(sorted)
}

// organized returns the transformation that names and orders the columns.
func organized(columns []column) dashboard.DataTransformerConfig {
	names, positions, dropped := map[string]string{}, map[string]int{}, map[string]bool{"Time": true}
	for i, c := range columns {
		if c.title == "" {
			dropped[c.from] = true
			continue
		}
		names[c.from], positions[c.from] = c.title, i
	}
	return dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
		"renameByName": names, "indexByName": positions, "excludeByName": dropped,
	}}
}

// relabelColumns lets a transformation of [organized] name the column of the site's cluster label.
func (o *Options) relabelColumns(t dashboard.DataTransformerConfig) {
	options, _ := t.Options.(map[string]any)
	if names, _ := options["renameByName"].(map[string]string); names[clusterLabel] != "" {
		positions := options["indexByName"].(map[string]int)
		title, position := names[clusterLabel], positions[clusterLabel]
		delete(names, clusterLabel)
		delete(positions, clusterLabel)
		names[o.ClusterLabel], positions[o.ClusterLabel] = title, position
	}
}

func (c column) properties() []dashboard.DynamicConfigValue {
	var properties []dashboard.DynamicConfigValue
	set := func(id string, value any) {
		properties = append(properties, dashboard.DynamicConfigValue{Id: id, Value: value})
	}
	if c.unit != "" {
		set("unit", c.unit)
	}
	if c.width != 0 {
		set("custom.width", c.width)
	}
	if c.min != 0 {
		set("custom.minWidth", c.min)
	}
	if c.words != nil {
		set("mappings", c.words)
	}
	if c.colors != nil {
		set("color", map[string]string{"mode": "thresholds"})
		set("thresholds", dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: steps(good, c.colors)})
	}
	if c.words != nil || c.colors != nil {
		set("custom.cellOptions", map[string]string{"type": "color-text"})
	}
	if c.links != nil {
		set("links", c.links)
	}
	return properties
}

// The links of the dashboards. Names may contain any character, so they are encoded.
const (
	toMember = "${exporter:raw}/member?source=${__data.fields.Source:percentencode}&group=${__data.fields.Group:percentencode}" +
		"&member=${__data.fields.Member:percentencode}"
	// Without a cluster label the cell is empty, and selects the series without the label.
	toGroup = "/d/" + groupUID + "?var-datasource=${datasource:percentencode}&var-cluster=${__data.fields.Cluster:percentencode}" +
		"&var-source=${__data.fields.Source:percentencode}&var-group=${__data.fields.Group:percentencode}" +
		"&var-exporter=${exporter:percentencode}&${__url_time_range}"
	toGraphs = "/d/" + groupUID + "?var-datasource=${datasource:percentencode}&var-cluster=${__data.fields.Cluster:percentencode}" +
		"&var-source=${__data.fields.Source:percentencode}&var-group=${__data.fields.Group:percentencode}" +
		"&var-member=${__data.fields.Member:percentencode}&var-exporter=${exporter:percentencode}&${__url_time_range}"
	toRunbook           = "${exporter:raw}/runbooks/${__data.fields.Alert:percentencode}"
	toDownRunbook       = "${exporter:raw}/runbooks/ServiceGroupMemberDown"
	toFlappingRunbook   = "${exporter:raw}/runbooks/ServiceGroupMemberFlapping"
	toUnreadableRunbook = "${exporter:raw}/runbooks/ServiceGroupSourceUnreachable"
)

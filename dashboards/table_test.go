package dashboards_test

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A row of a table: labels are strings, values are numbers.
type row map[string]any

// rows transforms the results of a table's queries as Grafana does: rows with the same labels become one, and columns are named
// or left out.
func (v *view) rows(b *board, p panel) []row {
	var merged []row
	for _, q := range p.Targets {
		value := "Value #" + q.RefID
		if len(p.Targets) == 1 {
			value = "Value"
		}
		for _, s := range v.run(b, q) {
			added := row{value: s.values[0]}
			for name, text := range s.labels {
				added[name] = text
			}
			merged = merge(merged, added)
		}
	}
	organize := p.Transforms[len(p.Transforms)-1].Options
	named := make([]row, len(merged))
	for i, from := range merged {
		named[i] = row{}
		for name, value := range from {
			if !organize.Excluded[name] {
				named[i][cmp.Or(organize.Names[name], name)] = value
			}
		}
	}
	return named
}

// merge merges a row into the one whose labels do not differ, if there is one.
func merge(rows []row, added row) []row {
	for _, r := range rows {
		fits := true
		for name, value := range added {
			if had, both := r[name]; both && had != value || strings.HasPrefix(name, "Value") && both {
				fits = false
			}
		}
		if fits {
			maps.Copy(r, added)
			return rows
		}
	}
	return append(rows, added)
}

// columns returns the names of the table's columns, in order.
func (p panel) columns() []string {
	organize := p.Transforms[len(p.Transforms)-1].Options
	var names []string
	for from := range organize.Order {
		names = append(names, from)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(organize.Order[a], organize.Order[b]) })
	for i, from := range names {
		names[i] = organize.Names[from]
	}
	return names
}

// missing are the columns that no series has here: there is no cluster, and no operator forces members down.
var missing = []string{"Cluster", "Version", "Disabled because", "Dead before", "Suspected since", "Heartbeat ahead"}

// checkTables checks that each table has exactly the columns of its queries' results.
func checkTables(t *testing.T, v *view, all map[string]*board) {
	for name, b := range all {
		for _, p := range b.panels() {
			if p.Type != "table" {
				continue
			}
			found := map[string]bool{}
			for _, r := range v.rows(b, p) {
				for column := range r {
					found[column] = true
				}
			}
			var columns []string
			for column := range found {
				columns = append(columns, column)
			}
			require.Subset(t, p.columns(), columns, "%s: %s", name, p.Title)
			require.Subset(t, append(columns, missing...), p.columns(), "%s: %s", name, p.Title)
			for _, o := range p.FieldConfig.Overrides {
				if o.Matcher.ID == "byName" {
					require.Contains(t, p.columns(), o.Matcher.Options, "%s: %s", name, p.Title)
				}
			}
		}
	}
	checkDownMember(t, v, all["overview.json"])
}

// checkDownMember checks the row of a member that is down.
func checkDownMember(t *testing.T, v *view, b *board) {
	rows := v.rows(b, b.panel(t, "Members that are down"))
	i := slices.IndexFunc(rows, func(r row) bool { return r["Member"] == "c5" && r["Group"] == "compute" })
	require.GreaterOrEqual(t, i, 0)
	dead := rows[i]
	require.WithinRange(t, time.UnixMilli(int64(dead["Since"].(float64))), v.start.Add(-time.Minute), v.end)
	delete(dead, "Since")
	require.Equal(t, row{
		"Source": "nova", "Group": "compute", "Member": "c5", "Binary": "compute", "Zone": "az2", "State": 1.0, "Cause": "host", "Host answers": 0.0,
	}, dead)
	require.Len(t, rows, 5)
	i = slices.IndexFunc(rows, func(r row) bool { return r["Member"] == "n1" })
	require.GreaterOrEqual(t, i, 0)
	require.InDelta(t, 1, rows[i]["Host answers"], 0)
	require.NotContains(t, rows[slices.IndexFunc(rows, func(r row) bool { return r["Member"] == "w1" })], "Host answers")
}

// Grafana's widths on a screen of 1280 pixels, without its margins: a column of the grid, and what a table can't use of it for the margin
// and the border of the panel, and a scrollbar.
const (
	gridColumn  = 1264 / 24.0
	panelBorder = 10 + 16
)

// All columns of a table are in its panel, also if each is there. Grafana gives columns without a width equal shares of what the others
// leave, but not less than their least width.
func TestColumnsFit(t *testing.T) {
	eachPanel(t, func(t *testing.T, _ *board, p panel) {
		if p.Type != "table" {
			return
		}
		available, shares := float64(p.GridPos.W)*gridColumn-panelBorder, 0.0
		left := available
		least := map[string]float64{}
		for _, column := range p.columns() {
			width := p.width(t, column, "custom.width")
			left -= width
			if width == 0 {
				shares++
				least[column] = cmp.Or(p.width(t, column, "custom.minWidth"), float64(p.FieldConfig.Defaults.Custom.MinWidth))
			}
		}
		require.Positive(t, shares, "a column takes what the others leave")
		for column, width := range least {
			require.GreaterOrEqual(t, left/shares, width, "%s of %.0f pixels", column, available)
		}
	})
}

// width returns a width of a column; zero: it has none.
func (p panel) width(t *testing.T, column, id string) (width float64) {
	t.Helper()
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if o.Matcher.ID == "byName" && o.Matcher.Options == column && property.ID == id {
				require.NoError(t, json.Unmarshal(property.Value, &width))
			}
		}
	}
	return width
}

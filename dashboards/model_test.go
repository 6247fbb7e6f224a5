package dashboards_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// board is the part of a dashboard's JSON that the tests read.
type board struct {
	UID           string          `json:"uid"`
	ID            *int            `json:"id"`
	Title         string          `json:"title"`
	Description   string          `json:"description"`
	Tags          []string        `json:"tags"`
	Editable      *bool           `json:"editable"`
	GraphTooltip  int             `json:"graphTooltip"`
	Refresh       string          `json:"refresh"`
	SchemaVersion int             `json:"schemaVersion"`
	Inputs        json.RawMessage `json:"__inputs"`
	Panels        []panel         `json:"panels"`
	Links         []link          `json:"links"`
	Templating    struct {
		List []variable `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []annotation `json:"list"`
	} `json:"annotations"`
}

type datasource struct{ Type, UID string }

type panel struct {
	ID            int        `json:"id"`
	Type          string     `json:"type"`
	Title         string     `json:"title"`
	Description   string     `json:"description"`
	Datasource    datasource `json:"datasource"`
	MaxDataPoints int        `json:"maxDataPoints"`
	Targets       []target   `json:"targets"`
	GridPos       struct{ X, Y, W, H int }
	Transforms    []transformation `json:"transformations"`
	FieldConfig   struct {
		Defaults  field      `json:"defaults"`
		Overrides []override `json:"overrides"`
	} `json:"fieldConfig"`
	Options struct {
		ReduceOptions struct {
			Calcs []string `json:"calcs"`
		} `json:"reduceOptions"`
	} `json:"options"`
}

// transformation is a transformation of a table. Only "organize" has options.
type transformation struct {
	ID      string `json:"id"`
	Options struct {
		Names    map[string]string `json:"renameByName"`
		Order    map[string]int    `json:"indexByName"`
		Excluded map[string]bool   `json:"excludeByName"`
	} `json:"options"`
}

type target struct {
	RefID      string     `json:"refId"`
	Expr       string     `json:"expr"`
	Legend     string     `json:"legendFormat"`
	Format     string     `json:"format"`
	Interval   string     `json:"interval"`
	Instant    bool       `json:"instant"`
	Range      bool       `json:"range"`
	Datasource datasource `json:"datasource"`
}

type field struct {
	Unit       string    `json:"unit"`
	NoValue    string    `json:"noValue"`
	Mappings   []mapping `json:"mappings"`
	Thresholds struct {
		Steps []struct {
			Value *float64 `json:"value"`
			Color string   `json:"color"`
		} `json:"steps"`
	} `json:"thresholds"`
	Custom struct {
		SpanNulls bool   `json:"spanNulls"`
		MinWidth  int    `json:"minWidth"`
		DrawStyle string `json:"drawStyle"`
	} `json:"custom"`
}

type mapping struct {
	Type    string          `json:"type"`
	Options json.RawMessage `json:"options"`
}

type override struct {
	Matcher struct {
		ID      string `json:"id"`
		Options any    `json:"options"`
	} `json:"matcher"`
	Properties []struct {
		ID    string          `json:"id"`
		Value json.RawMessage `json:"value"`
	} `json:"properties"`
}

type link struct {
	Title       string `json:"title"`
	URL         string `json:"url"`
	IncludeVars bool   `json:"includeVars"`
	KeepTime    bool   `json:"keepTime"`
	Placement   string `json:"placement"`
}

type variable struct {
	Type       string          `json:"type"`
	Name       string          `json:"name"`
	Label      string          `json:"label"`
	Query      string          `json:"query"`
	Refresh    int             `json:"refresh"`
	Multi      bool            `json:"multi"`
	IncludeAll bool            `json:"includeAll"`
	AllValue   string          `json:"allValue"`
	Regex      string          `json:"regex"`
	Datasource json.RawMessage `json:"datasource"`
}

type annotation struct {
	Name       string     `json:"name"`
	Expr       string     `json:"expr"`
	Step       string     `json:"step"`
	Enable     bool       `json:"enable"`
	Datasource datasource `json:"datasource"`
}

// boards returns all committed dashboards, by the names of their files.
func boards(t testing.TB) map[string]*board {
	t.Helper()
	paths, err := filepath.Glob("*.json")
	require.NoError(t, err)
	all := map[string]*board{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		b := &board{}
		require.NoError(t, json.Unmarshal(text, b), path)
		all[path] = b
	}
	return all
}

// panels returns all panels except rows, which only group the others.
func (b *board) panels() []panel {
	var panels []panel
	for _, p := range b.Panels {
		if p.Type != "row" {
			panels = append(panels, p)
		}
	}
	return panels
}

// panel returns the panel with a title.
func (b *board) panel(t testing.TB, title string) panel {
	t.Helper()
	for _, p := range b.panels() {
		if p.Title == title {
			return p
		}
	}
	t.Fatalf("no panel %q", title)
	return panel{}
}

// variable returns the variable with a name.
func (b *board) variable(name string) (variable, bool) {
	for _, v := range b.Templating.List {
		if v.Name == name {
			return v, true
		}
	}
	return variable{}, false
}

// exprs returns all queries of the dashboard, by their place.
func (b *board) exprs() map[string]string {
	all := map[string]string{}
	for _, p := range b.panels() {
		for _, q := range p.Targets {
			all[p.Title+" "+q.RefID] = q.Expr
		}
	}
	for _, a := range b.Annotations.List {
		all["annotation "+a.Name] = a.Expr
	}
	return all
}

package dashboards_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// A view is what a user of Grafana has selected: the time range, and the values of variables.
type view struct {
	t          testing.TB
	prom       *testserver.Prom
	start, end time.Time
	picked     map[string][]string // values of variables that are not All
}

// series is one series of a result, with its values.
type series struct {
	labels map[string]string
	values []float64
	times  []float64
}

// expand replaces the variables in a query, as Grafana does before it sends it.
func (v *view) expand(b *board, text string) string {
	text = strings.NewReplacer(
		"$__rate_interval", "5s",
		"$__interval", "1s",
		"$__range", fmt.Sprintf("%ds", int(v.end.Sub(v.start).Seconds())),
	).Replace(text)
	return regexp.MustCompile(`\$(\w+)`).ReplaceAllStringFunc(text, func(name string) string {
		variable, exists := b.variable(name[1:])
		require.True(v.t, exists, "%s in %s", name, text)
		return v.value(b, variable)
	})
}

// value returns the value of a variable in a matcher: one value, or a pattern of several.
func (v *view) value(b *board, of variable) string {
	values := v.picked[of.Name]
	if values == nil && of.AllValue != "" {
		return of.AllValue
	}
	if values == nil {
		values = v.options(b, of)
	}
	if !of.Multi {
		values = values[:1] // Grafana selects the first.
	}
	quoted := make([]string, len(values))
	for i, value := range values {
		quoted[i] = strings.ReplaceAll(regexp.QuoteMeta(value), `\`, `\\`) // The value is in a quoted string.
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "(" + strings.Join(quoted, "|") + ")"
}

// options returns the values of a variable of the form label_values(series, label), or of the label in its regular expression of
// query_result(expression).
func (v *view) options(b *board, of variable) []string {
	if of.Regex != "" {
		return v.results(b, of)
	}
	parts := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`).FindStringSubmatch(v.expand(b, of.Query))
	require.NotNil(v.t, parts, of.Query)
	var values []string
	v.get("/api/v1/label/"+parts[2]+"/values", url.Values{"match[]": {parts[1]}, "start": {stamp(v.start)}, "end": {stamp(v.end)}}, &values)
	return values
}

func (v *view) results(b *board, of variable) []string {
	label := regexp.MustCompile(`^/(\w+)="\(\[\^"\]\*\)"/$`).FindStringSubmatch(of.Regex)
	require.NotNil(v.t, label, of.Regex)
	expr := strings.TrimSuffix(strings.TrimPrefix(of.Query, "query_result("), ")")
	var values []string
	for _, s := range v.run(b, target{Expr: expr, Instant: true}) {
		values = append(values, s.labels[label[1]])
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// run returns the result of a panel's query.
func (v *view) run(b *board, q target) []series {
	query := url.Values{"query": {v.expand(b, q.Expr)}}
	path := "/api/v1/query"
	if q.Instant {
		query.Set("time", stamp(v.end))
	} else {
		path = "/api/v1/query_range"
		query.Set("start", stamp(v.start))
		query.Set("end", stamp(v.end))
		query.Set("step", "1")
	}
	var answer struct {
		Result []struct {
			Metric map[string]string
			Value  []any
			Values [][]any
			// Native histograms. Their value here is the number of observations.
			Histogram  []any
			Histograms [][]any
		}
	}
	v.get(path, query, &answer)
	var all []series
	for _, r := range answer.Result {
		s := series{labels: r.Metric}
		for _, pair := range slices.Concat([][]any{r.Value, r.Histogram}, r.Values, r.Histograms) {
			if pair == nil {
				continue
			}
			text, isText := pair[1].(string)
			if !isText {
				text = pair[1].(map[string]any)["count"].(string)
			}
			value, err := strconv.ParseFloat(text, 64)
			require.NoError(v.t, err)
			if !math.IsNaN(value) { // Grafana shows NaN like a missing value.
				s.times, s.values = append(s.times, pair[0].(float64)), append(s.values, value)
			}
		}
		if len(s.values) > 0 {
			all = append(all, s)
		}
	}
	return all
}

func (v *view) get(path string, query url.Values, data any) {
	t := v.t
	response, err := http.Get(v.prom.URL() + path + "?" + query.Encode())
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	require.NoError(t, json.Unmarshal(text, &answer))
	require.Equal(t, "success", answer.Status, "%s: %s", query, answer.Error)
}

func stamp(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

package dashboards

// A durations is a histogram: the name of its metric, its label matchers, and the labels by which its series differ.
//
// Prometheus stores it as classic buckets, as a native histogram, or as both. Queries read the classic buckets, and the native
// histogram where there are none. All exporters observe the same events, so that queries join them before they sum.
type durations struct{ name, matchers, labels string }

func latency() durations {
	return durations{"servicegroup_detection_latency_seconds", ofGroup, groupLabels}
}

func suspicion() durations {
	return durations{"servicegroup_suspicion_latency_seconds", ofGroup, groupLabels}
}

func outages() durations {
	return durations{"servicegroup_outage_duration_seconds", ofGroup, groupLabels}
}

// canary is the histogram of a member of each source that is not in the selected groups.
func canary() durations {
	return durations{"servicegroup_canary_detection_latency_seconds", ofSource, sourceLabels}
}

// returns is the histogram of the time from the return of a canary to the poll that saw it up.
func returns() durations {
	return durations{"servicegroup_canary_recovery_latency_seconds", ofSource, sourceLabels}
}

// delivery is the histogram of the time from the poll that saw a death to the delivery of its alert.
func delivery() durations {
	return durations{"servicegroup_notifications_latency_seconds", ofAlertmanager, instanceLabels + `, alertmanager`}
}

// grow returns the expression for the increase of the series with a suffix in a window.
func (h durations) grow(suffix, matchers, window string) string {
	return `increase(` + h.name + suffix + `{` + h.matchers + matchers + `}[` + window + `])`
}

// classic returns the expression for the classic buckets of all series together, native for the native histogram.
func (h durations) classic(window string) string {
	return `sum by (le) (max by (` + h.labels + `, le) (` + h.grow("_bucket", "", window) + `))`
}

func (h durations) native(window string) string {
	return `sum(avg by (` + h.labels + `) (` + h.grow("", "", window) + `))`
}

// buckets returns the expression for a heatmap.
func (h durations) buckets() string {
	classic := `sum by (le) (max by (` + h.labels + `, le) (` + grown(h.series("_bucket"), "$__interval") + `))`
	return classic + ` or sum(avg by (` + h.labels + `) (` + h.grown("$__interval") + `)) unless on () ` + classic
}

// events returns the queries for the number of observations in each step, of each cluster.
func (h durations) events() []string {
	sum := func(increase string) string {
		return `sum by (` + clusterLabel + `) (max by (` + h.labels + `) (` + increase + `))`
	}
	count := func(series string) string { return `histogram_count(` + series + `)` }
	return oneOf(sum(grown(h.series("_count"), "$__interval")),
		sum(difference(count(h.series("")), count(before(h.series(""), "$__interval")))))
}

// grown returns the expression for what the native histogram has grown by in a window, as [grown] does for a number. Histograms have no
// order, and VictoriaMetrics does not have the functions for their counts: it has started again if it has more resets than before.
func (h durations) grown(window string) string {
	all := h.series("")
	again := `resets(` + all + `[1h]) > resets(` + all + `[1h] offset ` + window + `)`
	return `(` + all + ` - ` + before(all, window) + ` unless ` + again + ` or ` + all + ` and ` + again + `)`
}

// mean returns the expressions for the mean of all series together, for classic and for native histograms.
func (h durations) mean(window string) []string {
	sum := func(expr string) string { return `sum(max by (` + h.labels + `) (` + expr + `))` }
	all := h.grow("", "", window)
	classic := sum(h.grow("_sum", "", window)) + ` / ` + sum(h.grow("_count", "", window))
	return []string{classic, sum(`histogram_sum(`+all+`)`) + ` / ` + sum(`histogram_count(`+all+`)`) + ` unless on () ` + classic}
}

// series returns the selector of the series with a suffix.
func (h durations) series(suffix string) string { return h.name + suffix + `{` + h.matchers + `}` }

// quantile returns the expression for a quantile of all series together.
func (h durations) quantile(q, window string) string {
	return `histogram_quantile(` + q + `, ` + h.classic(window) + `) or histogram_quantile(` + q + `, ` + h.native(window) + `)`
}

// quantiles returns the expression for a quantile of each series.
func (h durations) quantiles(q, window string) string {
	return `histogram_quantile(` + q + `, max by (` + h.labels + `, le) (` + h.grow("_bucket", "", window) + `)) or histogram_quantile(` + q +
		`, avg by (` + h.labels + `) (` + h.grow("", "", window) + `))`
}

// count returns the queries for the number of observations, below those for the observations of at most two minutes. The second
// of them is for native histograms: it is a query of its own because VictoriaMetrics does not have their functions.
func (h durations) count(window string) []string {
	return oneOf(`sum(max by (`+h.labels+`) (`+h.grow("_count", "", window)+`))`,
		`sum(max by (`+h.labels+`) (histogram_count(`+h.grow("", "", window)+`)))`)
}

func (h durations) short(window string) []string {
	all := h.grow("", "", window)
	return oneOf(`sum(max by (`+h.labels+`) (`+h.grow("_bucket", `, `+shortOutage, window)+`))`,
		`sum(max by (`+h.labels+`) (histogram_fraction(0, 120, `+all+`) * histogram_count(`+all+`) >= 0 or histogram_count(`+all+`)))`)
}

// oneOf returns the expressions so that the second has no result if the first has one.
func oneOf(classic, native string) []string {
	return []string{`round(` + classic + `)`, `round(` + native + `) unless on () ` + classic}
}

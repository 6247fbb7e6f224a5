package dashboards

import (
	"strconv"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Colours have the same meaning on every dashboard. Missing data has a colour of its own, which is neither good nor bad.
const (
	good    = "green"
	notable = "yellow"
	warning = "orange"
	bad     = "red"
	outside = "#808080"
	unknown = "purple"
	neutral = "blue"
	plain   = "text"
)

// The states of a member: the values of stateNow.
const (
	stateDown = iota
	stateUp
	stateOutOfService
)

// level is the colour of values that are at least a number.
type level struct {
	from  float64
	color string
}

// levels returns the colours of values. Values below the first level have the base colour.
func levels(base string, above ...level) *dashboard.ThresholdsConfigBuilder {
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps(base, above))
}

func steps(base string, above []level) []dashboard.Threshold {
	steps := []dashboard.Threshold{{Color: base}}
	for _, l := range above {
		steps = append(steps, dashboard.Threshold{Value: new(l.from), Color: l.color})
	}
	return steps
}

// none is for counts that should be 0: others are red.
func none() *dashboard.ThresholdsConfigBuilder { return levels(good, level{1, bad}) }

// few is for counts that should be 0, but are less urgent: others are orange.
func few() *dashboard.ThresholdsConfigBuilder { return levels(good, level{1, warning}) }

func byThreshold() *dashboard.FieldColorBuilder {
	return dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)
}

// word is the text and colour of one value.
type word struct {
	value float64
	text  string
	color string
}

// words returns texts for values. Missing values always have a text: Grafana 10 needs null and NaN separately.
func words(missing string, of ...word) []dashboard.ValueMapping {
	mappings := []dashboard.ValueMapping{
		special(dashboard.SpecialValueMatchNull, missing),
		special(dashboard.SpecialValueMatchNaN, missing),
	}
	if len(of) == 0 {
		return mappings
	}
	options := map[string]dashboard.ValueMappingResult{}
	for i, w := range of {
		options[strconv.FormatFloat(w.value, 'g', -1, 64)] = dashboard.ValueMappingResult{
			Text: &w.text, Color: &w.color, Index: new(int32(i)),
		}
	}
	return append(mappings, dashboard.ValueMapping{
		ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: options},
	})
}

func special(match dashboard.SpecialValueMatch, text string) dashboard.ValueMapping {
	return dashboard.ValueMapping{SpecialValueMap: &dashboard.SpecialValueMap{
		Type: dashboard.MappingTypeSpecialValue,
		Options: dashboard.DashboardSpecialValueMapOptions{
			Match: match, Result: dashboard.ValueMappingResult{Text: &text, Color: new(unknown)},
		},
	}}
}

// states returns the texts of a member's states.
func states() []dashboard.ValueMapping {
	return words(noData,
		word{stateDown, "DOWN", bad}, word{stateUp, "UP", good}, word{stateOutOfService, "OUT OF SERVICE", outside})
}

package main

import (
	"strconv"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Colours say the same on every dashboard. What isn't known has one of its own, which is neither good nor bad.
const (
	good    = "green"
	notable = "yellow"
	warning = "orange"
	bad     = "red"
	outside = "#808080"
	unknown = "purple"
	neutral = "blue"
)

// The states of a member, as the recording rule servicegroup:member_state numbers them.
const (
	stateDown = iota
	stateUp
	stateOutOfService
)

// level is the colour of values from a number on.
type level struct {
	from  float64
	color string
}

// levels colours values: those below the first level have the base colour.
func levels(base string, above ...level) *dashboard.ThresholdsConfigBuilder {
	steps := []dashboard.Threshold{{Color: base}}
	for _, l := range above {
		steps = append(steps, dashboard.Threshold{Value: new(l.from), Color: l.color})
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps)
}

// none is for counts of which one is too many.
func none() *dashboard.ThresholdsConfigBuilder { return levels(good, level{1, bad}) }

// few is for counts of which one deserves a look.
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

// words gives texts for values. What is missing always has one: Grafana 10 wants null and NaN apart.
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

// states are the words for a member's state.
func states() []dashboard.ValueMapping {
	return words(noData,
		word{stateDown, "DOWN", bad}, word{stateUp, "UP", good}, word{stateOutOfService, "OUT OF SERVICE", outside})
}

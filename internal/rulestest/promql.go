package rulestest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// values are the samples of a series.
type values struct {
	count   int // including missing samples
	highest float64
}

// parseValues parses promtool's notation of samples, as "0 1+2x3 _x2 stale". A native histogram counts as one sample, 0.
func parseValues(text string) (values, error) {
	var v values
	text = regexp.MustCompile(`\{\{.*?\}\}([+-]\{\{.*?\}\})?`).ReplaceAllString(text, "0")
	pattern := regexp.MustCompile(`^(_|stale|-?[\d.e]+)([+-][\d.]+)?(?:x(\d+))?$`)
	for item := range strings.FieldsSeq(text) {
		match := pattern.FindStringSubmatch(item)
		if match == nil {
			return values{}, fmt.Errorf("can't read the samples %q", item)
		}
		repeats, _ := strconv.Atoi(match[3]) // Empty is 0.
		if match[1] == "_" {
			v.count += max(repeats, 1)
			continue
		}
		v.count += repeats + 1
		if match[1] == "stale" {
			continue
		}
		first, err := strconv.ParseFloat(match[1], 64)
		if err != nil {
			return values{}, fmt.Errorf("can't read the samples %q: %w", item, err)
		}
		increase, _ := strconv.ParseFloat(match[2], 64) // Empty is 0.
		v.highest = max(v.highest, first, first+increase*float64(repeats))
	}
	return v, nil
}

// withMatcher adds a matcher to all selectors of an expression. An expression without any is an error.
func withMatcher(expr, matcher string) (string, error) {
	// A string, or the name of a series and the brace after it, or only a brace.
	pattern := regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\b(?:ALERTS|ALERTS_FOR_STATE|up|service_up|servicegroup[_:][\w:]+)\b\{?|\{`)
	found := false
	result := pattern.ReplaceAllStringFunc(expr, func(s string) string {
		switch {
		case s[0] == '"' || s[0] == '\'':
			return s
		case strings.HasSuffix(s, "{"):
			found = true
			return s + matcher + ","
		default:
			found = true
			return s + "{" + matcher + "}"
		}
	})
	if !found {
		return "", fmt.Errorf("the expression %s has no selector", expr)
	}
	return result, nil
}

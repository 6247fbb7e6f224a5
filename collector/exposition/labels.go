package exposition

import (
	"slices"
	"strings"
	"sync/atomic"

	dto "github.com/prometheus/client_model/go"
)

// Labels are the labels of one or more series. They never change and may be used concurrently.
type Labels struct {
	names, values []string

	// The encoded labels, once they were needed. Most processes are asked for one format only, and some for none.
	text, proto atomic.Pointer[string]
}

// NewLabels returns labels of names, which must be sorted and valid, and their values, which must be valid UTF-8. It keeps
// both slices.
func NewLabels(names []string, values ...string) *Labels {
	return &Labels{names: names, values: values}
}

// Are reports whether these are the values.
func (l *Labels) Are(values ...string) bool { return slices.Equal(l.values, values) }

// String returns the labels as both text formats have them, with braces. Equal labels have equal texts.
func (l *Labels) String() string {
	if known := l.text.Load(); known != nil {
		return *known
	}
	var b []byte
	for i, name := range l.names {
		b = append(b, "{,"[min(i, 1)])
		b = append(b, name...)
		b = append(b, `="`...)
		b = append(b, escape(l.values[i], true)...)
		b = append(b, '"')
	}
	if len(l.names) > 0 {
		b = append(b, '}')
	}
	text := string(b) // A string has no unused capacity.
	l.text.Store(&text)
	return text
}

// escape returns a text as both text formats have it.
func escape(s string, quotes bool) string {
	if !strings.ContainsAny(s, "\\\n\"") {
		return s
	}
	s = strings.ReplaceAll(s, `\`, `\\`)
	s = strings.ReplaceAll(s, "\n", `\n`)
	if quotes {
		s = strings.ReplaceAll(s, `"`, `\"`)
	}
	return s
}

// inProto returns the labels as the fields of a Metric message.
func (l *Labels) inProto() string {
	if known := l.proto.Load(); known != nil {
		return *known
	}
	var fields, pair []byte
	for i, name := range l.names {
		pair = appendString(pair[:0], pairName, name)
		pair = appendString(pair, pairValue, l.values[i])
		fields = appendString(fields, metricLabel, string(pair))
	}
	proto := string(fields)
	l.proto.Store(&proto)
	return proto
}

func (l *Labels) pairs() []*dto.LabelPair {
	pairs := make([]*dto.LabelPair, len(l.names))
	for i := range pairs {
		pairs[i] = &dto.LabelPair{Name: &l.names[i], Value: &l.values[i]}
	}
	return pairs
}

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"servicegroup_exporter/cli/term"
	"servicegroup_exporter/collector"
)

// eventTime is the format of the time of an event. Narrow terminals get time.TimeOnly.
const eventTime = "2006-01-02T15:04:05.000Z07:00"

// The widths of an event's line.
const (
	eventWidth = 11  // of the longest type of event
	wideLine   = 100 // a narrower terminal gets the time of day without the date
	minName    = 32  // longer names are cut if necessary
	minDetails = 20  // with less room the details are printed below
)

// An eventPrinter prints events as lines for people: the time, the type, the member, and details. On a terminal the lines
// fit its width, and the details of all members are aligned.
type eventPrinter struct {
	*term.Screen
	nameWidth int
}

// print prints an event.
func (p *eventPrinter) print(e *collector.Event) error {
	name := ""
	if e.Member.Name != "" {
		name = term.Printable(e.Member.Group) + "/" + term.Printable(e.Member.Name)
	}
	details := "source=" + term.Printable(e.Source)
	if e.HasLatency {
		key := "detected_after"
		switch e.Type {
		case collector.EventRecovery:
			key = "outage"
		case collector.EventSuspect, collector.EventConfirm, collector.EventRefute:
			key = "silent"
		default:
		}
		details += fmt.Sprintf(" %s=%.3fs", key, e.Latency.Seconds())
	}
	if e.Err != nil {
		details += fmt.Sprintf(" err=%q", e.Err.Error())
	}
	return p.line(e.Time, string(e.Type), name, details)
}

// line prints the line of an event. The name is empty if the event is not about a member. Details that don't fit continue
// on the next line.
func (p *eventPrinter) line(at time.Time, what, name, details string) error {
	limit := p.Width()
	stamp := at.Format(eventTime)
	if limit < wideLine {
		stamp = at.Format(time.TimeOnly)
	}
	cells := []term.Cell{{Text: stamp}, {Text: what, Style: eventStyle(collector.EventType(what))}, {Text: name}, {Text: details}}
	widths := []int{len(stamp), eventWidth, p.align(p.TextWidth(name), limit), p.TextWidth(details)}
	term.Fit(widths, 1, limit, []term.Shrink{{Column: 2, Min: minName}})
	start := len(stamp) + 1 + eventWidth + 1
	if widths[2] > 0 {
		start += widths[2] + 1
	}
	lines := p.Wrap(details, limit-start)
	if limit-start < minDetails {
		start = len(stamp) + 1
		lines = append([]string{""}, p.Wrap(details, limit-start)...)
	}
	cells[3].Text = lines[0]
	lines[0] = p.Line(cells, widths, 1, limit)
	_, err := fmt.Fprintln(p, strings.Join(lines, "\n"+strings.Repeat(" ", start)))
	return err
}

// align returns the width of the column of names: on a terminal that of the widest name so far, except names that take more
// than a third of the line.
func (p *eventPrinter) align(name, limit int) int {
	if !p.IsTerminal() || name == 0 {
		return name
	}
	if name <= limit/3 {
		p.nameWidth = max(p.nameWidth, name)
	}
	return max(p.nameWidth, name)
}

// eventStyle returns the style of a type of event: red for failures, green for their end.
func eventStyle(what collector.EventType) term.Style {
	switch what {
	case collector.EventDeath, collector.EventConfirm, collector.EventSourceLost:
		return term.Red
	case collector.EventRecovery, collector.EventRefute, collector.EventSourceBack, collector.EventForcedUp:
		return term.Green
	case collector.EventForcedDown, collector.EventSuspect:
		return term.Yellow
	case collector.EventJoin, collector.EventLeave, collector.EventForgotten:
		return term.Cyan
	default:
		return term.Plain
	}
}

// printEventJSON prints an event as a JSON object on one line.
func printEventJSON(w io.Writer, e *collector.Event) error {
	object := struct {
		Time           time.Time           `json:"time"`
		Event          collector.EventType `json:"event"`
		Source         string              `json:"source"`
		Group          string              `json:"group,omitempty"`
		Member         string              `json:"member,omitempty"`
		Binary         string              `json:"binary,omitempty"`
		Zone           string              `json:"zone,omitempty"`
		LatencySeconds *float64            `json:"latency_seconds,omitempty"`
		Outcome        string              `json:"outcome,omitempty"`
		Error          string              `json:"error,omitempty"`
	}{
		Time: e.Time, Event: e.Type, Source: e.Source, Group: e.Member.Group, Member: e.Member.Name,
		Binary: e.Member.Binary, Zone: e.Member.Zone, Outcome: string(e.Outcome),
	}
	if e.HasLatency {
		object.LatencySeconds = new(e.Latency.Seconds())
	}
	if e.Err != nil {
		object.Error = e.Err.Error()
	}
	return json.NewEncoder(w).Encode(object)
}

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

func (a *app) watchCommand() command {
	c := a.kingpin.Command("watch", "Prints every death, recovery, join and leave as it is seen, until interrupted.")
	group := c.Arg("group", "Only this group.").String()
	format := c.Flag("format", "text, or json: an object a line.").Default("text").Enum("text", "json")
	interval := c.Flag("interval", "Time between polls; backends that can tell of a change are polled at once too.").
		Default("1s").Duration()
	flags := addSourceFlags(c)
	return func() error { return a.watch(*group, *format, *interval, flags) }
}

func (a *app) watch(group, format string, interval time.Duration, flags *sourceFlags) error {
	if interval <= 0 {
		return usageError("--interval must be more than zero, not %v", interval)
	}
	w := &watcher{out: a.Stdout, group: group, format: format}
	ctx, cancel := a.untilStopped()
	defer cancel()
	selected, err := a.selected(ctx, flags, func(s *config.Source) {
		s.PollInterval = drivers.Duration(interval)
	})
	if err != nil {
		return err
	}
	return a.withCollector(ctx, selected, func(ctx context.Context, c *collector.Collector) error {
		return w.watch(ctx, c)
	})
}

// A watcher prints events.
type watcher struct {
	out    io.Writer
	group  string // empty: all
	format string
}

func (w *watcher) watch(ctx context.Context, c *collector.Collector) error {
	events, unsubscribe := c.Subscribe(1000)
	defer unsubscribe()
	if err := w.printStart(ctx, c); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-events:
			if w.group != "" && e.Member.Group != "" && e.Member.Group != w.group {
				continue
			}
			if err := w.print(&e); err != nil {
				return fmt.Errorf("printing an event: %w", err)
			}
		}
	}
}

// printStart says what is there before anything happens, so that silence can be told from blindness.
func (w *watcher) printStart(ctx context.Context, c *collector.Collector) error {
	c.Poll(ctx)
	for _, s := range c.Snapshots() {
		if !s.Readable {
			continue // An event says so.
		}
		count := map[collector.State]int{}
		for i := range s.Members {
			if w.group == "" || w.group == s.Members[i].Group {
				count[s.Members[i].State]++
			}
		}
		if err := w.printWatching(s.Source, count); err != nil {
			return fmt.Errorf("printing the start: %w", err)
		}
	}
	return nil
}

func (w *watcher) printWatching(source string, count map[collector.State]int) error {
	now := time.Now()
	if w.format == "json" {
		return json.NewEncoder(w.out).Encode(map[string]any{
			"time": now, "event": "watching", "source": source, "up": count[collector.Up], "down": count[collector.Down],
		})
	}
	_, err := fmt.Fprintf(w.out, "%s %-11s source=%s up=%d down=%d\n", now.Format(eventTime), "watching",
		printable(source), count[collector.Up], count[collector.Down])
	return err
}

func (w *watcher) print(e *collector.Event) error {
	if w.format == "json" {
		return printEventJSON(w.out, e)
	}
	return printEvent(w.out, e)
}

// eventTime is how the time of an event is written.
const eventTime = "2006-01-02T15:04:05.000Z07:00"

// printEvent prints an event as a line: time, what happened, to whom, and what is known beyond.
func printEvent(w io.Writer, e *collector.Event) error {
	var line strings.Builder
	fmt.Fprintf(&line, "%s %-11s", e.Time.Format(eventTime), e.Type)
	if e.Member.Name != "" {
		fmt.Fprintf(&line, " %s/%s", printable(e.Member.Group), printable(e.Member.Name))
	}
	fmt.Fprintf(&line, " source=%s", printable(e.Source))
	if e.HasLatency {
		key := "detected_after"
		if e.Type == collector.EventRecovery {
			key = "outage"
		}
		fmt.Fprintf(&line, " %s=%.3fs", key, e.Latency.Seconds())
	}
	if e.Err != nil {
		fmt.Fprintf(&line, " err=%q", e.Err.Error())
	}
	_, err := fmt.Fprintln(w, line.String())
	return err
}

// printEventJSON prints an event as an object of one line.
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
		Error          string              `json:"error,omitempty"`
	}{
		Time: e.Time, Event: e.Type, Source: e.Source, Group: e.Member.Group, Member: e.Member.Name,
		Binary: e.Member.Binary, Zone: e.Member.Zone,
	}
	if e.HasLatency {
		object.LatencySeconds = new(e.Latency.Seconds())
	}
	if e.Err != nil {
		object.Error = e.Err.Error()
	}
	return json.NewEncoder(w).Encode(object)
}

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"servicegroup_exporter/cli/term"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

func (a *cli) watchCommand() command {
	c := a.kingpin.Command("watch", "Print every death, recovery, join and leave when it is detected, until interrupted.")
	group := c.Arg("group", "Print only events of this group.").String()
	format := c.Flag("format", "Output format: text, or json (one object per line).").Default("text").Enum("text", "json")
	interval := c.Flag("interval", "Time between two polls. Backends that report changes are also polled after each change.").
		Default("1s").Duration()
	color := addColorFlag(c)
	flags := addSourceFlags(c)
	return func() error {
		w := &watcher{group: *group, json: *format == "json", events: &eventPrinter{Screen: term.New(a.Stdout, *color)}}
		return a.watch(w, *interval, flags)
	}
}

func (a *cli) watch(w *watcher, interval time.Duration, flags *sourceFlags) error {
	if interval <= 0 {
		return usageError("--interval is %v, must be positive", interval)
	}
	ctx, cancel := a.untilStopped()
	defer cancel()
	selected, err := a.selected(ctx, flags, func(s *config.Source) {
		s.PollInterval = drivers.Duration(interval)
	})
	if err != nil {
		return err
	}
	return a.withCollector(ctx, selected, func(ctx context.Context, c *collector.Collector) error {
		return w.watch(ctx, c, func() { a.pollOnce(ctx, c, selected) }, a.warnAbout)
	})
}

// A watcher prints events.
type watcher struct {
	events *eventPrinter
	group  string // empty: all
	json   bool
}

// watch prints events after a first poll, until ctx ends. It calls warn with what the first poll found.
func (w *watcher) watch(ctx context.Context, c *collector.Collector, poll func(), warn func([]collector.Snapshot)) error {
	events, unsubscribe := c.Subscribe(1000)
	defer unsubscribe()
	poll()
	snapshots := c.Snapshots()
	if err := w.printStart(snapshots); err != nil {
		return err
	}
	warn(snapshots)
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

// printStart prints how many members there are before the first event, so that the user sees which sources are watched.
func (w *watcher) printStart(snapshots []collector.Snapshot) error {
	for _, s := range snapshots {
		if !s.Readable {
			continue // An event is printed for it.
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
	if w.json {
		return json.NewEncoder(w.events).Encode(map[string]any{
			"time": now, "event": "watching", "source": source, "up": count[collector.Up], "down": count[collector.Down],
		})
	}
	return w.events.line(now, "watching", "",
		fmt.Sprintf("source=%s up=%d down=%d", term.Printable(source), count[collector.Up], count[collector.Down]))
}

func (w *watcher) print(e *collector.Event) error {
	if w.json {
		return printEventJSON(w.events, e)
	}
	return w.events.print(e)
}

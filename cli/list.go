package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"servicegroup_exporter/cli/term"
	"servicegroup_exporter/collector"
	"servicegroup_exporter/collector/hosts"
	"servicegroup_exporter/drivers"
)

// listFlags are the flags of list.
type listFlags struct {
	*sourceFlags
	group  string   // empty: all
	format string   // table, json or nova
	states []string // empty: all
	by     string   // member or host
	color  *string
}

func (a *cli) listCommand() command {
	c := a.kingpin.Command("list", "Print the members of all groups, or of one group, and their states, or the hosts that they run on.")
	f := &listFlags{sourceFlags: addSourceFlags(c), color: addColorFlag(c)}
	c.Arg("group", "Print only this group.").StringVar(&f.group)
	c.Flag("format", "Output format: table, json, or nova (as nova-manage service list printed it).").
		Default("table").EnumVar(&f.format, "table", "json", "nova")
	c.Flag("state", "Print only members or hosts in this state: up, down or unknown. Can be given more than once.").
		EnumsVar(&f.states, "up", "down", "unknown")
	c.Flag("by", "What to print: each member, or each host with what its members say about it.").
		Default("member").EnumVar(&f.by, "member", "host")
	return func() error { return a.list(f) }
}

func (a *cli) list(f *listFlags) error {
	if f.by == "host" && f.format == "nova" {
		return usageError("--format=nova prints members: leave out --by=host, or choose another format")
	}
	began := time.Now()
	ctx, cancel := a.untilStopped()
	defer cancel()
	selected, err := a.selected(ctx, f.sourceFlags, nil)
	if err != nil {
		return err
	}
	snapshots, err := a.read(ctx, selected)
	if err != nil {
		return err
	}
	rows, failed := listRows(snapshots, f.group, began)
	if f.group != "" && failed == nil && !collector.HasGroup(snapshots, f.group) {
		return noMember(snapshots, f.group, "")
	}
	if f.by == "host" {
		return errors.Join(f.printHosts(term.New(a.Stdout, *f.color), listHosts(snapshots, f.group)), failed)
	}
	// The members of readable sources are printed even if another source can't be read.
	return errors.Join(f.print(a.Stdout, rows), failed)
}

// print prints the rows in the states that were asked for.
func (f *listFlags) print(out io.Writer, all []listRow) error {
	rows := slices.DeleteFunc(slices.Clone(all), func(r listRow) bool {
		return len(f.states) > 0 && !slices.Contains(f.states, r.State)
	})
	switch f.format {
	case "json":
		return printJSON(out, rows)
	case "nova":
		return printNova(out, rows)
	}
	s := term.New(out, *f.color)
	if err := printTable(s, rows); err != nil || !s.IsTerminal() {
		return err
	}
	states := make([]string, len(all))
	for i := range all {
		states[i] = all[i].State
	}
	return printSummary(s, "member", states)
}

// A listRow is one member, as `list --format json` prints it.
type listRow struct {
	Source         string      `json:"source"`
	Group          string      `json:"group"`
	Member         string      `json:"member"`
	Binary         string      `json:"binary,omitempty"`
	Zone           string      `json:"zone,omitempty"`
	Host           string      `json:"host,omitempty"`
	State          string      `json:"state"`
	InService      bool        `json:"in_service"`
	Down           bool        `json:"down"`
	Cause          hosts.Cause `json:"cause,omitempty"` // of members that are down
	Since          *time.Time  `json:"since,omitempty"`
	SinceKnown     *bool       `json:"since_known,omitempty"` // of members that are down
	LastHeartbeat  *time.Time  `json:"last_heartbeat,omitempty"`
	Enabled        *bool       `json:"enabled,omitempty"`
	ForcedDown     *bool       `json:"forced_down,omitempty"`
	DisabledReason string      `json:"disabled_reason,omitempty"`
	UUID           string      `json:"uuid,omitempty"`
	Version        string      `json:"version,omitempty"`

	// For ages: the time of the poll by this machine's clock and by the backend's clock, and whether Since is from a state
	// file that is older than this command.
	polled, backendNow time.Time
	fromStateFile      bool
}

// listRows returns the members of all readable sources, and an error that names the sources that can't be read.
func listRows(snapshots []collector.Snapshot, group string, began time.Time) ([]listRow, error) {
	rows := []listRow{}
	causes := collector.Causes(snapshots)
	var failed error
	for i := range snapshots {
		s := &snapshots[i]
		if !s.Readable {
			failed = errors.Join(failed, unreadable(s))
			continue
		}
		for j := range s.Members {
			if m := &s.Members[j]; group == "" || m.Group == group {
				row := newListRow(s, m, began)
				row.Cause = causes[collector.MemberKey{Source: s.Source, Key: m.Key()}]
				rows = append(rows, row)
			}
		}
	}
	return rows, failed
}

func newListRow(s *collector.Snapshot, m *collector.MemberState, began time.Time) listRow {
	row := listRow{
		Source: s.Source, Group: m.Group, Member: m.Name, Binary: m.Binary, Zone: m.Zone, Host: m.Host, State: m.State.String(),
		InService: m.InService, Down: m.DecidedDown, Since: timeOrNil(m.InStateSince()), LastHeartbeat: timeOrNil(m.LastHeartbeat),
		Enabled: boolOrNil(m.Enabled), ForcedDown: boolOrNil(m.ForcedDown),
		DisabledReason: m.DisabledReason, UUID: m.UUID, Version: m.Version,
		polled: s.LastSuccess, backendNow: s.LastSuccess.Add(s.ClockOffset), fromStateFile: m.Since.Before(began),
	}
	if !m.DownSince.IsZero() {
		row.SinceKnown = new(m.DownSinceKnown)
	}
	return row
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

func boolOrNil(f drivers.Flag) *bool {
	if f == drivers.FlagNone {
		return nil
	}
	return new(f == drivers.FlagYes)
}

func printJSON[T any](w io.Writer, rows []T) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}

// printNova prints the table that nova-manage service list printed until Nova 13, with the same columns.
func printNova(w io.Writer, rows []listRow) error {
	const format = "%-16s %-36s %-16s %-10s %-5s %-10s\n"
	if _, err := fmt.Fprintf(w, format, "Binary", "Host", "Zone", "Status", "State", "Updated_At"); err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		status, state, updated := "enabled", "XXX", "None"
		if r.Enabled != nil && !*r.Enabled {
			status = "disabled"
		}
		if r.State == collector.Up.String() {
			state = ":-)"
		}
		if r.LastHeartbeat != nil {
			updated = r.LastHeartbeat.Format(time.DateTime)
		}
		if _, err := fmt.Fprintf(w, format, term.Printable(r.Binary), term.Printable(r.Member), term.Printable(r.Zone), status, state, updated); err != nil {
			return err
		}
	}
	return nil
}

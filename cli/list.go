package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/drivers"
)

func (a *app) listCommand() command {
	c := a.kingpin.Command("list", "Prints the members of all groups, or of one, and whether they are up.")
	group := c.Arg("group", "Only this group.").String()
	format := c.Flag("format", "table, json, or nova: as nova-manage service list printed it.").
		Default("table").Enum("table", "json", "nova")
	flags := addSourceFlags(c)
	return func() error { return a.list(*group, *format, flags) }
}

func (a *app) list(group, format string, flags *sourceFlags) error {
	ctx, cancel := a.untilStopped()
	defer cancel()
	selected, err := a.selected(ctx, flags, nil)
	if err != nil {
		return err
	}
	snapshots, err := a.read(ctx, selected)
	if err != nil {
		return err
	}
	rows, failed := listRows(snapshots, group)
	print := map[string]func(io.Writer, []listRow) error{"table": printTable, "json": printJSON, "nova": printNova}[format]
	// What is known is printed even if something is not.
	return errors.Join(print(a.Stdout, rows), failed)
}

// A listRow is one member, as `list --format json` prints it.
type listRow struct {
	Source         string     `json:"source"`
	Group          string     `json:"group"`
	Member         string     `json:"member"`
	Binary         string     `json:"binary,omitempty"`
	Zone           string     `json:"zone,omitempty"`
	State          string     `json:"state"`
	Since          *time.Time `json:"since,omitempty"`
	LastHeartbeat  *time.Time `json:"last_heartbeat,omitempty"`
	Enabled        *bool      `json:"enabled,omitempty"`
	ForcedDown     *bool      `json:"forced_down,omitempty"`
	DisabledReason string     `json:"disabled_reason,omitempty"`
	UUID           string     `json:"uuid,omitempty"`
	Version        string     `json:"version,omitempty"`
}

// listRows gives the members of all sources that could be read, and an error for those that could not.
func listRows(snapshots []collector.Snapshot, group string) ([]listRow, error) {
	rows := []listRow{}
	var failed error
	for i := range snapshots {
		s := &snapshots[i]
		if !s.Readable {
			failed = errors.Join(failed, unreadable(s))
			continue
		}
		for j := range s.Members {
			if m := &s.Members[j]; group == "" || m.Group == group {
				rows = append(rows, newListRow(s.Source, m))
			}
		}
	}
	return rows, failed
}

func newListRow(source string, m *collector.MemberState) listRow {
	return listRow{
		Source: source, Group: m.Group, Member: m.Name, Binary: m.Binary, Zone: m.Zone, State: m.State.String(),
		Since: timeOrNil(m.Since), LastHeartbeat: timeOrNil(m.LastHeartbeat),
		Enabled: boolOrNil(m.Enabled), ForcedDown: boolOrNil(m.ForcedDown),
		DisabledReason: m.DisabledReason, UUID: m.UUID, Version: m.Version,
	}
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

// admin is what an operator decided about a member, in words.
func (r *listRow) admin() string {
	switch {
	case r.ForcedDown != nil && *r.ForcedDown:
		return "forced down"
	case r.Enabled == nil:
		return "-"
	case !*r.Enabled && r.DisabledReason != "":
		return "disabled: " + r.DisabledReason
	case !*r.Enabled:
		return "disabled"
	default:
		return "enabled"
	}
}

func printJSON(w io.Writer, rows []listRow) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}

func printTable(w io.Writer, rows []listRow) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SOURCE\tGROUP\tMEMBER\tSTATE\tLAST HEARTBEAT\tBINARY\tZONE\tADMIN")
	for i := range rows {
		r := &rows[i]
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable(r.Source), printable(r.Group), printable(r.Member),
			r.State, orDash(r.LastHeartbeat), dashIfEmpty(r.Binary), dashIfEmpty(r.Zone), printable(r.admin()))
	}
	return table.Flush()
}

// printNova prints what nova-manage service list printed until Nova 13, column for column.
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
		if _, err := fmt.Fprintf(w, format, printable(r.Binary), printable(r.Member), printable(r.Zone), status, state, updated); err != nil {
			return err
		}
	}
	return nil
}

func orDash(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

func dashIfEmpty(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}

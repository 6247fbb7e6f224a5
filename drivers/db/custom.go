package db

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// Custom describes a heartbeat table for which there is no schema. Names of tables and columns are those in the database;
// they are quoted, so that any name is possible. An empty name means that the table has no such column.
//
// Rows whose name is NULL are ignored.
type Custom struct {
	Table string

	// Group is the column with the member's group. GroupName, instead, is the one group of all members.
	Group     string
	GroupName string

	// Name is the column with the member's name, which is unique in its group.
	Name string

	// Binary and Zone are columns with attributes. DisabledReason, Version and UUID are shown on the info series only.
	Binary         string
	Zone           string
	DisabledReason string
	Version        string
	UUID           string

	// Heartbeat are the columns with the time of the last proof of life: the first that is not NULL counts.
	Heartbeat []string

	// HeartbeatUnit is the type of these columns: "time" for a date and time in UTC, or "seconds" or "milliseconds" since 1970.
	// Empty means "time".
	HeartbeatUnit string

	// ReportCount is the column with a whole number that every heartbeat increases by one. With it the time between heartbeats can be
	// learned from polls that are rarer than heartbeats.
	ReportCount string

	// Deleted is the column that marks rows as deleted. DeletedKind is how: by a "flag" that is true, by a "number" that is not
	// 0, or by a "time" that is not NULL. NULL in a flag or number means deleted too. Empty means "flag".
	Deleted     string
	DeletedKind string

	// Disabled, or its opposite Enabled, and ForcedDown are columns with an operator's decisions: booleans, or numbers of
	// which 0 means no. NULL means no.
	Disabled   string
	Enabled    string
	ForcedDown string

	// FutureHeartbeats is how a heartbeat from the future counts: like one that is as far in the past ("down", as with Nova's
	// abs()), or as fresh ("up"). Empty means "down".
	FutureHeartbeats string

	// Boundary is whether a heartbeat that is exactly service_down_time old counts: "inclusive" if it does, "exclusive" if it
	// does not. Empty means "inclusive".
	Boundary string
}

// schema returns the schema that c describes.
func (c *Custom) schema() *schema {
	s := &schema{
		table: c.Table, key: c.Name, exact: true,
		group: c.Group, groupName: c.GroupName, name: c.Name, reportCount: c.ReportCount,
		binary: c.Binary, zone: c.Zone, disabledReason: c.DisabledReason, version: c.Version, uuid: c.UUID,
		disabled: c.Disabled, enabled: c.Enabled, forcedDown: c.ForcedDown,
		deleted: c.Deleted,
		rules: []rule{{
			heartbeat: c.Heartbeat, unit: unit(c.HeartbeatUnit),
			oneSided: c.FutureHeartbeats == "up", strict: c.Boundary == "exclusive",
		}},
		times: seconds(60, 10),
	}
	if c.Deleted != "" {
		s.deletion = map[string]deletion{"number": deletedIsID, "time": deletedSince}[c.DeletedKind]
		if s.deletion == rowsVanish {
			s.deletion = deletedFlag
		}
	}
	return s
}

// validate returns all mistakes, joined.
func (c *Custom) validate() error {
	errs := []error{c.checkNames(), c.checkWords()}
	add := func(field, format string, args ...any) {
		errs = append(errs, drivers.Field("custom."+field, format, args...))
	}
	if c.Table == "" {
		add("table", "is missing")
	}
	if c.Name == "" {
		add("name", "is missing: which column has the members' names?")
	}
	if len(c.Heartbeat) == 0 {
		add("heartbeat", "is missing: which columns have the time of the last heartbeat?")
	}
	if (c.Group == "") == (c.GroupName == "") {
		add("group", "set exactly one of group (a column) and group_name (the name of the only group)")
	}
	if c.Disabled != "" && c.Enabled != "" {
		add("enabled", "is the opposite of disabled: set only one of the two")
	}
	if c.Deleted == "" && c.DeletedKind != "" {
		add("deleted_kind", "has no effect without deleted, which names the column")
	}
	return errors.Join(errs...)
}

// maxIdentifier is the maximum length of a name, in bytes. No supported database allows more.
const maxIdentifier = 255

// checkNames checks the names that are used in SQL.
func (c *Custom) checkNames() error {
	var errs []error
	check := func(field, name string) {
		if !utf8.ValidString(name) || strings.ContainsRune(name, 0) || len(name) > maxIdentifier {
			errs = append(errs, drivers.Field("custom."+field, "%s is not a name: it must be UTF-8 text of at most %d bytes without a zero byte", suggest.Quote(name), maxIdentifier))
		}
	}
	for _, n := range []struct{ field, name string }{
		{"table", c.Table},
		{"group", c.Group},
		{"group_name", c.GroupName},
		{"name", c.Name},
		{"binary", c.Binary},
		{"zone", c.Zone},
		{"disabled_reason", c.DisabledReason},
		{"version", c.Version},
		{"uuid", c.UUID},
		{"report_count", c.ReportCount},
		{"deleted", c.Deleted},
		{"disabled", c.Disabled},
		{"enabled", c.Enabled},
		{"forced_down", c.ForcedDown},
	} {
		check(n.field, n.name)
	}
	for i, name := range c.Heartbeat {
		field := fmt.Sprintf("heartbeat[%d]", i)
		if name == "" {
			errs = append(errs, drivers.Field("custom."+field, "is empty"))
		}
		check(field, name)
	}
	return errors.Join(errs...)
}

// checkWords checks the settings that must be one of a few words.
func (c *Custom) checkWords() error {
	var errs []error
	for _, w := range []struct {
		field, value string
		words        []string
	}{
		{"heartbeat_unit", c.HeartbeatUnit, []string{"time", "seconds", "milliseconds"}},
		{"deleted_kind", c.DeletedKind, []string{"flag", "number", "time"}},
		{"future_heartbeats", c.FutureHeartbeats, []string{"down", "up"}},
		{"boundary", c.Boundary, []string{"inclusive", "exclusive"}},
	} {
		if w.value != "" && !slices.Contains(w.words, w.value) {
			errs = append(errs, drivers.Field("custom."+w.field, "%w", suggest.NotOneOf(w.value, w.words)))
		}
	}
	return errors.Join(errs...)
}

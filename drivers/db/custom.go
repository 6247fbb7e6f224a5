package db

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
)

// Custom describes a heartbeat table that no other schema fits. Every table and column is named as the database has it,
// and may be any name at all: it is quoted. A column that is not named is one that the table does not have.
//
// A row whose name is NULL is nobody's.
type Custom struct {
	Table string

	// Group is the column that says which group the member is in, or GroupName is the one group of all.
	Group     string
	GroupName string

	// Name is the column with the member's name, which is unique in its group.
	Name string

	// Binary and Zone are columns with attributes; DisabledReason, Version and UUID are shown on the info series only.
	Binary         string
	Zone           string
	DisabledReason string
	Version        string
	UUID           string

	// Heartbeat are the columns with the time of the last proof of life: the first that is not NULL counts.
	Heartbeat []string

	// HeartbeatUnit says what they hold: "time" for dates and times in UTC, or the "seconds" or "milliseconds" since 1970.
	// Empty is "time".
	HeartbeatUnit string

	// Deleted is the column that marks rows as deleted, and DeletedKind how: by a "flag" that is set, by a "number" that
	// is not 0, or by a "time" that is not NULL. NULL in a flag or number is deleted too. Empty is "flag".
	Deleted     string
	DeletedKind string

	// Disabled, or its opposite Enabled, and ForcedDown are columns with what an operator decided: booleans, or numbers
	// that are 0 for no. NULL is no.
	Disabled   string
	Enabled    string
	ForcedDown string

	// FutureHeartbeats says whether a heartbeat from the future is as bad as one that is as far in the past ("down", which is
	// Nova's abs()), or is a fresh one ("up"). Empty is "down".
	FutureHeartbeats string

	// Boundary says whether a heartbeat that is exactly service_down_time old still counts: "inclusive", or "exclusive" if
	// it does not. Empty is "inclusive".
	Boundary string
}

// schema turns the description into what the driver goes by.
func (c *Custom) schema() *schema {
	s := &schema{
		table: c.Table, key: c.Name, exact: true,
		group: c.Group, groupName: c.GroupName, name: c.Name,
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

// validate returns every mistake.
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
		add("group", "exactly one of group, a column, and group_name, the name of the one group, is needed")
	}
	if c.Disabled != "" && c.Enabled != "" {
		add("enabled", "is the opposite of disabled; keep one of the two")
	}
	if c.Deleted == "" && c.DeletedKind != "" {
		add("deleted_kind", "needs deleted, the column that it is about")
	}
	return errors.Join(errs...)
}

// maxIdentifier is more than any of the databases takes.
const maxIdentifier = 255

// checkNames checks what goes into the SQL as names.
func (c *Custom) checkNames() error {
	var errs []error
	check := func(field, name string) {
		if !utf8.ValidString(name) || strings.ContainsRune(name, 0) || len(name) > maxIdentifier {
			errs = append(errs, drivers.Field("custom."+field, "is not a name: at most %d bytes of UTF-8 text", maxIdentifier))
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

// checkWords checks the settings that are one of a few words.
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
			errs = append(errs, drivers.Field("custom."+w.field, "must be one of %s", strings.Join(w.words, ", ")))
		}
	}
	return errors.Join(errs...)
}

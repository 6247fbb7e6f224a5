package db

import (
	"maps"
	"slices"
)

// A schema says how one service lays out its heartbeat table, and by which rule it calls a row up. Columns are named as
// in the table, and empty where the service has no such thing.
type schema struct {
	table string

	// repository is the name under which sqlalchemy-migrate recorded migrations.
	repository string

	// key is a column that is NULL in no row that is not deleted.
	key string

	// The identity: columns of text. Without a group column all rows are in the group groupName. Several rows may be
	// one member only where manyRows says so, each a process of it: then it is up when one of them is.
	group, groupName string
	name             string
	manyRows         bool

	// Attributes: columns of text that some releases lack. The zone is looked up in zones, where those are.
	binary, zone                  string
	disabledReason, version, uuid string
	zones                         lookup

	// How a row is deleted.
	deleted   string
	deletion  deletion
	deletedAt string

	// What an operator decides: flags. Whoever is not online counts as forced down.
	disabled, enabled string
	forcedDown        string // some releases lack it
	online            string

	// busy is a flag that makes a row up whatever its heartbeat.
	busy string

	// interval is a column with the seconds between the row's own heartbeats: it is up for two of them.
	interval string

	// rules are ordered from new to old: the first that fits the table holds. The last one fits always.
	rules []rule

	// stored are the rules by which the service's own tools report the state that is stored in the table, where that
	// can differ from rules.
	stored []rule

	// exact says that there is no release that lacks a column.
	exact bool

	// silent are binaries whose rows record something else than life: they never send a heartbeat.
	silent []string

	// times are the service's own. Its readers may correct a service_down_time that is too short.
	times    times
	corrects bool

	// writer says how rows are made and kept alive, nil where nobody but the service can do that.
	writer *writer
}

// A rule says what counts as a heartbeat in some releases, and how long. The service is up when the first time that is
// set is at most service_down_time away from now.
type rule struct {
	needs        string // the column that tells these releases from older ones, empty for the last rule
	minMigration int64  // the migration that tells them where no column does
	heartbeat    []string
	unit         unit

	oneSided bool // a heartbeat from the future is a fresh one, however far it is
	strict   bool // a heartbeat that is exactly as old as it may be is too old

	// state is a column that gives the verdict instead, by being one of up. The heartbeat is shown only.
	state string
	up    []string
}

// A writer is what join, heartbeats and leave do to a schema's rows.
type writer struct {
	created     string
	reportCount string   // goes up with every heartbeat
	beats       []string // what a heartbeat sets to now, as far as the release has it

	// binaryPrefix and the group's name make the binary of a member that does not say what it runs.
	binaryPrefix string
}

// A lookup finds a text in another table, where that is there and may be read.
type lookup struct{ table, key, value string }

// deletion says how a table marks rows that are no more.
type deletion int

const (
	rowsVanish   deletion = iota // the row itself goes
	deletedIsID                  // a number that is 0 in a live row; NULL is not live
	deletedFlag                  // a flag; NULL is not live
	deletedSince                 // a time that is NULL in a live row
)

// unit says what a heartbeat's column holds.
type unit string

const (
	unitTime         unit = "time"         // a date and time, in UTC
	unitSeconds      unit = "seconds"      // since 1970
	unitMilliseconds unit = "milliseconds" // since 1970
)

// custom is the name of the schema that the configuration itself describes.
const custom = "custom"

// schemaNames are the names that the configuration may give.
func schemaNames() []string {
	return append(slices.Sorted(maps.Keys(schemas())), custom)
}

// schemaOf returns the schema that the configuration names or describes, nil where it does neither.
func schemaOf(c *Config) *schema {
	if c.private {
		return ownTable()
	}
	if c.Schema == custom && c.Custom != nil {
		return c.Custom.schema()
	}
	if known := schemas()[c.Schema]; known != nil {
		return known()
	}
	return nil
}

// rulesFor returns the rules to go by, nil where the schema has none of the kind.
func (s *schema) rulesFor(kind Rule) []rule {
	if kind == RuleStored {
		return s.stored
	}
	return s.rules
}

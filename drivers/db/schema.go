package db

import (
	"maps"
	"slices"
	"time"

	"servicegroup_exporter/drivers"
)

// A schema describes one service's heartbeat table, and the rule by which the service decides that a row is up. Columns have
// the names that they have in the table; an empty name means that the service has no such column.
type schema struct {
	table string

	// repository is the repository_id under which sqlalchemy-migrate recorded migrations.
	repository string

	// key is a column that is never NULL in a row that is not deleted.
	key string

	// The identity: columns of text. Without a group column all rows are in the group groupName. With manyRows each row is a
	// process, several rows can be one member, and it is up if one of them is.
	group, groupName string
	name             string
	manyRows         bool

	// Attributes: columns of text that some releases lack. If zones is set, the zone is an id that is looked up there.
	binary, zone                  string
	disabledReason, version, uuid string
	zones                         lookup

	// reportCount is a column with a whole number that every heartbeat increases. Some releases lack it.
	reportCount string

	// How a row is marked as deleted.
	deleted   string
	deletion  deletion
	deletedAt string

	// An operator's decisions: flags. A member that is not online counts as forced down.
	disabled, enabled string
	forcedDown        string // some releases lack it
	online            string

	// busy is a flag that makes a row up regardless of its heartbeat.
	busy string

	// interval is a column with the seconds between the row's own heartbeats: the row is up for two intervals.
	interval string

	// rules are ordered from new to old releases: the first that fits the table applies. The last one always fits.
	rules []rule

	// stored are the rules of the service's own tools if these report a state that is stored in the table, which can differ
	// from the result of rules.
	stored []rule

	// exact means that the table has all columns in every release.
	exact bool

	// binaries is how the names of the service's own binaries begin, if other services have a table of the same name.
	binaries string

	// withoutHeartbeat are binaries whose rows never get a heartbeat.
	withoutHeartbeat []string

	// times are the service's defaults. With corrects its readers correct a service_down_time that is too short, as Nova
	// does: see [drivers.DownTime].
	times    times
	corrects bool

	// writer describes how members are added and send heartbeats; nil if only the service itself can do that.
	writer *writer
}

// A rule is how a service decides in some of its releases that a row is up: if the first of the heartbeat columns that is
// not NULL is at most service_down_time before or after now.
type rule struct {
	needs        string // the column that these releases have and older ones lack, empty for the last rule
	minMigration int64  // the migration that these releases have, if no column differs
	heartbeat    []string
	unit         unit

	oneSided bool // every heartbeat from the future is fresh
	strict   bool // a heartbeat that is exactly service_down_time old is too old

	// state is a column that decides instead: the row is up if its value is one of up. The heartbeat is then only reported.
	state string
	up    []string
}

// A writer describes what join, heartbeats and leave do to a schema's rows.
type writer struct {
	created string
	beats   []string // set to the current time by every heartbeat, if the release has the column

	// binaryPrefix and the group's name are the default binary of a member.
	binaryPrefix string
}

// A lookup finds a text in another table, if that table exists and may be read.
type lookup struct{ table, key, value string }

// deletion is how a table marks deleted rows.
type deletion int

const (
	rowsVanish   deletion = iota // the row itself is removed
	deletedIsID                  // a number that is 0 in a row that is not deleted; NULL means deleted
	deletedFlag                  // a flag; NULL means deleted
	deletedSince                 // a time that is NULL in a row that is not deleted
)

// unit is the type of a heartbeat's column.
type unit string

const (
	unitTime         unit = "time"         // a date and time, in UTC
	unitSeconds      unit = "seconds"      // since 1970
	unitMilliseconds unit = "milliseconds" // since 1970
)

// custom is the name of the schema that the configuration describes.
const custom = "custom"

// schemaNames returns the names that the configuration may have.
func schemaNames() []string {
	return append(slices.Sorted(maps.Keys(schemas())), custom)
}

// schemaOf returns the schema that the configuration names or describes, nil if there is none.
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

// rulesFor returns the rules of a kind, nil if the schema has none.
func (s *schema) rulesFor(kind Verdict) []rule {
	if kind == VerdictStored {
		return s.stored
	}
	return s.rules
}

// times are a service's defaults for service_down_time and report_interval.
type times struct{ down, interval drivers.Duration }

// seconds returns times in seconds, as in the services' own documentation.
func seconds(down, interval int) times {
	return times{drivers.Duration(down) * drivers.Duration(time.Second), drivers.Duration(interval) * drivers.Duration(time.Second)}
}

package db

// A schema says how one service lays out its heartbeat table, and by which rule it calls a row up.
type schema struct {
	table string

	// repository is the name under which sqlalchemy-migrate recorded migrations.
	repository string

	// The columns that every release has. Those of the identity are texts, the rest are times but for deleted and
	// disabled.
	group, name, binary string
	deleted             string // 0: live; NULL is not live
	deletedAt           string
	created             string
	disabled            string
	reportCount         string

	// Columns that some releases lack.
	forcedDown, disabledReason, version, uuid string

	// rules are ordered from new to old: the first that fits the table holds. The last one fits always.
	rules []rule

	// silent are binaries whose rows record something else than life: they never send a heartbeat.
	silent []string

	// binaryPrefix and the group's name make the binary of a member that does not say what it runs.
	binaryPrefix string
}

// A rule says which times count as a heartbeat in some releases. The service is up when the first that is set is at
// most service_down_time away from now, in the past or in the future.
type rule struct {
	needs        string // the column that tells these releases from older ones, empty for the last rule
	minMigration int64  // the migration that tells them where no column does
	heartbeat    []string
	beats        []string // what a heartbeat sets to now; the first of heartbeat is among them
}

// schemaNamed returns the schema that the configuration names.
func schemaNamed(name string) (*schema, bool) {
	switch name {
	case "nova":
		return nova(), true
	}
	return nil, false
}

// nova is the table services of a Nova cell database, from 2013.1 to today. The rules are those of
// nova/servicegroup/drivers/db.py: updated_at and created_at at first; last_seen_up before them since 12.0.0; without
// updated_at, which any change of the row moves, since 15.0.0. Nothing in the table tells 15 from 12 to 14, but Ocata's
// first migration was 345 (335 to 344 were left for Newton's fixes); 16.0.0 added uuid.
func nova() *schema {
	return &schema{
		table: "services", repository: "nova",
		group:   "topic",
		name:    "host",
		binary:  "binary",
		deleted: "deleted", deletedAt: "deleted_at",
		created:     "created_at",
		disabled:    "disabled",
		reportCount: "report_count",
		forcedDown:  "forced_down", disabledReason: "disabled_reason", version: "version", uuid: "uuid",
		rules: []rule{
			{
				needs:     "uuid",
				heartbeat: []string{"last_seen_up", "created_at"},
				beats:     []string{"last_seen_up", "updated_at"},
			},
			{
				needs: "last_seen_up", minMigration: 345,
				heartbeat: []string{"last_seen_up", "created_at"},
				beats:     []string{"last_seen_up", "updated_at"},
			},
			{
				needs:     "last_seen_up",
				heartbeat: []string{"last_seen_up", "updated_at", "created_at"},
				beats:     []string{"last_seen_up", "updated_at"},
			},
			{
				heartbeat: []string{"updated_at", "created_at"},
				beats:     []string{"updated_at"},
			},
		},
		// Since 13.0.0 these rows record a version only; os-services hides them (d89c50f18b). nova-ec2 was 13's.
		silent:       []string{"nova-osapi_compute", "nova-metadata", "nova-ec2"},
		binaryPrefix: "nova-",
	}
}

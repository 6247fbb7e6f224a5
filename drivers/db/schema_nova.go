package db

// nova is the table services of a Nova cell database, from 2013.1 to today. The rules are those of
// nova/servicegroup/drivers/db.py: updated_at and created_at at first; last_seen_up before them since 12.0.0; without
// updated_at, which any change of the row moves, since 15.0.0. Nothing in the table tells 15 from 12 to 14, but Ocata's
// first migration was 345 (335 to 344 were left for Newton's fixes); 16.0.0 added uuid.
func nova() *schema {
	return &schema{
		table: "services", repository: "nova", key: "deleted",
		group: "topic", name: "host", binary: "binary",
		deleted: "deleted", deletion: deletedIsID, deletedAt: "deleted_at",
		disabled: "disabled", forcedDown: "forced_down",
		disabledReason: "disabled_reason", version: "version", uuid: "uuid",
		rules: []rule{
			{needs: "uuid", heartbeat: []string{"last_seen_up", "created_at"}},
			{needs: "last_seen_up", minMigration: 345, heartbeat: []string{"last_seen_up", "created_at"}},
			{needs: "last_seen_up", heartbeat: []string{"last_seen_up", "updated_at", "created_at"}},
			{heartbeat: []string{"updated_at", "created_at"}},
		},
		// Since 13.0.0 these rows record a version only; os-services hides them (d89c50f18b). nova-ec2 was 13's.
		silent: []string{"nova-osapi_compute", "nova-metadata", "nova-ec2"},
		times:  seconds(60, 10), corrects: true,
		writer: &writer{
			created: "created_at", reportCount: "report_count",
			beats:        []string{"last_seen_up", "updated_at"},
			binaryPrefix: "nova-",
		},
	}
}

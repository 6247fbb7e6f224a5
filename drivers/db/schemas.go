package db

// schemas returns all schemas by name. A new schema is added here and described by a function below.
func schemas() map[string]func() *schema {
	return map[string]func() *schema{
		"nova":      nova,
		"cinder":    cinder,
		"manila":    manila,
		"neutron":   neutron,
		"heat":      heat,
		"ironic":    ironic,
		"designate": designate,
		"magnum":    magnum,
		"octavia":   octavia,
	}
}

// nova is the table services of a Nova cell database, from 2013.1 to today. The rules are in
// nova/servicegroup/drivers/db.py: updated_at and created_at at first; last_seen_up before them since 12.0.0; without
// updated_at, which any change of the row moves, since 15.0.0. The tables of 15 and of 12 to 14 are the same, but Ocata's first
// migration was 345 (335 to 344 were reserved for Newton's fixes); 16.0.0 added uuid.
func nova() *schema {
	return &schema{
		table: "services", repository: "nova", key: "deleted", binaries: "nova-",
		group: "topic", name: "host", binary: "binary",
		deleted: "deleted", deletion: deletedIsID, deletedAt: "deleted_at",
		disabled: "disabled", forcedDown: "forced_down",
		disabledReason: "disabled_reason", version: "version", uuid: "uuid", reportCount: "report_count",
		rules: []rule{
			{needs: "uuid", heartbeat: []string{"last_seen_up", "created_at"}},
			{needs: "last_seen_up", minMigration: 345, heartbeat: []string{"last_seen_up", "created_at"}},
			{needs: "last_seen_up", heartbeat: []string{"last_seen_up", "updated_at", "created_at"}},
			{heartbeat: []string{"updated_at", "created_at"}},
		},
		// Since 13.0.0 these rows only record a version; os-services hides them (Nova d89c50f18b). Only 13 has nova-ec2.
		withoutHeartbeat: []string{"nova-osapi_compute", "nova-metadata", "nova-ec2"},
		times:            seconds(60, 10), corrects: true,
		writer: &writer{
			created:      "created_at",
			beats:        []string{"last_seen_up", "updated_at"},
			binaryPrefix: "nova-",
		},
	}
}

// cinder is the table services of Cinder. The rule is that of its REST API (cinder/api/v3/services.py), which also decides
// about rows that were never updated. For a heartbeat from the future cinder-manage and the scheduler report up, the API
// down.
func cinder() *schema {
	return &schema{
		table: "services", key: "deleted", binaries: "cinder-",
		group: "topic", name: "host", binary: "binary", zone: "availability_zone",
		deleted: "deleted", deletion: deletedFlag,
		disabled: "disabled", disabledReason: "disabled_reason", version: "rpc_current_version", uuid: "uuid",
		reportCount: "report_count",
		rules:       []rule{{heartbeat: []string{"updated_at", "created_at"}}},
		times:       seconds(60, 10),
	}
}

// manila is the table services of Manila. Computed is the rule of its schedulers and of manila-manage
// (manila/utils.py). Stored is what its REST API has shown since 16.0.0; before 21.0.0 a service that crashed stays up
// there without end. Older APIs compute.
func manila() *schema {
	computed := rule{heartbeat: []string{"updated_at", "created_at"}}
	stored := computed
	stored.needs, stored.state, stored.up = "state", "state", []string{"up"}
	return &schema{
		table: "services", key: "deleted", binaries: "manila-",
		group: "topic", name: "host", binary: "binary", zone: "availability_zone_id",
		zones:   lookup{"availability_zones", "id", "name"},
		deleted: "deleted", deletion: deletedIsID,
		disabled: "disabled", disabledReason: "disabled_reason", reportCount: "report_count",
		rules:  []rule{computed},
		stored: []rule{stored, computed},
		times:  seconds(60, 10),
	}
}

// neutron is the table agents of Neutron, which does not have the agents of OVN. Type and host identify an agent. The rule is
// is_agent_down of neutron/agent/common/utils.py.
func neutron() *schema {
	return &schema{
		table: "agents", key: "id",
		group: "agent_type", name: "host", binary: "binary", zone: "availability_zone",
		enabled: "admin_state_up", uuid: "id",
		rules: []rule{{heartbeat: []string{"heartbeat_timestamp"}, oneSided: true}},
		times: seconds(75, 30),
	}
}

// heat is the table service of Heat, which has a row with new ids for every start of every worker process. Its members are
// hosts, so that the rows of crashed workers are not members of their own. The rule is format_service of
// heat/common/service_utils.py, with each row's own interval.
func heat() *schema {
	return &schema{
		table: "service", key: "id", binaries: "heat-",
		group: "topic", name: "host", binary: "binary", manyRows: true,
		deleted: "deleted_at", deletion: deletedSince,
		interval: "report_interval",
		rules:    []rule{{heartbeat: []string{"updated_at", "created_at"}, oneSided: true}},
		times:    seconds(120, 60),
	}
}

// ironic is the table conductors of Ironic. The rule is that of its API since 25.0.0 (ironic/api/controllers/v1/conductor.py)
// and of its hash ring in every release: a conductor that was stopped regularly is not online.
func ironic() *schema {
	return &schema{
		table: "conductors", key: "id",
		groupName: "conductor", name: "hostname", zone: "conductor_group",
		online: "online", version: "version",
		rules: []rule{{heartbeat: []string{"updated_at"}, oneSided: true}},
		times: seconds(60, 10),
	}
}

// designate is the table service_statuses of Designate. Its API shows the stored status, in which a service that crashed
// stays UP without end; WARNING counts as up. Designate itself has no rule by time.
func designate() *schema {
	computed := rule{heartbeat: []string{"heartbeated_at", "created_at"}}
	stored := computed
	stored.state, stored.up = "status", []string{"UP", "WARNING"}
	return &schema{
		table: "service_statuses", key: "id",
		group: "service_name", name: "hostname",
		rules:  []rule{computed},
		stored: []rule{stored},
		times:  seconds(60, 10),
	}
}

// magnum is the table magnum_service of Magnum, by the rule of magnum/api/servicegroup.py.
func magnum() *schema {
	return &schema{
		table: "magnum_service", key: "id",
		group: "binary", name: "host", binary: "binary",
		disabled: "disabled", forcedDown: "forced_down", disabledReason: "disabled_reason", reportCount: "report_count",
		rules: []rule{{heartbeat: []string{"last_seen_up", "updated_at", "created_at"}}},
		times: seconds(180, 60),
	}
}

// octavia is the table amphora_health of Octavia: the load balancers' virtual machines, which have no name but their id. The
// rule is get_stale_amphora of octavia/db/repositories.py: an amphora that is busy, because Octavia is replacing it, is not
// stale.
func octavia() *schema {
	return &schema{
		table: "amphora_health", key: "amphora_id",
		groupName: "amphora", name: "amphora_id",
		busy:  "busy",
		rules: []rule{{heartbeat: []string{"last_update"}, oneSided: true}},
		times: seconds(60, 10),
	}
}

// ownTableName is the table of the canaries, which are members of this program.
const ownTableName = "servicegroup_canary"

// ownTable is the schema of servicegroup_canary. Rows are removed when members leave, because no service archives them.
func ownTable() *schema {
	return &schema{
		table: ownTableName, key: "id",
		group: "topic", name: "host", binary: "binary", reportCount: "report_count",
		rules: []rule{{heartbeat: []string{"last_seen_up", "created_at"}}},
		times: seconds(60, 10), corrects: true,
		writer: &writer{
			created: "created_at", beats: []string{"last_seen_up"},
			binaryPrefix: "servicegroup-",
		},
	}
}

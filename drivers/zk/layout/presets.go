package layout

import "time"

// A Preset is the layout of a known system. A user could write the same as custom.
type Preset struct {
	Prefix  string        // the default of the setting prefix
	Timeout time.Duration // the system's default session timeout
	Custom
}

// uuid matches a random id, with or without its dashes.
const uuid = `[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}`

// Presets returns the layouts of known systems by the system's name. To add one, write an entry, and a test with znodes as
// the system creates them.
func Presets() map[string]Preset {
	return map[string]Preset{
		// Designate's members are host:uuid, Gnocchi's host.worker.uuid, Ceilometer's and Aodh's only a uuid. The child
		// "leader" of a group and the children of the group "locks" are persistent.
		"tooz": {"/tooz", 10 * time.Second, Custom{
			Paths: []string{"/{group}/{member}"},
			Match: `(?:(.+?)[^0-9A-Za-z]?)?` + uuid + `|(.+)`,
		}},
		// This is for Kafka up to 3.x; Kafka 4.0 does not use ZooKeeper.
		"kafka": {"", 18 * time.Second, Custom{
			Paths: []string{"/brokers/ids/{member}"}, Group: "brokers",
		}},
		"solr": {"", 30 * time.Second, Custom{
			Paths: []string{"/live_nodes/{member}"}, Group: "live_nodes",
		}},
		// The third part of a region server's name is its start time. Masters are left out: they move from one directory to
		// another when they take over, which is not a death.
		"hbase": {"/hbase", 90 * time.Second, Custom{
			Paths: []string{"/rs/{member}"}, Group: "regionservers",
			Match: `(.+),(\d+),\d+`, Name: "{1}:{2}",
		}},
		"pulsar": {"", 30 * time.Second, Custom{
			Paths: []string{"/loadbalance/brokers/{member}"}, Group: "brokers",
		}},
		// A read-only bookie is up. A bookie has a cookie until it is decommissioned.
		"bookkeeper": {"/ledgers", 10 * time.Second, Custom{
			Paths:  []string{"/available/{member}", "/available/readonly/{member}"},
			Roster: []string{"/cookies/{member}"}, Group: "bookies",
		}},
		// Two levels are a table's name: by default its uuid and shard. A replica has a znode of its own until it is dropped.
		"clickhouse": {"/clickhouse/tables", 30 * time.Second, Custom{
			Paths:  []string{"/{group}/{group}/replicas/{member}/is_active"},
			Roster: []string{"/{group}/{group}/replicas/{member}"},
		}},
		// This is for a discovery_path of /clickhouse/discovery/CLUSTER.
		"clickhouse-discovery": {"/clickhouse/discovery", 30 * time.Second, Custom{
			Paths: []string{"/{group}/shards/{member}"},
			Name:  "{address}",
		}},
	}
}

package layout

import (
	"time"
)

// A Preset is a layout that is known by name: what a user could write as "custom" himself, and where it begins.
type Preset struct {
	Prefix  string
	Timeout time.Duration // what the system's processes ask of ZooKeeper unless they are told otherwise
	Custom
}

// uuid matches a random id, with or without its dashes.
const uuid = `[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}`

// Presets are the layouts of systems that keep members in ZooKeeper. To add one, write an entry and a test with znodes as
// the system makes them.
func Presets() map[string]Preset {
	return map[string]Preset{
		// Designate's members are host:uuid, Gnocchi's host.worker.uuid, Ceilometer's and Aodh's a uuid alone. The child
		// "leader" of a group and the children of the group "locks" are persistent.
		"tooz": {"/tooz", 10 * time.Second, Custom{
			Paths: []string{"/{group}/{member}"},
			Match: `(?:(.+?)[^0-9A-Za-z]?)?` + uuid + `|(.+)`,
		}},
		// Up to 3.x; 4.0 has no ZooKeeper.
		"kafka": {"", 18 * time.Second, Custom{
			Paths: []string{"/brokers/ids/{member}"}, Group: "brokers",
		}},
		"solr": {"", 30 * time.Second, Custom{
			Paths: []string{"/live_nodes/{member}"}, Group: "live_nodes",
		}},
		// The third part of a region server's name is when it started. Masters are left out: they move from one directory
		// to another when they take over, which is no death.
		"hbase": {"/hbase", 90 * time.Second, Custom{
			Paths: []string{"/rs/{member}"}, Group: "regionservers",
			Match: `(.+),(\d+),\d+`, Name: "{1}:{2}",
		}},
		"pulsar": {"", 30 * time.Second, Custom{
			Paths: []string{"/loadbalance/brokers/{member}"}, Group: "brokers",
		}},
		// A bookie that is read-only is up. Its cookie stays until it is decommissioned.
		"bookkeeper": {"/ledgers", 10 * time.Second, Custom{
			Paths:  []string{"/available/{member}", "/available/readonly/{member}"},
			Roster: []string{"/cookies/{member}"}, Group: "bookies",
		}},
		// Two levels name a table: by default its uuid and shard. A replica's own znode stays until it is dropped.
		"clickhouse": {"/clickhouse/tables", 30 * time.Second, Custom{
			Paths:  []string{"/{group}/{group}/replicas/{member}/is_active"},
			Roster: []string{"/{group}/{group}/replicas/{member}"},
		}},
		// Where discovery_path is /clickhouse/discovery/CLUSTER.
		"clickhouse-discovery": {"/clickhouse/discovery", 30 * time.Second, Custom{
			Paths: []string{"/{group}/shards/{member}"},
			Name:  "{address}",
		}},
	}
}

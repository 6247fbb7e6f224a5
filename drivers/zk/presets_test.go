package zk_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// createWithParents creates a znode, and persistent ones above it where they do not exist.
func createWithParents(t *testing.T, c *zkclient.Conn, path, value string, flags int32) {
	t.Helper()
	for i := 1; i < len(path); i++ {
		if path[i] != '/' {
			continue
		}
		if exists, _, err := c.Exists(path[:i]); err != nil || !exists {
			require.NoError(t, err)
			create(t, c, path[:i], "", zkclient.FlagPersistent)
		}
	}
	create(t, c, path, value, flags)
}

// A znode is the path and the data of one znode.
type znode struct{ path, value string }

// A system is the znodes of a system that has a preset. One of its members dies and starts again.
type system struct {
	layout     string
	persistent []znode
	ephemeral  []znode
	members    map[string]string
	timeout    time.Duration
	// dies is the znode of a member that dies, and member its name. rostered says whether ZooKeeper still shows it then.
	dies, member string
	rostered     bool
	// again is the znode that the same member creates when it starts again.
	again znode
}

const (
	idA = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
	idB = "9b2d6c1e-0c57-4a3f-8f43-55e1c0a7d902"
	idC = "c56a4180-65aa-42ec-a945-5fd21dec0538"
)

func systems() []system {
	const broker = `{"listener_security_protocol_map":{"SSL":"SSL"},"endpoints":["SSL://k1:9093"],"jmx_port":-1,` +
		`"features":{},"host":null,"timestamp":"1700000000000","port":-1,"version":5}`
	return []system{
		{
			layout: "tooz", timeout: 10 * time.Second,
			persistent: []znode{{"/tooz/producer/leader", ""}, {"/tooz/locks/some-lock", ""}, {"/tooz/alarm_evaluator", ""}},
			ephemeral: []znode{
				{"/tooz/producer/host-1:" + idA, "\xc4\x00"},
				{"/tooz/producer/host-2:" + idB, "\xc4\x00"},
				{"/tooz/producer/leader/" + idA + "__lock__0000000000", "host-1:" + idA},
				{"/tooz/locks/some-lock/" + idA + "__lock__0000000000", "host-1:" + idA},
				{"/tooz/alarm_evaluator/" + idA, "\xc4\x00"},
				{"/tooz/alarm_evaluator/" + idB, "\xc4\x00"},
			},
			members: map[string]string{"producer/host-1": "up", "producer/host-2": "up", "alarm_evaluator/anonymous": "up"},
			dies:    "/tooz/producer/host-2:" + idB, member: "producer/host-2", again: znode{"/tooz/producer/host-2:" + idC, "\xc4\x00"},
		},
		{
			layout: "kafka", timeout: 18 * time.Second,
			persistent: []znode{{"/brokers/topics/t", "{}"}, {"/brokers/seqid", ""}},
			ephemeral: []znode{
				{"/brokers/ids/1001", broker},
				{"/brokers/ids/1002", broker},
				{"/controller", `{"version":1,"brokerid":1001,"timestamp":"1700000000000"}`},
			},
			members: map[string]string{"brokers/1001": "up", "brokers/1002": "up"},
			dies:    "/brokers/ids/1002", member: "brokers/1002", again: znode{"/brokers/ids/1002", broker},
		},
		{
			layout: "solr", timeout: 30 * time.Second,
			persistent: []znode{{"/collections/c/state.json", "{}"}, {"/overseer", ""}},
			ephemeral:  []znode{{"/live_nodes/10.0.0.1:8983_solr", ""}, {"/live_nodes/10.0.0.2:8983_solr", ""}},
			members:    map[string]string{"live_nodes/10.0.0.1:8983_solr": "up", "live_nodes/10.0.0.2:8983_solr": "up"},
			dies:       "/live_nodes/10.0.0.1:8983_solr", member: "live_nodes/10.0.0.1:8983_solr",
			again: znode{"/live_nodes/10.0.0.1:8983_solr", ""},
		},
		{
			layout: "hbase", timeout: 90 * time.Second,
			persistent: []znode{{"/hbase/hbaseid", "PBUF"}, {"/hbase/table/t", ""}},
			ephemeral: []znode{
				{"/hbase/rs/rs1.example.com,16020,1700000000000", "PBUF\x08\x01"},
				{"/hbase/rs/rs2.example.com,16020,1700000000001", "PBUF\x08\x01"},
				{"/hbase/master", "PBUF"},
				{"/hbase/backup-masters/m2.example.com,16000,1700000000002", "PBUF"},
			},
			members: map[string]string{"regionservers/rs1.example.com:16020": "up", "regionservers/rs2.example.com:16020": "up"},
			dies:    "/hbase/rs/rs1.example.com,16020,1700000000000", member: "regionservers/rs1.example.com:16020",
			again: znode{"/hbase/rs/rs1.example.com,16020,1700000099999", "PBUF\x08\x01"},
		},
		{
			layout: "pulsar", timeout: 30 * time.Second,
			persistent: []znode{{"/loadbalance/bundle-data/public", ""}},
			ephemeral: []znode{
				{"/loadbalance/brokers/b1:8080", `{"webServiceUrl":"http://b1:8080"}`},
				{"/loadbalance/brokers/b2:8080", `{"webServiceUrl":"http://b2:8080"}`},
				{"/loadbalance/leader", `{"brokerId":"b1:8080"}`},
			},
			members: map[string]string{"brokers/b1:8080": "up", "brokers/b2:8080": "up"},
			dies:    "/loadbalance/brokers/b2:8080", member: "brokers/b2:8080", again: znode{"/loadbalance/brokers/b2:8080", "{}"},
		},
		{
			layout: "bookkeeper", timeout: 10 * time.Second,
			persistent: []znode{
				{"/ledgers/LAYOUT", "2\n"},
				{"/ledgers/INSTANCEID", idA},
				{"/ledgers/available/readonly", ""},
				{"/ledgers/cookies/bk1:3181", "4\n"},
				{"/ledgers/cookies/bk2:3181", "4\n"},
				{"/ledgers/cookies/bk3:3181", "4\n"},
			},
			ephemeral: []znode{{"/ledgers/available/bk1:3181", "\n\x05"}, {"/ledgers/available/readonly/bk2:3181", "\n\x05"}},
			members:   map[string]string{"bookies/bk1:3181": "up", "bookies/bk2:3181": "up", "bookies/bk3:3181": "down"},
			dies:      "/ledgers/available/readonly/bk2:3181", member: "bookies/bk2:3181", rostered: true,
			again: znode{"/ledgers/available/bk2:3181", "\n\x05"},
		},
		{
			layout: "clickhouse", timeout: 30 * time.Second,
			persistent: []znode{
				{"/clickhouse/tables/01/hits/log/log-0000000000", "format version: 4"},
				{"/clickhouse/tables/01/hits/leader_election", ""},
				{"/clickhouse/tables/01/hits/replicas/ch1/host", "host: ch1"},
				{"/clickhouse/tables/01/hits/replicas/ch2/host", "host: ch2"},
				{"/clickhouse/tables/" + idA + "/02/replicas/ch3/host", "host: ch3"},
			},
			ephemeral: []znode{
				{"/clickhouse/tables/01/hits/replicas/ch1/is_active", idB},
				{"/clickhouse/tables/" + idA + "/02/replicas/ch3/is_active", "pid: 1234, random: 123456789"},
			},
			members: map[string]string{"01/hits/ch1": "up", "01/hits/ch2": "down", idA + "/02/ch3": "up"},
			dies:    "/clickhouse/tables/01/hits/replicas/ch1/is_active", member: "01/hits/ch1", rostered: true,
			again: znode{"/clickhouse/tables/01/hits/replicas/ch1/is_active", idC},
		},
		{
			layout: "clickhouse-discovery", timeout: 30 * time.Second,
			persistent: []znode{{"/clickhouse/discovery/empty/shards", ""}},
			ephemeral: []znode{
				{"/clickhouse/discovery/c1/shards/" + idA, `{"version":1,"address":"ch1:9000","shard_id":1}`},
				{"/clickhouse/discovery/c1/shards/" + idB, `{"version":1,"address":"ch2:9000","shard_id":2}`},
			},
			members: map[string]string{"c1/ch1:9000": "up", "c1/ch2:9000": "up"},
			dies:    "/clickhouse/discovery/c1/shards/" + idA, member: "c1/ch1:9000",
			again: znode{"/clickhouse/discovery/c1/shards/" + idC, `{"version":1,"address":"ch1:9000","shard_id":1}`},
		},
	}
}

// Each system has its own chroot on one server.
func TestPresets(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	var tested []string
	for _, s := range systems() {
		tested = append(tested, s.layout)
		slices.Sort(tested)
		t.Run(s.layout, func(t *testing.T) {
			chroot := "/of-" + s.layout
			for _, n := range s.persistent {
				createWithParents(t, c, chroot+n.path, n.value, zkclient.FlagPersistent)
			}
			for _, n := range s.ephemeral {
				createWithParents(t, c, chroot+n.path, n.value, zkclient.FlagEphemeral)
			}
			cfg := config(server)
			cfg.Chroot, cfg.Layout = chroot, s.layout
			d := open(t, cfg)
			p := poll(t, d)
			require.Equal(t, s.members, states(p))
			require.Empty(t, p.Rejected)
			require.Empty(t, p.Unknown)
			require.Equal(t, s.timeout, p.DownTime)
			group, name := splitMember(s.member)
			require.Equal(t, s.rostered, find(t, p, group, name).Rostered)

			// A member whose new znode has another name starts again before its old znode is deleted.
			if s.again.path != s.dies {
				createWithParents(t, c, chroot+s.again.path, s.again.value, zkclient.FlagEphemeral)
				require.Equal(t, s.members, states(poll(t, d)), "two znodes are one member")
				require.NoError(t, c.Delete(chroot+s.dies, -1))
				require.Equal(t, s.members, states(poll(t, d)), "the new znode is enough")
			}
			drainSignal(d)
			before := time.Now()
			require.NoError(t, c.Delete(chroot+s.again.path, -1))
			requireSignal(t, d, "a member died")
			p = poll(t, d)
			require.Equal(t, map[bool]string{true: "down"}[s.rostered], states(p)[s.member])
			require.WithinRange(t, p.Changed[group], before, time.Now())
			createWithParents(t, c, chroot+s.again.path, s.again.value, zkclient.FlagEphemeral)
			require.Equal(t, s.members, states(poll(t, d)), "it has started again")

			_, err := d.Join(t.Context(), drivers.JoinRequest{Group: group, Name: "x"})
			require.ErrorContains(t, err, "the layout "+s.layout+" is read-only")
			require.ErrorContains(t, d.Leave(t.Context(), group, name), "read-only")
		})
	}
	require.Equal(t, knownPresets(t), tested, "each preset has a test")
}

// knownPresets returns the presets that an error message lists.
func knownPresets(t *testing.T) []string {
	t.Helper()
	cfg := configFor("zk1")
	cfg.Layout = "?"
	_, presets, found := strings.Cut(cfg.Validate().Error(), "custom, ")
	require.True(t, found)
	return strings.Split(presets, ", ")
}

// splitMember returns the group and the name of group/name.
func splitMember(member string) (group, name string) {
	i := strings.LastIndexByte(member, '/')
	return member[:i], member[i+1:]
}

// The znode of a replica is deleted when the replica is dropped on purpose, and a bookie's cookie when the bookie is
// decommissioned.
func TestPresetsLeave(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	for layout, path := range map[string]string{"clickhouse": "/clickhouse/tables/01/hits/replicas/r1", "bookkeeper": "/ledgers/cookies/r1"} {
		createWithParents(t, c, path, "", zkclient.FlagPersistent)
		cfg := config(server)
		cfg.Layout = layout
		d := open(t, cfg)
		p := poll(t, d)
		require.Len(t, p.Members, 1)
		require.False(t, p.Members[0].Up)
		require.True(t, p.Members[0].Rostered)
		require.NoError(t, c.Delete(path, -1))
		require.Empty(t, poll(t, d).Members)
	}
}

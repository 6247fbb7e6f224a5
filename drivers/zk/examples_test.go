package zk_test

import (
	"os"
	"strings"
	"testing"

	zkclient "github.com/go-zookeeper/zk"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/sources"
)

// openExample opens the source of an example in the documentation, with another server than the example has.
func openExample(t *testing.T, name string, server *testserver.ZK) *zk.Driver {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.Contains(t, string(text), "[zk1:2181]")
	cfg, err := sources.Parse(name, []byte(strings.Replace(string(text), "zk1:2181", server.Addr(), 1)))
	require.NoError(t, err)
	require.Len(t, cfg.Sources, 1)
	driver, err := sources.New(cfg, nil, discard()).Sources()[0].Open(discard())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, driver.Close()) })
	return driver.(*zk.Driver)
}

func TestExamples(t *testing.T) {
	t.Parallel()
	server := emptyServer(t)
	c := otherClient(t, server.Addr())
	ephemeral := func(path, value string) { createWithParents(t, c, path, value, zkclient.FlagEphemeral) }

	t.Run("serversets", func(t *testing.T) {
		endpoint := func(host, status string) string {
			return `{"serviceEndpoint":{"host":"` + host + `","port":8080},"additionalEndpoints":` +
				`{"http":{"host":"` + host + `","port":8081}},"status":"` + status + `","shard":1}`
		}
		ephemeral("/discovery/search/member_0000000001", endpoint("h1", "ALIVE"))
		ephemeral("/discovery/search/member_-000000002", endpoint("h2", "STOPPING"))
		ephemeral("/discovery/search/lock_0000000003", endpoint("h3", "ALIVE"))
		ephemeral("/discovery/search/member_0000000004", "\x0c\x00\x01thrift")
		d := openExample(t, "serversets.yml", server)
		p := poll(t, d)
		require.Equal(t, map[string]string{"search/h1:8080": "up", "search/h2:8080": "down"}, states(p))
		require.Equal(t, []drivers.Rejection{{Group: "search", Name: "member_0000000004", Reason: "data"}}, p.Rejected)
		ephemeral("/discovery/search/member_0000000005", endpoint("h2", "ALIVE"))
		require.Equal(t, "up", states(poll(t, d))["search/h2:8080"], "one of its two znodes is ALIVE")
	})

	t.Run("nerve", func(t *testing.T) {
		const data = `{"host":"10.0.0.1","port":3000,"name":"i-0a1b2c3d_web_3000"}`
		ephemeral("/nerve/services/web/services/i-0a1b2c3d_web_3000_0000000007", data)
		ephemeral("/nerve/services/web/services/i-0a1b2c3d_web_3000_0000000008", data)
		createWithParents(t, c, "/nerve/services/idle/services", "", zkclient.FlagPersistent)
		d := openExample(t, "nerve.yml", server)
		require.Equal(t, map[string]string{"web/i-0a1b2c3d_web_3000": "up"}, states(poll(t, d)))
		require.NoError(t, c.Delete("/nerve/services/web/services/i-0a1b2c3d_web_3000_0000000007", -1))
		require.Equal(t, map[string]string{"web/i-0a1b2c3d_web_3000": "up"}, states(poll(t, d)))
	})

	t.Run("curator", func(t *testing.T) {
		instance := func(address, kind, enabled string) string {
			return `{"name":"worker","id":"` + idA + `","address":"` + address + `","port":8080,"sslPort":null,"payload":null,` +
				`"registrationTimeUTC":1700000000000,"serviceType":"` + kind + `","uriSpec":null` + enabled + `}`
		}
		ephemeral("/services/worker/"+idA, instance("10.0.0.1", "DYNAMIC", ""))
		ephemeral("/services/worker/"+idB, instance("10.0.0.2", "DYNAMIC", `,"enabled":false`))
		createWithParents(t, c, "/services/worker/"+idC, instance("10.0.0.3", "STATIC", ""), zkclient.FlagPersistent)
		p := poll(t, openExample(t, "curator.yml", server))
		require.Equal(t, map[string]string{"worker/10.0.0.1:8080": "up", "worker/10.0.0.2:8080": "up"}, states(p))
		require.Equal(t, drivers.FlagYes, find(t, p, "worker", "10.0.0.1:8080").Enabled)
		require.Equal(t, drivers.FlagNo, find(t, p, "worker", "10.0.0.2:8080").Enabled)
	})

	t.Run("helix", func(t *testing.T) {
		for _, name := range []string{"host1_8098", "host2_8098"} {
			createWithParents(t, c, "/pinot/CONFIGS/PARTICIPANT/"+name, `{"id":"`+name+`","simpleFields":{"HELIX_ENABLED":"true"}}`, zkclient.FlagPersistent)
		}
		createWithParents(t, c, "/pinot/INSTANCES/host1_8098/CURRENTSTATES", "", zkclient.FlagPersistent)
		ephemeral("/pinot/LIVEINSTANCES/host1_8098", `{"id":"host1_8098","simpleFields":{"SESSION_ID":"10001f2"}}`)
		d := openExample(t, "helix.yml", server)
		p := poll(t, d)
		require.Equal(t, map[string]string{"pinot/host1_8098": "up", "pinot/host2_8098": "down"}, states(p))
		require.True(t, find(t, p, "pinot", "host2_8098").Rostered)
		require.NoError(t, c.Delete("/pinot/CONFIGS/PARTICIPANT/host2_8098", -1))
		require.Equal(t, map[string]string{"pinot/host1_8098": "up"}, states(poll(t, d)))
	})
}

// Each mistake in a declaration is reported with its line.
func TestExampleWithMistakes(t *testing.T) {
	const text = `sources:
  - name: zk
    driver: zk
    zk:
      servers: [zk1]
      layout: custom
      custom:
        paths:
          - /services/{member}
        match: (
        persistent: maybe
`
	_, err := sources.Parse("f.yml", []byte(text))
	require.ErrorContains(t, err, "f.yml:11: sources[0].zk.custom.persistent")
	_, err = sources.Parse("f.yml", []byte(strings.Replace(text, "maybe", "true", 1)))
	require.ErrorContains(t, err, "f.yml:8: sources[0].zk.custom.paths")
	require.ErrorContains(t, err, "f.yml:10: sources[0].zk.custom.match")
}

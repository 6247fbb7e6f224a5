package sources

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

func TestCanary(t *testing.T) {
	c, err := Parse("f.yml", []byte(`
sources:
  - name: zk
    driver: zk
    zk: {servers: [zk1]}
    canary: {}
  - name: cell1
    driver: db
    db: {dsn: mysql://reader@db1/nova}
    canary: {interval: 1m, group: servicegroup-canary-a, dsn: mysql://canary:secret@db1/servicegroup}
  - name: none
    driver: db
    db: {dsn: mysql://reader@db1/nova}
`))
	require.NoError(t, err)
	require.Equal(t, drivers.Duration(5*time.Minute), c.Sources[0].Canary.Interval)
	require.Equal(t, "servicegroup-canary", c.Sources[0].Canary.Group)
	require.Equal(t, "servicegroup-canary-a", c.Sources[1].Canary.Group)
	require.Nil(t, c.Sources[2].Canary, "there is none unless it is asked for")
	require.NotContains(t, fmt.Sprintf("%+v", *c.Sources[1].Canary), "secret@")

	without := *c.Sources[1].Canary
	before := c.Sources[1].Fingerprint()
	without.Interval = drivers.Duration(time.Hour)
	c.Sources[1].Canary = &without
	require.NotEqual(t, before, c.Sources[1].Fingerprint())
}

func TestBadCanary(t *testing.T) {
	_, err := Parse("f.yml", []byte(`
sources:
  - name: zk
    driver: zk
    zk: {servers: [zk1]}
    canary:
      interval: 1s
      group: compute
      dsn: mysql://canary@db1/x
  - name: cell1
    driver: db
    db: {dsn: mysql://reader@db1/nova}
    canary: {password: secret}
  - name: cell2
    driver: db
    db: {dsn: mysql://reader@db1/nova}
    canary: {dsn: "mysql://canary:secret@db1"}
`))
	require.EqualError(t, err, `f.yml:7: sources[0].canary.interval: is 1s, must be at least 10s: each round simulates a death and waits until polls see it
f.yml:8: sources[0].canary.group: "compute" must begin with servicegroup-canary, so that no real group has the name, and must not contain spaces or slashes
f.yml:9: sources[0].canary.dsn: is only for sources whose members are in a database
f.yml:13: sources[1].canary.password: replaces the password of dsn, which is not set
f.yml:17: sources[2].canary.dsn: names no database: it must end like /nova`)
}

// Private members are on the backend that decides whether members are up.
func TestOpenPrivate(t *testing.T) {
	for name, test := range map[string]struct{ conf, canary, want string }{
		"cells and no table": {
			"[api_database]\nconnection = mysql://nova@db1/nova_api\n", "{}",
			"canary: nova_conf names several databases: set canary.dsn to the one with the table servicegroup_canary",
		},
		"cells and a table": {"[api_database]\nconnection = mysql://nova@db1/nova_api\n", "{dsn: mysql://canary@db1/own}", ""},
		"memcached": {
			"[DEFAULT]\nservicegroup_driver = mc\nmemcached_servers = mc1\n[database]\nconnection = mysql://nova@db1/nova\n",
			"{}", "",
		},
		"memcached and a table": {
			"[DEFAULT]\nservicegroup_driver = mc\nmemcached_servers = mc1\n[database]\nconnection = mysql://nova@db1/nova\n",
			"{dsn: mysql://canary@db1/own}", "canary.dsn: is only for sources whose members are in a database",
		},
		"ZooKeeper": {
			"[DEFAULT]\nservicegroup_driver = zk\n[database]\nconnection = mysql://nova@db1/nova\n[zookeeper]\naddress = zk1\n",
			"{}", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "nova.conf")
			require.NoError(t, os.WriteFile(file, []byte(test.conf), 0o600))
			c, err := Parse("f.yml", []byte("sources:\n  - {name: nova, driver: db, db: {nova_conf: "+file+"}, canary: "+test.canary+"}\n"))
			if test.want != "" {
				require.ErrorContains(t, err, test.want)
				return
			}
			require.NoError(t, err)
			driver, err := OpenPrivate(&c.Sources[0], "g", []string{"n"}, nil, slog.New(slog.DiscardHandler))
			require.NoError(t, err)
			require.Implements(t, (*drivers.Joiner)(nil), driver)
			require.NoError(t, driver.Close())
		})
	}
}

// A driver that someone adds works without a place for private members.
func TestNoPrivatePlace(t *testing.T) {
	s := &config.Source{Name: "batch", Driver: "dir"}
	require.NoError(t, checkCanary(s))
	_, err := OpenPrivate(s, "g", []string{"n"}, nil, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, err, errNoPlace)
	s.Canary = new(config.DefaultCanary())
	require.ErrorIs(t, checkCanary(s), errNoPlace)
}

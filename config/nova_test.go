package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/sources"
)

const (
	api        = "[api_database]\nconnection = mysql+pymysql://nova:s#same@db/nova_api\n"
	connection = "[database]\nconnection = mysql+pymysql://nova:s#same@db/nova\n"
)

// parseNova parses a file with one source, which has the section, beside a file nova.conf.
func parseNova(t *testing.T, section, novaConf string) (*config.Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("nova.conf", []byte(novaConf), 0o600))
	return sources.Parse("f.yml", []byte("sources:\n- name: nova\n  driver: db\n  db: {"+section+"}\n"))
}

// source returns the only source of parseNova.
func source(t *testing.T, section, novaConf string) *config.Source {
	t.Helper()
	c, err := parseNova(t, section, novaConf)
	require.NoError(t, err)
	return &c.Sources[0]
}

func TestNovaConf(t *testing.T) {
	s := source(t, "nova_conf: nova.conf", `
[DEFAULT]
my_ip = 192.0.2.1
service_down_time = 90
report_interval = 30
default_availability_zone = az
internal_service_availability_zone = control
[api_database]
connection = "mysql+pymysql://nova:p#ss%40@$my_ip/nova_api"
connection_parameters = ssl_mode=REQUIRED
[database]
connection = mysql+pymysql://nova:other@$my_ip:3307/nova_cell0
connection_parameters = ssl_mode=DISABLED
`)
	require.Equal(t, drivers.Duration(90*time.Second), s.DB.ServiceDownTime)
	require.Equal(t, drivers.Duration(30*time.Second), s.DB.ReportInterval)
	require.Empty(t, s.DB.DSN)
	n := s.Nova
	require.Equal(t, "mysql+pymysql://nova:p#ss%40@192.0.2.1/nova_api", revealed(t, n.API))
	require.Equal(t, "ssl_mode=REQUIRED", n.APIParameters)
	require.Equal(t, "mysql+pymysql://nova:other@192.0.2.1:3307/nova_cell0", revealed(t, n.Connection))
	require.Equal(t, "ssl_mode=DISABLED", n.ConnectionParameters)
	require.Equal(t, "az control", n.DefaultZone+" "+n.InternalZone)
	require.Nil(t, n.MC)
	require.Nil(t, n.ZK)
}

func TestNovaConfDefaults(t *testing.T) {
	s := source(t, "nova_conf: nova.conf", api)
	require.Equal(t, drivers.Duration(60*time.Second), s.DB.ServiceDownTime)
	require.Equal(t, drivers.Duration(10*time.Second), s.DB.ReportInterval)
	require.Equal(t, "nova internal", s.Nova.DefaultZone+" "+s.Nova.InternalZone)

	const times = "[DEFAULT]\nservice_down_time = 90\nreport_interval = 30\n"
	s = source(t, "nova_conf: nova.conf, service_down_time: 60s, password: sesame", times+api)
	require.Equal(t, drivers.Duration(60*time.Second), s.DB.ServiceDownTime, "what the YAML file says counts, even if it is the default")
	require.Equal(t, drivers.Duration(30*time.Second), s.DB.ReportInterval)
}

// Files are read in order, folders as by --config-dir, and relative paths begin at the YAML file's folder.
func TestNovaConfFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"nova.conf": api + connection + "[DEFAULT]\nservice_down_time = 70", "nova.conf.d/1.conf": "[database]\nconnection = mysql://one@h/x",
		"nova.conf.d/2.conf": "[database]\nconnection = mysql://two@h/x",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	for list, want := range map[string]string{
		"nova.conf": "mysql+pymysql://nova:s#same@db/nova", "[nova.conf, nova.conf.d]": "mysql://two@h/x",
		"[nova.conf.d, nova.conf]":                    "mysql+pymysql://nova:s#same@db/nova",
		"[" + dir + "/nova.conf, nova.conf.d/1.conf]": "mysql://one@h/x",
	} {
		c, err := sources.Parse(filepath.Join(dir, "f.yml"), []byte("sources: [{name: nova, driver: db, db: {nova_conf: "+list+"}}]"))
		require.NoError(t, err)
		require.Equal(t, want, revealed(t, c.Sources[0].Nova.Connection), list)
		for _, path := range c.Sources[0].DB.NovaConf {
			require.True(t, strings.HasPrefix(path, dir+"/nova.conf"), path)
		}
	}
}

// The name of the option changed over time.
func TestOldConnections(t *testing.T) {
	const dsn = "mysql://nova@old/nova"
	for _, text := range []string{
		"[DEFAULT]\nsql_connection = " + dsn, "[DATABASE]\nsql_connection = " + dsn, "[sql]\nconnection = " + dsn,
		"[database]\nconnection = " + dsn + "\n[DEFAULT]\nsql_connection = mysql://nova@older/nova",
	} {
		s := source(t, "nova_conf: nova.conf", text)
		require.Equal(t, dsn, revealed(t, s.Nova.Connection), text)
		require.True(t, s.Nova.HasOneDatabase())
	}
}

func TestBadNovaConf(t *testing.T) {
	const (
		at    = "f.yml:4: sources[0].db.nova_conf: nova.conf"
		noDSN = "f.yml:4: sources[0].db.dsn: is missing: write a URL like mysql+pymysql://user:password@host/nova"
	)
	for name, test := range map[string]struct{ section, conf, want string }{
		"syntax":         {"nova_conf: nova.conf", "connection", at + ":1: neither a [section] nor name = value"},
		"nothing":        {"nova_conf: nova.conf", "", "f.yml:4: sources[0].db.nova_conf: sets neither [api_database] connection nor [database] connection"},
		"empty":          {"nova_conf: nova.conf", "[database]\nconnection =", "f.yml:4: sources[0].db.nova_conf: sets neither [api_database] connection nor [database] connection"},
		"no file":        {"nova_conf: none.conf", "", "f.yml:4: sources[0].db.nova_conf: stat none.conf: no such file or directory"},
		"no value":       {"nova_conf: ", "", "f.yml:4: sources[0].db.nova_conf: has no value\n" + noDSN},
		"mapping":        {"nova_conf: {a: b}", "", "f.yml:4: sources[0].db.nova_conf: must be a list, not a mapping\n" + noDSN},
		"bad api":        {"nova_conf: nova.conf", "\n[api_database]\nconnection = mysql://u:s#same@h", at + ":3: [api_database] connection: names no database: it must end like /nova"},
		"bad connection": {"nova_conf: nova.conf", "[database]\nconnection = nope://u:s#same@h", at + ":2: [database] connection: its scheme is not one of mysql, mariadb, postgresql, sqlite"},
		"reference":      {"nova_conf: nova.conf", "[database]\nconnection = mysql://u:s$same@h/d", at + ":2: [database] connection: refers to an option that is not set in these files as $name or ${name}; to write a dollar sign, write $$"},
		"time":           {"nova_conf: nova.conf", api + "[DEFAULT]\nservice_down_time = 1m\n", at + ":4: [DEFAULT] service_down_time: \"1m\" is not a number of seconds from 1 to 31536000"},
		"zero":           {"nova_conf: nova.conf", api + "[DEFAULT]\nreport_interval = 0\n", at + ":4: [DEFAULT] report_interval: \"0\" is not a number of seconds from 1 to 31536000"},
		"driver":         {"nova_conf: nova.conf", api + "[DEFAULT]\nservicegroup_driver = tooz\n", at + ":4: [DEFAULT] servicegroup_driver: \"tooz\" is not one of db, mc, zk"},
		"dsn too":        {"nova_conf: nova.conf, dsn: 'mysql://u@h/d'", api, "f.yml:4: sources[0].db.dsn: nova_conf names the databases; keep one of the two"},
		"cells alone":    {"dsn: 'mysql://u@h/d', cells: [{name: a, dsn: x}]", "", "f.yml:4: sources[0].db.cells: are only for nova_conf; without it, make each database a source"},
		"cell's name":    {"nova_conf: nova.conf, cells: [{dsn: 'mysql://u@h/d'}]", api, "f.yml:4: sources[0].db.cells[0].name: every cell needs a name of letters, digits and signs, without spaces"},
		"cell's dsn": {
			"nova_conf: nova.conf, cells: [{name: a, dsn: 'mysql://u:s#same@h'}]", connection,
			"f.yml:4: sources[0].db.cells[0].dsn: names no database: it must end like /nova",
		},
		"cache off":      {"nova_conf: nova.conf", api + "[DEFAULT]\nservicegroup_driver = mc\n", at + ":4: [DEFAULT] servicegroup_driver: is mc, but [cache] is not enabled, so that Nova stores no heartbeats"},
		"cache backend":  {"nova_conf: nova.conf", api + "[DEFAULT]\nservicegroup_driver = mc\n[cache]\nenabled = true\nbackend = dogpile.cache.redis\n", at + `:7: [cache] backend: is "dogpile.cache.redis", but only memcached is supported`},
		"no backend":     {"nova_conf: nova.conf", api + "[DEFAULT]\nservicegroup_driver = mc\n[cache]\nenabled = 1\n", `f.yml:4: sources[0].db.nova_conf: [cache] backend: is "dogpile.cache.null", but only memcached is supported`},
		"cache TLS":      {"nova_conf: nova.conf", api + "[DEFAULT]\nservicegroup_driver = mc\n[cache]\nenabled = on\nbackend = oslo_cache.memcache_pool\ntls_enabled = yes\ntls_cafile = /absent.pem\n", at + ":4: [DEFAULT] servicegroup_driver: is mc, but: tls.ca_file: open /absent.pem: no such file or directory"},
		"cache SASL":     {"nova_conf: nova.conf", api + "[DEFAULT]\nservicegroup_driver = mc\n[cache]\nenabled = true\nbackend = dogpile.cache.bmemcached\nmemcache_sasl_enabled = True\n", at + ":8: [cache] memcache_sasl_enabled: is on, but SASL is not supported"},
		"cache server":   {"nova_conf: nova.conf", api + "[DEFAULT]\nservicegroup_driver = mc\nmemcached_servers = a:x", at + `:4: [DEFAULT] servicegroup_driver: is mc, but: servers: "a:x" has no port between 1 and 65535: write host:port, as mc1:11211`},
		"no zookeeper":   {"nova_conf: nova.conf", connection + "[DEFAULT]\nservicegroup_driver = zk", at + ":4: [DEFAULT] servicegroup_driver: is zk, but in [zookeeper]: servers: is empty: list at least one server, for example [zk1:2181, zk2:2181]"},
		"zookeeper time": {"nova_conf: nova.conf", connection + "[DEFAULT]\nservicegroup_driver = zk\n[zookeeper]\naddress = a\nrecv_timeout = 4s", at + ":7: [zookeeper] recv_timeout: \"4s\" is not a number of milliseconds from 1 to 31536000000"},
		"zookeeper zero": {"nova_conf: nova.conf", connection + "[DEFAULT]\nservicegroup_driver = zk\n[zookeeper]\naddress = a\nrecv_timeout = 0", at + ":7: [zookeeper] recv_timeout: \"0\" is not a number of milliseconds from 1 to 31536000000"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseNova(t, test.section, test.conf)
			require.EqualError(t, err, test.want)
			require.NotContains(t, err.Error(), "s#same")
		})
	}
}

func TestNovaMemcached(t *testing.T) {
	for text, want := range map[string]struct {
		keys    string
		servers string
	}{
		"[cache]\nenabled = true\nbackend = oslo_cache.memcache_pool\nmemcache_servers = mc1:11211, mc2:11212,\n": {config.KeyFormatSHA1, "mc1:11211 mc2:11212"},
		"[cache]\nenabled = True\nbackend = dogpile.cache.pymemcache\n":                                           {config.KeyFormatSHA1, "localhost:11211"},
		"[cache]\nenabled = yes\nbackend = dogpile.cache.memcached\nmemcache_servers = no:1\nbackend_argument = url:inet6:[::1]:11211,b:1\nbackend_argument = x:y\n": {
			config.KeyFormatSHA1, "[::1]:11211 b:1",
		},
		"[DEFAULT]\nmemcached_servers = old1:11211,old2\n":                                                                           {config.KeyFormatPlain, "old1:11211 old2"},
		"memcached_servers = old\n[cache]\nenabled = true\nbackend = dogpile.cache.pylibmc\nmemcache_servers = new\nenabled = false": {config.KeyFormatPlain, "old"},
	} {
		s := source(t, "nova_conf: nova.conf", api+"[DEFAULT]\nservicegroup_driver = mc\nservice_down_time = 77\n"+text)
		require.NotNil(t, s.Nova.MC)
		require.Equal(t, want.servers, strings.Join(s.Nova.MC.Servers, " "), text)
		require.Equal(t, want.keys, s.Nova.MC.KeyFormat, text)
		require.Equal(t, drivers.Duration(77*time.Second), s.Nova.MC.ServiceDownTime)
	}
}

func TestNovaZooKeeper(t *testing.T) {
	s := source(t, "nova_conf: nova.conf", connection+
		"[DEFAULT]\nservicegroup_driver = zk\n[zookeeper]\naddress = zk1:2181,zk2:2181\nrecv_timeout = 5000\nsg_prefix = /sg\n")
	want := config.DefaultZK()
	want.Servers, want.Prefix, want.SessionTimeout = []string{"zk1:2181", "zk2:2181"}, "/sg", drivers.Duration(5*time.Second)
	require.Equal(t, &want, s.Nova.ZK)
}

// A source with nova_conf is no roster: nova.conf configures the servicegroup driver.
func TestNovaIsNoRoster(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("nova.conf", []byte(api), 0o600))
	const nova = "sources:\n- {name: nova, driver: db, db: {nova_conf: nova.conf}}\n- {name: mc, driver: mc, mc: {servers: [a]}, roster: "
	_, err := sources.Parse("f.yml", []byte(nova+"{source: nova}}"))
	require.EqualError(t, err, `f.yml:3: sources[1].roster.source: source "nova" has nova_conf, which already configures the servicegroup driver of its members`)
	_, err = sources.Parse("f.yml", []byte(nova+"{db: {nova_conf: nova.conf}}}"))
	require.EqualError(t, err, "f.yml:3: sources[1].roster.db.nova_conf: is only for a source of driver db, "+
		"because nova.conf also names the servicegroup driver")
}

// All options of Nova's files are part of the source's fingerprint.
func TestNovaFingerprint(t *testing.T) {
	const mcOn = "[DEFAULT]\nservicegroup_driver = mc\nmemcached_servers = a\n"
	seen := map[string]string{}
	for _, text := range []string{
		api, connection, api + connection, api + "[DEFAULT]\nservice_down_time = 61\n", api + "[DEFAULT]\nreport_interval = 11\n",
		api + "[DEFAULT]\ndefault_availability_zone = x\n", api + "[DEFAULT]\ninternal_service_availability_zone = x\n",
		api + "connection_parameters = charset=utf8\n", api + "[database]\nconnection_parameters = charset=utf8\n",
		strings.Replace(api, "s#same", "other", 1), api + mcOn, api + strings.Replace(mcOn, "= a", "= b", 1),
		api + "[DEFAULT]\nservicegroup_driver = zk\n[zookeeper]\naddress = a\n",
	} {
		fingerprint := source(t, "nova_conf: nova.conf", text).Fingerprint()
		require.Empty(t, seen[fingerprint], "%s is the same as", text)
		seen[fingerprint] = text
	}
	require.Contains(t, seen, source(t, "nova_conf: nova.conf", "# comment\n"+api).Fingerprint())
	require.NotContains(t, seen, source(t, "nova_conf: nova.conf, cells: [{name: a, dsn: 'mysql://u@h/d'}]", api).Fingerprint())
}

// Printed configurations can be read again, and show no secret of Nova's.
func TestNovaEffective(t *testing.T) {
	s := source(t, "nova_conf: nova.conf, cells: [{name: a, dsn: 'mysql://u:s#same@h/d'}]", api+connection)
	text, err := (&config.Config{Sources: []config.Source{*s}, Alerting: config.DefaultAlerting(), Hosts: config.DefaultHosts()}).Effective()
	require.NoError(t, err)
	require.NotContains(t, string(text), "s#same")
	require.Contains(t, string(text), "nova_conf:\n            - nova.conf\n")
	again, err := sources.Parse("f.yml", []byte(strings.Replace(string(text), "dsn: <secret>", "dsn: 'mysql://u:s#same@h/d'", 1)))
	require.NoError(t, err)
	require.Equal(t, s.Fingerprint(), again.Sources[0].Fingerprint())
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", s, s, s.Nova), "s#same")
}

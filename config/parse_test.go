package config_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"servicegroup_exporter/sources"

	"github.com/stretchr/testify/require"
)

// The parts that bad files are made of.
const (
	goodDB = "sources:\n- name: nova\n  driver: db\n  db: {dsn: 'mysql://u@h/nova'}\n"
	headZK = "sources:\n- name: a\n  driver: zk\n"

	knownOfSource = "known are canary, db, driver, forget_after, mc, member_metrics, name, poll_interval, poll_timeout, roster, suspicion, zk"
	badName       = ` is not a name of at most 128 bytes of letters, digits and signs, without spaces`
)

// edit returns the good file with one part replaced.
func edit(old, new string) string { return strings.Replace(goodDB, old, new, 1) }

func TestGoodParts(t *testing.T) {
	for _, text := range []string{goodDB, headZK + "  zk: {servers: [a]}\n", edit("nova", "région/1:ü"), edit("nova", "2024-01-01"), "\ufeff" + goodDB} {
		_, err := sources.Parse("f.yml", []byte(text))
		require.NoError(t, err, text)
	}
}

type badFile struct{ text, want string }

// refuse checks the exact text of every error.
func refuse(t *testing.T, files map[string]badFile) {
	t.Helper()
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			c, err := sources.Parse("f.yml", []byte(file.text))
			require.Nil(t, c)
			require.EqualError(t, err, file.want)
		})
	}
}

func TestBadDocuments(t *testing.T) {
	refuse(t, map[string]badFile{
		"empty":         {"", "f.yml: the file has no settings"},
		"comment":       {"# nothing\n", "f.yml: the file has no settings"},
		"null":          {"---\n", "f.yml: the file has no settings"},
		"text":          {"hello", "f.yml:1: must be a mapping, not a single value"},
		"list":          {"\n- a", "f.yml:2: must be a mapping, not a list"},
		"second":        {goodDB + "---\nsources: []\n", "f.yml:5: a second document begins here, but only one is read"},
		"second broken": {goodDB + "---\n]", "f.yml:6: not YAML: did not find expected node content"},
		"broken flow":   {"sources:\n- name: [a\n", "f.yml:2: not YAML: did not find expected ',' or ']'"},
		"broken block":  {"sources: []\n- name: a\n", "f.yml:2: not YAML: did not find expected key"},
		"broken value":  {"sources:\n- name: b: c\n", "f.yml:2: not YAML: mapping values are not allowed in this context"},
		"tab":           {"sources:\n\t- name: a\n", "f.yml:2: not YAML: found character that cannot start any token"},
		"binary":        {"\x00\xff", "f.yml: not YAML: control characters are not allowed"},
		"not UTF-8":     {"a: \xff\n", "f.yml: not YAML: invalid leading UTF-8 octet"},
		"anchor": {
			edit("'mysql://u@h/nova'", "x, password: *hunter2"),
			"f.yml: not YAML: an alias names no anchor; text that begins with * must be quoted",
		},
	})
}

func TestBadShapes(t *testing.T) {
	refuse(t, map[string]badFile{
		"no sources":       {"{}", "f.yml:1: sources: at least one source is needed"},
		"empty sources":    {"\nsources: []", "f.yml:2: sources: at least one source is needed"},
		"null sources":     {"\nsources:\n", "f.yml:2: sources: has no value"},
		"sources mapping":  {"sources: {}", "f.yml:1: sources: must be a list, not a mapping"},
		"null source":      {"sources:\n- \n", "f.yml:2: sources[0]: has no value"},
		"text source":      {"sources: [nova]", "f.yml:1: sources[0]: must be a mapping, not a single value"},
		"null section":     {headZK + "  zk:\n", "f.yml:4: sources[0].zk: has no value"},
		"text section":     {headZK + "  zk: yes\n", "f.yml:4: sources[0].zk: must be a mapping, not a single value"},
		"null in a list":   {headZK + "  zk:\n    servers:\n    - a\n    -\n", "f.yml:7: sources[0].zk.servers[1]: has no value"},
		"text for a list":  {headZK + "  zk: {servers: 'a:1,b:2'}\n", "f.yml:4: sources[0].zk.servers: must be a list, not a single value"},
		"list for text":    {edit("nova", "[a]"), "f.yml:2: sources[0].name: must be a single value, not a list"},
		"mapping for time": {goodDB + "  poll_timeout: {s: 1}\n", "f.yml:5: sources[0].poll_timeout: must be a single value, not a mapping"},
		"alias to itself":  {"sources: &s\n- *s\n", "f.yml:2: sources[0]: must be a mapping, not a list"},
		"tag":              {"sources: !!seq []", "f.yml:1: sources: tags are not supported; text that begins with ! must be quoted"},
		"placeholder": {
			edit("u@h", "u@${DB_HOST}"),
			"f.yml:4: sources[0].db.dsn: has a placeholder for a value, as ${NAME} or {{ name }}, which is not replaced here: write the value " +
				"itself; a secret can come from the environment, by KEY_env, or from a file, by KEY_file",
		},
		"placeholder in a list": {
			headZK + "  zk: {servers: [a, '$(ZK):2181', '{{ zk }}']}\n",
			"f.yml:4: sources[0].zk.servers[1]: has a placeholder for a value, as ${NAME} or {{ name }}, which is not replaced here: write the " +
				"value itself; a secret can come from the environment, by KEY_env, or from a file, by KEY_file\n" +
				"f.yml:4: sources[0].zk.servers[2]: has a placeholder for a value, as ${NAME} or {{ name }}, which is not replaced here: write the " +
				"value itself; a secret can come from the environment, by KEY_env, or from a file, by KEY_file",
		},
		"tag on text": {edit("nova", "!nova nova"), "f.yml:2: sources[0].name: tags are not supported; text that begins with ! must be quoted"},
	})
}

func TestBadKeys(t *testing.T) {
	refuse(t, map[string]badFile{
		"at the top":  {"source: []\n" + goodDB, `f.yml:1: unknown key "source"; known are alerting, hosts, label_value_length_limit, sources; did you mean "sources"?`},
		"in a source": {goodDB + "  whatever: 1\n", `f.yml:5: sources[0]: unknown key "whatever"; ` + knownOfSource},
		"in a section": {
			edit("dsn", "dns"),
			`f.yml:4: sources[0].db: unknown key "dns"; known are cells, custom, dsn, dsn_env, dsn_file, nova_conf, password, password_env, password_file, report_interval, schema, service_down_time, timeout, verdict; did you mean "dsn"?` + "\n" +
				"f.yml:4: sources[0].db.dsn: is missing: write a URL like mysql+pymysql://user:password@host/nova",
		},
		"with hyphen":  {goodDB + "  poll-interval: 1s\n", `f.yml:5: sources[0]: unknown key "poll-interval"; known are canary, db, driver, forget_after, mc, member_metrics, name, poll_interval, poll_timeout, roster, suspicion, zk; did you mean "poll_interval"?`},
		"number":       {goodDB + "  1: 1\n", `f.yml:5: sources[0]: unknown key "1"; ` + knownOfSource},
		"not a word":   {goodDB + "  'my secret': 1\n", "f.yml:5: sources[0]: unknown key; " + knownOfSource},
		"list":         {goodDB + "  ? [a]\n  : 1\n", "f.yml:5: sources[0]: unknown key; " + knownOfSource},
		"merge":        {goodDB + "  <<: {name: a}\n", "f.yml:5: sources[0]: merge keys (<<) are not supported"},
		"repeated":     {goodDB + "  name: other\n", `f.yml:5: sources[0]: repeated key "name"; it is on line 2 already`},
		"repeated top": {goodDB + goodDB, `f.yml:5: repeated key "sources"; it is on line 1 already`},
	})
}

func TestBadSources(t *testing.T) {
	refuse(t, map[string]badFile{
		"no name":      {edit("name: nova", "member_metrics: all"), "f.yml:2: sources[0].name: every source needs a name"},
		"empty name":   {edit("nova", "''"), "f.yml:2: sources[0].name: every source needs a name"},
		"space":        {edit("nova", "a b"), `f.yml:2: sources[0].name: "a b"` + badName},
		"control":      {edit("nova", `"a\x07"`), `f.yml:2: sources[0].name: "a\a"` + badName},
		"long name":    {edit("nova", strings.Repeat("n", 129)), `f.yml:2: sources[0].name: "` + strings.Repeat("n", 60) + `"…` + badName},
		"name taken":   {goodDB + strings.TrimPrefix(goodDB, "sources:\n"), `f.yml:5: sources[1].name: "nova" is the name of sources[0] too`},
		"no driver":    {edit("driver: db", "member_metrics: all"), `f.yml:2: sources[0].driver: is empty: write one of db, mc, zk`},
		"other driver": {edit("driver: db", "driver: sql"), `f.yml:3: sources[0].driver: "sql" is not one of db, mc, zk; did you mean "db"?`},
		"no section":   {headZK, `f.yml:2: sources[0].zk: driver "zk" needs this section`},
		"two sections": {goodDB + "  zk: {servers: [a]}\n", `f.yml:5: sources[0].zk: the driver is "db", which does not read this section`},
		"wrong section": {
			edit("driver: db", "driver: zk"),
			`f.yml:2: sources[0].zk: driver "zk" needs this section` + "\n" +
				`f.yml:4: sources[0].db: the driver is "zk", which does not read this section`,
		},
		"no unit":      {goodDB + "  poll_interval: 5\n", `f.yml:5: sources[0].poll_interval: "5" has no unit: write 5s for seconds`},
		"no duration":  {goodDB + "  poll_timeout: soon\n", `f.yml:5: sources[0].poll_timeout: "soon" is not a duration like 500ms, 60s or 1h30m`},
		"negative":     {goodDB + "  poll_timeout: -1s\n", `f.yml:5: sources[0].poll_timeout: "-1s" is negative`},
		"interval":     {goodDB + "  poll_interval: 99ms\n", "f.yml:5: sources[0].poll_interval: is 99ms, must be 0 or at least 100ms"},
		"short margin": {goodDB + "  suspicion: {margin: 900ms}\n", "f.yml:5: sources[0].suspicion.margin: is 900ms, must be at least 1s"},
		"no margin":    {goodDB + "  suspicion: {margin: 0}\n", "f.yml:5: sources[0].suspicion.margin: is 0s, must be at least 1s"},
		"odd margin":   {goodDB + "  suspicion: {margin: 10}\n", `f.yml:5: sources[0].suspicion.margin: "10" has no unit: write 10s for seconds`},
		"odd switch":   {goodDB + "  suspicion: {enabled: maybe}\n", `f.yml:5: sources[0].suspicion.enabled: "maybe" is not true or false`},
		"odd key":      {goodDB + "  suspicion: {marign: 5s}\n", `f.yml:5: sources[0].suspicion: unknown key "marign"; known are enabled, margin; did you mean "margin"?`},
		"suspicion":    {goodDB + "  suspicion: off\n", "f.yml:5: sources[0].suspicion: must be a mapping, not a single value"},
		"zk suspicion": {headZK + "  zk: {servers: [a]}\n  suspicion: {enabled: true}\n", "f.yml:5: sources[0].suspicion.enabled: members of ZooKeeper have no heartbeats that could be overdue: a death is seen when the session ends"},
		"zero timeout": {goodDB + "  poll_timeout: 0\n", "f.yml:5: sources[0].poll_timeout: is 0s, must be positive"},
		"zero memory":  {goodDB + "  forget_after: 0s\n", "f.yml:5: sources[0].forget_after: is 0s, must be positive"},
		"metrics":      {goodDB + "  member_metrics: some\n", `f.yml:5: sources[0].member_metrics: "some" is not one of all, minimal`},
	})
}

// The names of servers, which many write for the driver, lead to the driver.
func TestNamesOfServers(t *testing.T) {
	const allowed = " is not one of db, mc, zk"
	files := map[string]badFile{}
	for name, driver := range map[string]string{
		"mysql": "db", "MariaDB": "db", "postgresql": "db", "sqlite": "db", "sql": "db", "nova": "db",
		"memcached": "mc", "memcache": "mc", "zookeeper": "zk", "ZooKeeper": "zk", "zkk": "zk",
		"etcd": "", "redis": "", "consul": "", "mongodb": "",
	} {
		want := fmt.Sprintf("f.yml:3: sources[0].driver: %q%s", name, allowed)
		if driver != "" {
			want += fmt.Sprintf("; did you mean %q?", driver)
		}
		files[name] = badFile{edit("driver: db", "driver: "+name), want}
	}
	refuse(t, files)
}

// Keys and values of earlier versions are refused with an error that has the new name.
func TestRenamedKeys(t *testing.T) {
	goodMC := goodDB + "- name: mc\n  driver: mc\n  roster: {source: nova}\n"
	refuse(t, map[string]badFile{
		"expose up":      {goodDB + "  expose: up\n", `f.yml:5: sources[0].expose: is called member_metrics now; "up" is "minimal"`},
		"expose all":     {goodDB + "  expose: all\n", "f.yml:5: sources[0].expose: is called member_metrics now"},
		"member_metrics": {goodDB + "  member_metrics: up\n", `f.yml:5: sources[0].member_metrics: "up" is called "minimal" now`},
		"both":           {goodDB + "  expose: all\n  member_metrics: all\n", "f.yml:5: sources[0].expose: is called member_metrics now"},
		"rule":           {edit("dsn:", "rule: stored, dsn:"), "f.yml:4: sources[0].db.rule: is called verdict now"},
		"keys":           {goodMC + "  mc: {servers: [a], keys: plain}\n", "f.yml:8: sources[1].mc.keys: is called key_format now"},
		"custom": {
			edit("dsn:", "schema: custom, custom: {table: t, name: n, group: g, heartbeat: [h], future: up, limit: exclusive}, dsn:"),
			"f.yml:4: sources[0].db.custom.future: is called future_heartbeats now\n" +
				"f.yml:4: sources[0].db.custom.limit: is called boundary now",
		},
		"roster": {
			goodDB + "- name: mc\n  driver: mc\n  mc: {servers: [a]}\n  roster:\n    db: {dsn: 'mysql://u@h/d', rule: computed}\n",
			"f.yml:9: sources[1].roster.db.rule: is called verdict now",
		},
	})
}

// The mistakes that a driver finds have the line of the setting, or of the section that lacks it.
func TestBadSections(t *testing.T) {
	refuse(t, map[string]badFile{
		"setting": {headZK + "  zk:\n    servers: [a]\n    layout: round\n", `f.yml:6: sources[0].zk.layout: "round" is not one of auto, flat, nested, custom, bookkeeper, clickhouse, clickhouse-discovery, hbase, kafka, pulsar, solr, tooz`},
		"absent":  {headZK + "  zk:\n    layout: flat\n", "f.yml:4: sources[0].zk.servers: is empty: list at least one server, for example [zk1:2181, zk2:2181]"},
		"part":    {headZK + "  zk:\n    servers: [a]\n    auth:\n      user: u\n", "f.yml:6: sources[0].zk.auth.password: is empty although a user is set"},
		"two of a list": {
			headZK + "  zk:\n    servers: [':1', b, 'c:0']\n",
			`f.yml:5: sources[0].zk.servers: ":1" is not a server: write host:port, as zk1:2181 or [::1]:2181` + "\n" +
				`f.yml:5: sources[0].zk.servers: "c:0" has no port between 1 and 65535: write host:port, as zk1:2181`,
		},
		"through an alias": {
			headZK + "  zk: &z\n    layout: round\n    servers: [a]\n- name: b\n  driver: zk\n  zk: *z\n",
			`f.yml:5: sources[0].zk.layout: "round" is not one of auto, flat, nested, custom, bookkeeper, clickhouse, clickhouse-discovery, hbase, kafka, pulsar, solr, tooz` + "\n" +
				`f.yml:5: sources[1].zk.layout: "round" is not one of auto, flat, nested, custom, bookkeeper, clickhouse, clickhouse-discovery, hbase, kafka, pulsar, solr, tooz`,
		},
	})
}

func TestEveryErrorIsReportedInTheOrderOfLines(t *testing.T) {
	refuse(t, map[string]badFile{"many": {
		`
sources:
- name: one
  driver: db
  db:
    dsn: 'mysql://u@h/nova'
    timeout: 0s
    schema: glance
    scema: nova
- driver: zk
  poll_timeout: 3
  zk:
    servers: []
    session_timeout: 1h
- name: one
  driver: memcached
  member_metrics: nothing
more: 1
`,
		`f.yml:7: sources[0].db.timeout: is 0s, must be positive
f.yml:8: sources[0].db.schema: "glance" is not one of cinder, designate, heat, ironic, magnum, manila, neutron, nova, octavia, custom
f.yml:9: sources[0].db: unknown key "scema"; known are cells, custom, dsn, dsn_env, dsn_file, nova_conf, password, password_env, password_file, report_interval, schema, service_down_time, timeout, verdict; did you mean "schema"?
f.yml:10: sources[1].name: every source needs a name
f.yml:11: sources[1].poll_timeout: "3" has no unit: write 3s for seconds
f.yml:13: sources[1].zk.servers: is empty: list at least one server, for example [zk1:2181, zk2:2181]
f.yml:14: sources[1].zk.session_timeout: 1h0m0s is not between 100ms and 10m0s; most servers allow 4s to 40s
f.yml:15: sources[2].name: "one" is the name of sources[0] too
f.yml:16: sources[2].driver: "memcached" is not one of db, mc, zk; did you mean "mc"?
f.yml:17: sources[2].member_metrics: "nothing" is not one of all, minimal
f.yml:18: unknown key "more"; known are alerting, hosts, label_value_length_limit, sources`,
	}})
}

// The page shows the same errors for a file with mistakes as the program.
func TestMistakesOnThePage(t *testing.T) {
	_, text, found := strings.Cut(page(t), "\n```text\n")
	require.True(t, found)
	bad, text, found := strings.Cut(text, "```\n")
	require.True(t, found)
	var said []string
	for _, line := range regexp.MustCompile(`(?m)^    servicegroups\.yml:.*$`).FindAllString(text, -1) {
		said = append(said, strings.TrimPrefix(line, "    "))
	}
	_, err := sources.Parse("servicegroups.yml", []byte(bad))
	require.EqualError(t, err, strings.Join(said, "\n"))
}

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/configuration.md")
	require.NoError(t, err)
	return string(text)
}

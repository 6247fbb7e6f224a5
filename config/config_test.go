package config_test

import (
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

func TestLoad(t *testing.T) {
	t.Setenv("SERVICEGROUP_TEST_ZK_PASSWORD", "from the environment")
	c, err := sources.Load("testdata/good.yml")
	require.NoError(t, err)
	password, err := drivers.SecretFile("testdata/reader.password")
	require.NoError(t, err)
	require.Equal(t, "p#ss: word", revealed(t, password))

	ensemble := config.ZK{
		Servers:        []string{"zk1:2181", "zk2:2181", "zk3"},
		Chroot:         "/team",
		Prefix:         "/sg",
		Layout:         "nested",
		Groups:         []string{"compute", "7"},
		SessionTimeout: drivers.Duration(10 * time.Second),
		Auth:           config.ZKAuth{User: "reader", Password: drivers.SecretText("from the environment")},
	}
	local, plain, cache := config.DefaultDB(), config.DefaultZK(), config.DefaultMC()
	cache.Servers = []string{"mc1"}
	local.ServiceDownTime, local.ReportInterval = drivers.Duration(60*time.Second), drivers.Duration(10*time.Second)
	local.DSN = drivers.SecretText("sqlite:////var/lib/members.db")
	plain.Servers = []string{"zk1:2181", "zk2:2181", "zk3"}
	byDefault := func(s config.Source) config.Source {
		s.PollTimeout, s.ForgetAfter = drivers.Duration(10*time.Second), drivers.Duration(24*time.Hour)
		s.MemberMetrics = "all"
		s.Suspicion = config.Suspicion{Enabled: s.Driver != "zk", Margin: drivers.Duration(10 * time.Second)}
		return s
	}
	require.Equal(t, []config.Source{
		{
			Name:   "nova",
			Driver: "db",
			DB: &config.DB{
				DSN:             drivers.SecretText("mysql+pymysql://reader@db1/nova_cell1?charset=utf8"),
				Password:        password,
				Schema:          "nova",
				ServiceDownTime: drivers.Duration(90 * time.Second),
				ReportInterval:  drivers.Duration(15 * time.Second),
				Timeout:         drivers.Duration(3 * time.Second),
			},
			PollInterval:  drivers.Duration(5 * time.Second),
			PollTimeout:   drivers.Duration(4 * time.Second),
			ForgetAfter:   drivers.Duration(90 * time.Minute),
			MemberMetrics: "minimal",
			Suspicion:     config.Suspicion{Margin: drivers.Duration(12 * time.Second)},
		},
		byDefault(config.Source{Name: "zk/eu-west.1", Driver: "zk", ZK: &ensemble}),
		byDefault(config.Source{Name: "local", Driver: "db", DB: &local}),
		byDefault(config.Source{Name: "plain", Driver: "zk", ZK: &plain}),
		byDefault(config.Source{Name: "same", Driver: "zk", ZK: &ensemble}),
		byDefault(config.Source{
			Name: "mc", Driver: "mc",
			MC: &config.MC{
				Servers:         []string{"mc1:11211", "mc2"},
				KeyFormat:       "plain",
				ServiceDownTime: drivers.Duration(30 * time.Second),
				ReportInterval:  drivers.Duration(5 * time.Second),
				Timeout:         drivers.Duration(time.Second),
			},
			Roster: &config.Roster{Source: "local"},
		}),
		byDefault(config.Source{
			Name: "listed", Driver: "mc", MC: &cache,
			Roster: &config.Roster{Members: map[string][]string{"compute": {"c1", "c2"}, "7": {"8"}}},
		}),
		byDefault(config.Source{Name: "rows", Driver: "mc", MC: &cache, Roster: &config.Roster{DB: &local}}),
	}, c.Sources)
}

func TestLoadWithoutFile(t *testing.T) {
	_, err := sources.Load(filepath.Join(t.TempDir(), "absent.yml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "absent.yml")
	_, err = sources.Load(t.TempDir())
	require.ErrorContains(t, err, "is a directory")
}

func TestLoadIsBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "huge.yml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("# nothing\n", 200_000)), 0o600))
	_, err := sources.Load(file)
	require.ErrorContains(t, err, "is larger than 1048576 bytes")
}

// A printed configuration can be read again, except for its secrets.
func TestEffective(t *testing.T) {
	t.Setenv("SERVICEGROUP_TEST_ZK_PASSWORD", "from the environment")
	c, err := sources.Load("testdata/good.yml")
	require.NoError(t, err)
	text, err := c.Effective()
	require.NoError(t, err)
	for _, secret := range []string{"p#ss", "from the environment", "reader@db1", "members.db"} {
		require.NotContains(t, string(text), secret)
	}
	require.Equal(t, 3, strings.Count(string(text), "password: <secret>\n"), "what is not set is not shown")
	require.Contains(t, string(text), "session_timeout: 4s\n", "defaults are there")

	again, err := sources.Parse("again", []byte(strings.ReplaceAll(string(text), "dsn: <secret>", "dsn: mysql://u@h/d")))
	require.NoError(t, err)
	require.Len(t, again.Sources, len(c.Sources))
	for i := range c.Sources {
		require.Equal(t, withoutSecrets(&c.Sources[i]), withoutSecrets(&again.Sources[i]))
	}
}

// withoutSecrets returns the fingerprint of all other settings.
func withoutSecrets(s *config.Source) string {
	if s.DB != nil {
		s.DB.DSN, s.DB.Password = drivers.Secret{}, drivers.Secret{}
	}
	if s.Roster != nil && s.Roster.DB != nil {
		s.Roster.DB.DSN = drivers.Secret{}
	}
	if s.ZK != nil {
		s.ZK.Auth.Password = drivers.Secret{}
	}
	return s.Fingerprint()
}

func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	fingerprint := func(password, text string) string {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "pw"), []byte(password), 0o600))
		c, err := sources.Parse(filepath.Join(dir, "x.yml"), []byte("sources: [{"+text+"}]"))
		require.NoError(t, err)
		return c.Sources[0].Fingerprint()
	}
	const base = "name: a, driver: db, db: {dsn: 'mysql://u@h/nova', password_file: pw}"
	want := fingerprint("secret", base)
	require.NotContains(t, want, "secret")
	for name, same := range map[string]string{
		"again":      fingerprint("secret", base),
		"newline":    fingerprint("secret\n", base),
		"default":    fingerprint("secret", base+", poll_timeout: 10s"),
		"other unit": fingerprint("secret", base+", poll_timeout: 10000ms"),
	} {
		require.Equal(t, want, same, name)
	}
	for name, other := range map[string]string{
		"secret":   fingerprint("other", base),
		"inline":   fingerprint("", strings.Replace(base, "password_file: pw", "password: secret", 1)),
		"dsn":      fingerprint("secret", strings.Replace(base, "@h", "@i", 1)),
		"name":     fingerprint("secret", strings.Replace(base, "name: a", "name: b", 1)),
		"interval": fingerprint("secret", base+", poll_interval: 1s"),
		"metrics":  fingerprint("secret", base+", member_metrics: minimal"),
	} {
		require.NotEqual(t, want, other, name)
	}

	const ensemble = "name: a, driver: zk, zk: {servers: [a, b]}"
	want = fingerprint("", ensemble)
	for _, change := range []string{"[b, a]", "[a]", "[a, b], groups: [c]", "[a, b], auth: {user: u, password: p}"} {
		require.NotEqual(t, want, fingerprint("", strings.Replace(ensemble, "[a, b]", change, 1)), change)
	}
}

func TestLabelValueLengthLimit(t *testing.T) {
	parse := func(limit string) (int, error) {
		c, err := config.Parse("f.yml", []byte(limit+`
sources: [{name: `+strings.Repeat("n", 70)+`, driver: mc, mc: {servers: [m:11211]}, roster: {members: {g: [a]}}}]
`), func(*config.Config) error { return nil })
		if err != nil {
			return 0, err
		}
		return c.LabelValueLengthLimit, nil
	}
	for text, want := range map[string]int{
		"": 200, "label_value_length_limit: 0": 0, "label_value_length_limit: 70": 70, "label_value_length_limit: 1023": 1023,
	} {
		limit, err := parse(text)
		require.NoError(t, err)
		require.Equal(t, want, limit)
	}
	for text, want := range map[string]string{
		"label_value_length_limit: 63": "f.yml:1: label_value_length_limit: is 63, must be 0 or at least 64",
		"label_value_length_limit: -1": "f.yml:1: label_value_length_limit: is -1, must be 0 or at least 64",
		"label_value_length_limit: 69": "f.yml:2: sources[0].name: has 70 bytes, more than label_value_length_limit, which is 69",
	} {
		_, err := parse(text)
		require.ErrorContains(t, err, want)
	}
}

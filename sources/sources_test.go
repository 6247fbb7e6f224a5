package sources

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
)

// The parts that files are made of in these tests.
const (
	goodDB = "sources:\n- name: nova\n  driver: db\n  db: {dsn: 'mysql://u@h/nova'}\n"
	// goodMC has a source whose roster is the source of goodDB.
	goodMC = goodDB + "- name: mc\n  driver: mc\n  mc: {servers: [a]}\n  roster: {source: nova}\n"

	api        = "[api_database]\nconnection = mysql+pymysql://nova:s#same@db/nova_api\n"
	connection = "[database]\nconnection = mysql+pymysql://nova:s#same@db/nova\n"
)

// parseNova parses a file with one source, which has the section, beside a file nova.conf.
func parseNova(t *testing.T, section, novaConf string) (*config.Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("nova.conf", []byte(novaConf), 0o600))
	return Parse("f.yml", []byte("sources:\n- name: nova\n  driver: db\n  db: {"+section+"}\n"))
}

// sourcesOf returns the sources of a file.
func sourcesOf(t *testing.T, text string) []Source {
	t.Helper()
	c, err := Parse("f.yml", []byte(text))
	require.NoError(t, err, text)
	return New(c, nil, slog.New(slog.DiscardHandler)).Sources()
}

// revealed returns the text of a secret.
func revealed(t *testing.T, s drivers.Secret) string {
	t.Helper()
	text, err := s.Read()
	require.NoError(t, err)
	return text
}

// withRoster is goodMC with another roster.
func withRoster(roster string) string {
	return strings.Replace(goodMC, "roster: {source: nova}", roster, 1)
}

func TestEmbedded(t *testing.T) {
	for _, dir := range []string{"data", t.TempDir(), filepath.Join(t.TempDir(), "100% a?b#c d@e:f")} {
		c := Embedded(dir)
		require.Len(t, c.Sources, 1)
		s := &c.Sources[0]
		require.Equal(t, "local", s.Name)
		require.NoError(t, Check(c))

		text := "sources: [{name: local, driver: db, db: {dsn: '" + revealed(t, s.DB.DSN) + "'}}]"
		parsed, err := Parse("embedded", []byte(text))
		require.NoError(t, err)
		require.Equal(t, parsed, c, "a file can say the same")
	}
	require.Equal(t, drivers.SecretText("sqlite:///data/servicegroups.db"), Embedded("data").Sources[0].DB.DSN)
	require.Equal(t, drivers.SecretText("sqlite:////a%25b/servicegroups.db"), Embedded("/a%b").Sources[0].DB.DSN)
}

func TestOpen(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	open := func(declared ...config.Source) (drivers.Driver, error) {
		return New(&config.Config{Sources: declared}, nil, logger).Sources()[0].Open(logger)
	}
	driver, err := open(Embedded(t.TempDir()).Sources...)
	require.NoError(t, err)
	require.NoError(t, driver.Close())

	section := config.DefaultZK()
	section.Servers = []string{"127.0.0.1:1"}
	driver, err = open(config.Source{Driver: "zk", ZK: &section})
	require.NoError(t, err)
	require.NoError(t, driver.Close())

	driver, err = open(config.Source{Driver: "db", DB: &config.DB{}})
	require.Error(t, err)
	require.Equal(t, nil, driver, "not a nil of some type") //nolint:testifylint // Nil would accept a nil of any type.

	_, err = open(config.Source{Driver: "etcd"})
	require.EqualError(t, err, `there is no driver "etcd"`)

	servers := config.DefaultMC()
	servers.Servers = []string{"a"}
	for _, roster := range []*config.Roster{nil, {Source: "unknown"}, {Source: "other"}} {
		driver, err := open(config.Source{Driver: "mc", MC: &servers, Roster: roster}, config.Source{Name: "other", Driver: "etcd"})
		require.ErrorContains(t, err, "opening the roster: ")
		require.Nil(t, driver)
	}
	_, err = open(config.Source{Driver: "mc", MC: &config.MC{}, Roster: &config.Roster{}})
	require.ErrorContains(t, err, "servers: is empty")
}

// The fingerprint of a source changes with its roster, even if the roster is another source.
func TestFingerprintOfARoster(t *testing.T) {
	fingerprint := func(text string) string {
		return sourcesOf(t, text)[1].Fingerprint
	}
	want := fingerprint(goodMC)
	require.Equal(t, want, fingerprint(goodMC))
	for _, other := range []string{
		strings.Replace(goodMC, "u@h", "u@other", 1), withRoster("roster: {members: {a: [b]}}"), strings.Replace(goodMC, "[a]", "[b]", 1),
	} {
		require.NotEqual(t, want, fingerprint(other))
	}
	listed := fingerprint(withRoster("roster: {members: {a: [b, c], d: [e]}}"))
	require.Equal(t, listed, fingerprint(withRoster("roster: {members: {d: [e], a: [b, c]}}")))
	require.NotEqual(t, listed, fingerprint(withRoster("roster: {members: {a: [b], d: [e]}}")))
}

func TestOpenWithARoster(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	store := "{dsn: 'sqlite://" + filepath.Join(t.TempDir(), "members.db") + "'}"
	for name, text := range map[string]string{
		"source":  strings.Replace(goodMC, "{dsn: 'mysql://u@h/nova'}", store, 1),
		"db":      withRoster("roster: {db: " + store + "}"),
		"members": withRoster("roster: {members: {a: [b]}}"),
	} {
		t.Run(name, func(t *testing.T) {
			driver, err := sourcesOf(t, text)[1].Open(logger)
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err = driver.Members(ctx)
			require.ErrorIs(t, err, drivers.ErrUnavailable)
			require.NoError(t, driver.Close())
		})
	}
}

package sources

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/drivers/mc"
	"servicegroup_exporter/internal/testserver"
)

// expand makes the set of a configuration with one source from nova.conf.
func expand(t *testing.T, before *Set, section, novaConf string) *Set {
	t.Helper()
	c, err := parseNova(t, section, novaConf)
	require.NoError(t, err)
	return New(c, before, slog.New(slog.DiscardHandler))
}

// list returns the names and drivers of the sources.
func list(x *Set) string {
	var all []string
	for _, s := range x.Sources() {
		all = append(all, s.Name+":"+s.Driver)
	}
	return strings.Join(all, " ")
}

// poll opens a source and polls it once.
func poll(t *testing.T, x *Set, name string) (*drivers.Poll, error) {
	t.Helper()
	for _, s := range x.Sources() {
		if s.Name != name {
			continue
		}
		d, err := s.Open(slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		defer d.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		return d.Members(ctx)
	}
	require.Fail(t, "no source "+name)
	return nil, nil
}

func changed(x *Set) bool {
	select {
	case <-x.Changed():
		return true
	default:
		return false
	}
}

func TestExpandNothing(t *testing.T) {
	x := New(Embedded(t.TempDir()), nil, slog.New(slog.DiscardHandler))
	require.Equal(t, "local:db", list(x))
	require.NoError(t, x.Discover(t.Context()))
	require.False(t, changed(x))
	require.Equal(t, "local", x.Sources()[0].Declared.Name)
}

// Without cells there is one database, and nova.conf has the driver that decides which members are up.
func TestExpandOneDatabase(t *testing.T) {
	for conf, want := range map[string]string{
		"":                         "nova:db",
		"servicegroup_driver = db": "nova:db",
		"servicegroup_driver = mc\nmemcached_servers = 127.0.0.1:1":            "nova:mc",
		"servicegroup_driver = zk\n[zookeeper]\naddress = 127.0.0.1:1":         "nova:zk",
		"servicegroup_driver = mc\n[cache]\nenabled = 1\nbackend = x.memcache": "nova:mc",
	} {
		x := expand(t, nil, "nova_conf: nova.conf, password: sesame", connection+"connection_parameters = charset=utf8\n[DEFAULT]\n"+conf)
		require.Equal(t, want, list(x))
		require.NoError(t, x.Discover(t.Context()))
		s := x.Sources()[0]
		rows := s.rows
		require.Equal(t, "mysql+pymysql://nova:s#same@db/nova?charset=utf8", revealed(t, rows.DSN))
		require.Equal(t, drivers.SecretText("sesame"), rows.Password)
		require.NoError(t, rows.Validate())
		require.Empty(t, x.declaredSources[0].DB.DSN, "the configuration is as it was")
		d, err := s.Open(slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		_, isMC := d.(*mc.Driver)
		require.Equal(t, s.Driver == "mc", isMC)
		_, watches := d.(drivers.Watcher)
		require.Equal(t, s.Driver == "zk", watches)
		require.NoError(t, d.Close())
	}
}

// The settings of the API database come from nova.conf and from the YAML file.
func TestNovaConfig(t *testing.T) {
	c, err := parseNova(t, "nova_conf: nova.conf, password: sesame, timeout: 7s, cells: [{name: a, dsn: 'mysql://u@h/d'}]",
		api+"connection_parameters = ssl_mode=REQUIRED\n[database]\nconnection_parameters = charset=utf8\n[DEFAULT]\nservice_down_time = 90\n")
	require.NoError(t, err)
	cfg := novaConfig(&c.Sources[0])
	require.Equal(t, "mysql+pymysql://nova:s#same@db/nova_api?ssl_mode=REQUIRED", revealed(t, cfg.API.DSN))
	require.Equal(t, drivers.SecretText("sesame"), cfg.API.Password)
	require.Equal(t, drivers.Duration(7*time.Second), cfg.API.Timeout)
	require.Equal(t, drivers.Duration(90*time.Second), cfg.API.ServiceDownTime)
	require.Equal(t, drivers.Duration(10*time.Second), cfg.API.ReportInterval)
	require.Equal(t, "charset=utf8", cfg.Parameters)
	require.Equal(t, []db.Cell{{Name: "a", DSN: drivers.SecretText("mysql://u@h/d")}}, cfg.Cells)
}

// Listed cells need no API database. Each cell is a source, and there are no others.
func TestExpandByHand(t *testing.T) {
	const cells = "nova_conf: nova.conf, cells: [{name: cell0, dsn: 'mysql://u@h/a'}, {name: cell1, dsn: 'mysql://{username}@h/b'}]"
	const conf = "[database]\nconnection = mysql://nova@h/c\n"
	x := expand(t, nil, cells, conf)
	require.Equal(t, "nova/cell0:db nova/cell1:db", list(x))
	require.Equal(t, "nova", x.Sources()[1].Declared.Name)
	require.Equal(t, "mysql://nova@h/b", revealed(t, x.Sources()[1].rows.DSN))
	x = expand(t, nil, cells, conf+api)
	require.Equal(t, "nova:db nova/cell0:db nova/cell1:db", list(x))

	// A change anywhere in the source changes the fingerprint of everything it expands to. The old settings have the old one.
	fingerprints := func(conf string) (all []string) {
		for _, s := range expand(t, nil, cells, conf).Sources() {
			all = append(all, s.Fingerprint)
		}
		return all
	}
	before, after := fingerprints(conf+api), fingerprints(conf+api+"[DEFAULT]\ndefault_availability_zone = z\n")
	for i := range before {
		require.NotEqual(t, before[i], after[i])
	}
	require.Equal(t, before, fingerprints(conf+api))
}

// A cell whose name makes too long a label is polled under a shorter name.
func TestLongCellNames(t *testing.T) {
	long := strings.Repeat("é", 60)
	x := expand(t, nil, "nova_conf: nova.conf, cells: [{name: a, dsn: 'mysql://u@h/a'}, {name: "+long+"a, dsn: 'mysql://u@h/b'}, "+
		"{name: "+long+"b, dsn: 'mysql://u@h/c'}]", "")
	x.config.LabelValueLengthLimit = 64
	names := strings.Fields(strings.ReplaceAll(list(x), ":db", ""))
	require.Len(t, names, 3)
	require.Equal(t, "nova/a", names[0])
	for _, name := range names[1:] {
		require.LessOrEqual(t, len(name), 64)
		require.Regexp(t, "^nova/é{25}-[0-9a-f]{8}$", name)
	}
	require.NotEqual(t, names[1], names[2])
	require.Equal(t, names, strings.Fields(strings.ReplaceAll(list(x), ":db", "")))
	require.Equal(t, 64, x.Sources()[1].LabelLimit)
	x.config.LabelValueLengthLimit = 0
	require.Contains(t, list(x), "nova/"+long+"a:db")
}

func TestExpandCells(t *testing.T) {
	server := testserver.MariaDB(t)
	db := novaAPI(t, server, "nova_api")
	gone := testserver.Port(t)
	insert := func(uuid, name, dsn string, disabled int) {
		_, err := db.ExecContext(t.Context(), "INSERT INTO cell_mappings (uuid, name, transport_url, database_connection, disabled) "+
			"VALUES (?, NULLIF(?, ''), 'rabbit://u:rabbit@h', NULLIF(?, ''), ?)", uuid, name, dsn, disabled)
		require.NoError(t, err)
	}
	insert("0", "cell0", "mysql+pymysql://root@"+server.Addr()+"/nova_cell0", 0)
	insert("1", "", "{scheme}://{username}@{hostname}:{port}/nova?{query}", 1)
	insert("2", "away", fmt.Sprintf("mysql://u:s#same@127.0.0.1:%d/nova", gone), 0)
	insert("3", "odd", "nonsense:s#same", 0)
	insert("4", "none", "", 0)
	conf := "[api_database]\nconnection = mysql://root@" + server.Addr() + "/nova_api\n[database]\nconnection = mysql+pymysql://root@" +
		server.Addr() + "/nova_cell0?charset=utf8\n"
	x := expand(t, nil, "nova_conf: nova.conf, timeout: 2s", conf)
	require.Equal(t, "nova:db", list(x), "nothing is known yet")
	require.NoError(t, x.Discover(t.Context()))
	require.True(t, changed(x))
	const all = "nova:db nova/cell0:db nova/1:db nova/away:db nova/odd:db nova/none:db"
	require.Equal(t, all, list(x))
	require.NoError(t, x.Discover(t.Context()))
	require.False(t, changed(x), "what is known is not read again")

	t.Run("each is read by itself", func(t *testing.T) {
		for name, want := range map[string]string{"nova": "", "nova/cell0": "controller-01", "nova/1": "compute-01"} {
			p, err := poll(t, x, name)
			require.NoError(t, err, name)
			var names []string
			for _, m := range p.Members {
				names = append(names, m.Name)
				require.NotEmpty(t, m.Zone, "zones are there from the first poll on")
			}
			require.Contains(t, strings.Join(names, " "), want)
			require.Equal(t, want == "", len(names) == 0)
		}
		for name, reason := range map[string]drivers.Reason{
			"nova/away": drivers.ReasonConnect, "nova/odd": drivers.ReasonSchema, "nova/none": drivers.ReasonSchema,
		} {
			_, err := poll(t, x, name)
			require.ErrorIs(t, err, drivers.ErrUnavailable, name)
			require.Equal(t, reason, drivers.ReasonOf(err), "%v", err)
			require.NotContains(t, err.Error(), "s#same")
		}
	})

	t.Run("cells come and go", func(t *testing.T) {
		insert("5", "new", "mysql://u@h/d", 0)
		_, err := poll(t, x, "nova")
		require.NoError(t, err)
		require.True(t, changed(x))
		require.Equal(t, all+" nova/new:db", list(x))
		_, err = db.ExecContext(t.Context(), "DELETE FROM cell_mappings WHERE uuid = '5'")
		require.NoError(t, err)
		_, err = poll(t, x, "nova")
		require.NoError(t, err)
		require.True(t, changed(x))
		require.Equal(t, all, list(x))
		_, err = poll(t, x, "nova")
		require.NoError(t, err)
		require.False(t, changed(x))
	})

	t.Run("a reload", func(t *testing.T) { testReload(t, x, conf) })
	t.Run("a name that is taken", func(t *testing.T) {
		c := &config.Config{Sources: append(Embedded(t.TempDir()).Sources, x.declaredSources...)}
		c.Sources[0].Name = "nova/cell0"
		require.Equal(t, "nova/cell0:db "+strings.Replace(all, " nova/cell0:db", "", 1), list(New(c, x, x.logger)))
	})
	t.Run("API database hangs", func(t *testing.T) {
		// Only the context can end the reading.
		fresh := expand(t, nil, "nova_conf: nova.conf, timeout: 1h", conf)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		server.Freeze()
		err := fresh.Discover(ctx)
		server.Thaw()
		require.Equal(t, drivers.ReasonTimeout, drivers.ReasonOf(err))
	})
	t.Run("API database away", func(t *testing.T) {
		server.Stop()
		_, err := poll(t, x, "nova")
		require.ErrorIs(t, err, drivers.ErrUnavailable)
		require.Equal(t, all, list(x))
		fresh := expand(t, nil, "nova_conf: nova.conf, timeout: 2s", conf)
		err = fresh.Discover(t.Context())
		require.ErrorContains(t, err, "source nova: reading cell_mappings of "+server.Addr()+"/nova_api: ")
		require.Equal(t, "nova:db", list(fresh))
	})
}

// testReload checks that a new configuration starts with the cells that the old one found.
func testReload(t *testing.T, x *Set, conf string) {
	fingerprints := map[string]string{}
	for _, s := range x.Sources() {
		fingerprints[s.Name] = s.Fingerprint
	}
	same := expand(t, x, "nova_conf: nova.conf, timeout: 2s", conf)
	require.Equal(t, list(x), list(same))
	for _, s := range same.Sources() {
		require.Equal(t, fingerprints[s.Name], s.Fingerprint, "unchanged")
	}
	require.Same(t, x.clouds["nova"].Cloud, same.clouds["nova"].Cloud)

	other := expand(t, same, "nova_conf: nova.conf, timeout: 3s", conf)
	require.Equal(t, list(x), list(other), "known before anything is read")
	for _, s := range other.Sources() {
		require.NotEqual(t, fingerprints[s.Name], s.Fingerprint, "changed")
	}
	require.Equal(t, x.Changed(), other.Changed())
}

// novaAPI creates Nova's databases: the API database, with aggregates and without cells, and two of cells.
func novaAPI(t *testing.T, server *testserver.SQL, name string) *sql.DB {
	t.Helper()
	const dir = "../drivers/db/testdata/"
	run := func(database string, files ...string) *sql.DB {
		db := server.Open(t, database)
		for _, file := range files {
			text, err := os.ReadFile(dir + file)
			require.NoError(t, err)
			_, err = db.ExecContext(t.Context(), string(text))
			require.NoError(t, err)
		}
		return db
	}
	run("nova", "zed.sql", "rows.sql")
	cell0 := run("nova_cell0", "zed.sql", "rows.sql")
	_, err := cell0.ExecContext(t.Context(), "DELETE FROM services WHERE topic = 'compute'")
	require.NoError(t, err)
	db := run(name, "nova_api.sql", "nova_api_rows.sql")
	_, err = db.ExecContext(t.Context(), "DELETE FROM host_mappings; DELETE FROM cell_mappings")
	require.NoError(t, err)
	return db
}

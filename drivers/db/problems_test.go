package db

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
)

// testForeign reads the table of each service by the schemas of all others: that is refused, or there is a problem. Its databases
// are the ones that TestSchemas has filled.
func testForeign(t *testing.T, server dbServer) {
	t.Helper()
	db := table(t, server, "nova", zed)
	insert(t, db, "compute-1", columns{"last_seen_up": ago(fresh), "updated_at": ago(fresh)})
	databases := []string{"nova"}
	for _, test := range schemaTests(instant) {
		databases = append(databases, test.name())
	}
	foreign := map[string]bool{}
	for _, database := range databases {
		for schema := range schemas() {
			cfg := unset()
			cfg.DSN, cfg.Schema = drivers.SecretText(at(server, database, instant)), schema
			cfg.SetDefaults()
			p, err := open(t, cfg).Members(t.Context())
			own := database == schema || database == schema+"_"+string(VerdictStored)
			switch {
			case own:
				require.NoError(t, err)
				require.Empty(t, p.Problems)
			case err != nil:
				require.Equal(t, drivers.ReasonSchema, drivers.ReasonOf(err), "%s on %s: %v", schema, database, err)
			default:
				require.Len(t, p.Problems, 1, "%s on %s", schema, database)
				require.Equal(t, drivers.ProblemForeign, p.Problems[0].Kind)
				require.Regexp(t, "The rows of services of .* belong to "+database[:4]+".* and not to "+schema, p.Problems[0].Detail)
				foreign[schema+" on "+database] = true
			}
		}
	}
	require.NotEmpty(t, foreign)
	if _, ok := server.(*testserver.SQL); ok {
		require.True(t, foreign["cinder on nova"])
		require.True(t, foreign["manila on nova"])
		require.True(t, foreign["nova on manila"])
	}
}

// The binaries decide whose the rows are: one of the own service is enough, and one that no service has says nothing.
func TestOwner(t *testing.T) {
	for name, test := range map[string]struct {
		binaries []string
		foreign  bool
	}{
		"own":              {[]string{"cinder-volume", "cinder-backup"}, false},
		"own and foreign":  {[]string{"nova-compute", "cinder-volume", "nova-compute"}, false},
		"none":             {nil, false},
		"without a binary": {[]string{"", ""}, false},
		"of no service":    {[]string{"web", "novacompute", "-cinder"}, false},
		"Nova's":           {[]string{"nova-compute", "nova-conductor"}, true},
		"Nova's APIs":      {[]string{"nova-osapi_compute"}, true},
		"Manila's":         {[]string{"", "manila-share"}, true},
		"Karbor's":         {[]string{"karbor-operationengine"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var o owner
			for _, binary := range test.binaries {
				o.note(cinder(), &row{binary: text{s: binary}})
			}
			require.Equal(t, test.foreign, !o.own && o.foreign != "")
		})
	}
}

func requireProblem(t *testing.T, p *drivers.Poll, kind drivers.ProblemKind, detail string) {
	t.Helper()
	require.Len(t, p.Problems, 1)
	require.Equal(t, kind, p.Problems[0].Kind)
	require.Contains(t, p.Problems[0].Detail, detail)
}

// An SQLite file that does not exist, for whatever reason, is not one without members.
func TestAbsentFile(t *testing.T) {
	folder := t.TempDir()
	for _, path := range []string{"none.db", "none/members.db", "a/b/c/members.db", "members.sqlite"} {
		path = filepath.Join(folder, path)
		d := open(t, config("sqlite:///"+path))
		requireProblem(t, poll(t, d), drivers.ProblemAbsent, "The SQLite file "+path+" does not exist")
		m, err := d.Join(t.Context(), drivers.JoinRequest{Group: "cinder-volume", Name: "a"})
		require.NoError(t, err)
		require.Empty(t, poll(t, d).Problems, "also where the group has the name of another service's binary")
		require.NoError(t, m.Leave(t.Context()))
		require.Empty(t, poll(t, d).Problems, "it is empty now")
	}
}

// Each case has the same table, all of whose rows are left out by the configuration, or none.
func TestNoRowFits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "members.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	exec(t, db, "CREATE TABLE workers (name TEXT, alias TEXT, seen TEXT, active INTEGER, ended TEXT)")
	exec(t, db, "CREATE TABLE vacant (name TEXT, seen TEXT, ended TEXT)")
	exec(t, db, "INSERT INTO workers VALUES ('a', NULL, ?, 1, '2026-01-01 00:00:00')", time.Now().UTC().Format(time.DateTime))
	for name, test := range map[string]struct {
		Custom
		fits bool
	}{
		"members":          {Custom{Table: "workers", Name: "name"}, true},
		"an empty table":   {Custom{Table: "vacant", Name: "name", Deleted: "ended", DeletedKind: "time"}, true},
		"an opposite flag": {Custom{Table: "workers", Name: "name", Deleted: "active"}, false},
		"a number":         {Custom{Table: "workers", Name: "name", Deleted: "active", DeletedKind: "number"}, false},
		"a time":           {Custom{Table: "workers", Name: "name", Deleted: "ended", DeletedKind: "time"}, false},
		"another name":     {Custom{Table: "workers", Name: "alias"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			test.Heartbeat, test.GroupName = []string{"seen"}, "workers"
			cfg := config("sqlite:///" + path)
			cfg.Schema, cfg.Custom = custom, &test.Custom
			p := poll(t, open(t, cfg))
			if test.fits {
				require.Empty(t, p.Problems)
				return
			}
			requireProblem(t, p, drivers.ProblemUnmatched, "The table workers of "+path+" has rows, but none of them is a member")
		})
	}
}

// Nova's cell0 never has services, unlike a new Nova's other databases, which may have none yet.
func TestCell0(t *testing.T) {
	for _, test := range []struct {
		file    string
		isCell  bool
		problem bool
	}{
		{"nova_cell0", false, true}, {"cell0", false, true}, {"nova_cell0", true, false}, {"nova", false, false}, {"nova_cell1", false, false},
	} {
		path := filepath.Join(t.TempDir(), test.file)
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		exec(t, db, sqliteTables)
		require.NoError(t, db.Close())
		cfg := config("sqlite:///" + path)
		cfg.IsCell = test.isCell
		if p := poll(t, open(t, cfg)); test.problem {
			requireProblem(t, p, drivers.ProblemUnmatched, "as that of Nova's cell0 always is")
		} else {
			require.Empty(t, p.Problems, test.file)
		}
	}
}

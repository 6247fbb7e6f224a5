package check_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/storagelock"
)

func TestStateFolder(t *testing.T) {
	const configuration = "sources: [{name: local, driver: db, db: {dsn: 'sqlite:///members.db'}}]\n"
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for folder, says := range map[string]string{
		t.TempDir():                         "ok: state can be saved in ",
		filepath.Join(t.TempDir(), "a/b"):   ", which the first start makes",
		file:                                "failure: state can't be saved in " + file + ": " + file + " is not a folder",
		filepath.Join(file, "below a file"): "failure: state can't be saved in ",
	} {
		t.Run(folder, func(t *testing.T) {
			require.Contains(t, of(runIn(t, folder, configuration, impatient), "program", "state"), says)
		})
	}
	t.Run("two instances", func(t *testing.T) {
		folder := t.TempDir()
		require.Contains(t, of(runIn(t, folder, configuration, impatient), "program", "lock"), "ok: no running instance uses the folder")
		taken, err := storagelock.Take(folder)
		require.NoError(t, err)
		require.Contains(t, of(runIn(t, folder, configuration, impatient), "program", "lock"), "warning: the folder is in use by process ")
		require.NoError(t, taken.Release())
		require.Contains(t, of(runIn(t, folder, configuration, impatient), "program", "lock"), "ok: ")
	})
}

func TestConfiguration(t *testing.T) {
	for text, says := range map[string]string{
		"sources: []": "failure: ",
		"sources: [{name: a, driver: db, db: {dsn: 'mysql://u:x@${DB_HOST}/nova'}}]":                                                       "has a placeholder for a value",
		"sources: [{name: a, driver: db, db: {dsn: 'sqlite:///a'}}]\nalerting: {alertmanagers: [{url: 'http://am:9093/api/v2/alerts'}]}\n": "is an address of the server's API",
		"sources: [{name: a, driver: db, db: {dsn: 'sqlite:///a'}}]\n":                                                                     "is valid: 1 source, 0 Alertmanagers",
	} {
		require.Contains(t, of(run(t, text, impatient), "program", "configuration"), says)
	}
	two := of(run(t, "sorces: []\nalerting: {job: ''}\n", impatient), "program", "configuration")
	require.Regexp(t, `(?s)failure: .*failure: `, two, "each mistake has a line")
}

func TestLabels(t *testing.T) {
	const head = "sources: [{name: a, driver: db, db: {dsn: 'sqlite:///a'}}]\nalerting:\n  external_labels: "
	require.Contains(t, of(run(t, head+"{cluster: lab}\n", impatient), "program", "labels"), "ok: ")
	for _, name := range []string{"zone", "binary", "job", "instance", "exported_group"} {
		require.Contains(t, of(run(t, head+"{"+name+": x}\n", impatient), "program", "labels"), "alerting.external_labels."+name, name)
	}
}

package db

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestDefaultConfig(t *testing.T) {
	cfg := DefaultConfig()
	require.Equal(t, Config{
		Schema: "nova", ServiceDownTime: drivers.Duration(time.Minute), ReportInterval: drivers.Duration(10 * time.Second),
		Timeout: drivers.Duration(5 * time.Second),
	}, cfg)
	cfg.DSN = drivers.SecretText("mysql+pymysql://reader@db/nova")
	require.NoError(t, cfg.Validate())
}

func TestValidate(t *testing.T) {
	cfg := Config{DSN: drivers.SecretText("sqlite:////members.db"), Password: drivers.SecretText("sesame"), Schema: "glance", ReportInterval: 1}
	err := cfg.Validate()
	require.EqualError(t, err, `password: an SQLite file has no password
schema: "glance" is not one of cinder, designate, heat, ironic, magnum, manila, neutron, nova, octavia, custom
service_down_time: is 0s, must be positive
timeout: is 0s, must be positive`)
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		require.NotNil(t, drivers.FieldOf(err))
	}
	_, err = Open(cfg, slog.New(slog.DiscardHandler))
	require.Error(t, err)
}

// Nova replaces a service_down_time that is not longer than the report interval, and counts in whole seconds.
func TestDownTime(t *testing.T) {
	for _, test := range []struct{ down, interval, want time.Duration }{
		{60 * time.Second, 10 * time.Second, 60 * time.Second},
		{11 * time.Second, 10 * time.Second, 11 * time.Second},
		{10 * time.Second, 10 * time.Second, 25 * time.Second},
		{10 * time.Second, 25 * time.Second, 62 * time.Second},
		{time.Second, time.Second, 2 * time.Second},
		{2 * time.Second, 500 * time.Millisecond, 2 * time.Second},
		{100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond},
	} {
		cfg := Config{ServiceDownTime: drivers.Duration(test.down), ReportInterval: drivers.Duration(test.interval)}
		require.Equal(t, test.want, cfg.DownTime(), "%+v", test)
	}
}

// unset returns the settings of a file that leaves the times to the schema.
func unset() Config {
	c := DefaultConfig()
	c.ServiceDownTime, c.ReportInterval = drivers.Unset, drivers.Unset
	return c
}

// Every service has default times of its own, which the configuration overrides. Only Nova's readers correct them.
func TestSetDefaults(t *testing.T) {
	for schema, want := range map[string][2]int{
		"nova": {60, 10}, "cinder": {60, 10}, "manila": {60, 10}, "neutron": {75, 30}, "heat": {120, 60}, "ironic": {60, 10},
		"designate": {60, 10}, "magnum": {180, 60}, "octavia": {60, 10}, "custom": {60, 10}, "no such thing": {60, 10},
	} {
		cfg := unset()
		cfg.Schema = schema
		if schema == custom {
			cfg.Custom = &Custom{}
		}
		cfg.SetDefaults()
		require.Equal(t, drivers.Duration(want[0])*drivers.Duration(time.Second), cfg.ServiceDownTime, schema)
		require.Equal(t, drivers.Duration(want[1])*drivers.Duration(time.Second), cfg.ReportInterval, schema)
		require.Equal(t, time.Duration(cfg.ServiceDownTime), cfg.DownTime())

		cfg = unset()
		cfg.Schema, cfg.ServiceDownTime = schema, drivers.Duration(5*time.Second)
		cfg.SetDefaults()
		require.Equal(t, drivers.Duration(5*time.Second), cfg.ServiceDownTime)
	}
	cfg := DefaultConfig()
	before := cfg
	cfg.SetDefaults()
	require.Equal(t, before, cfg)
	cfg.ServiceDownTime = drivers.Duration(5 * time.Second)
	require.Equal(t, 25*time.Second, cfg.DownTime(), "Nova's own correction")
	cfg.Schema = "neutron"
	require.Equal(t, 5*time.Second, cfg.DownTime())
}

// Canaries never write to a service's own table.
func TestPrivate(t *testing.T) {
	for _, schema := range schemaNames() {
		cfg := config("mysql://canary@db1/nova")
		cfg.Schema, cfg.Verdict = schema, VerdictStored
		if schema == custom {
			cfg.Custom = &Custom{Table: "workers", GroupName: "g", Name: "n", Heartbeat: []string{"h"}}
		}
		own := cfg.Private()
		require.NoError(t, own.Validate(), schema)
		require.Equal(t, ownTableName, schemaOf(&own).table, schema)
		require.NotNil(t, schemaOf(&own).writer, schema)
		require.Equal(t, schema, cfg.Schema, "Private does not modify the source's configuration")
	}
	file := config("sqlite:////var/lib/a%20b/members.db").Private()
	require.Equal(t, drivers.SecretText("sqlite:////var/lib/a%20b/members.db.canary"), file.DSN)
	require.NoError(t, file.Validate())
	require.Equal(t, "services", schemaOf(&file).table, "in a second file the table has its usual name")
}

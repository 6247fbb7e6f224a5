package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

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
		require.Equal(t, time.Duration(cfg.ServiceDownTime), cfg.downTime())

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
	require.Equal(t, 25*time.Second, cfg.downTime(), "Nova's own correction")
	cfg.Schema = "neutron"
	require.Equal(t, 5*time.Second, cfg.downTime())
}

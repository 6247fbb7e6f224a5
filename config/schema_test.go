package config_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/sources"
)

// A source of another service has that service's times, even if the schema is the last key of the section.
func TestSchemas(t *testing.T) {
	c, err := sources.Parse("f.yml", []byte(`
sources:
  - {name: neutron, driver: db, db: {dsn: postgresql+psycopg2://reader@db1/neutron, schema: neutron}}
  - {name: magnum, driver: db, db: {report_interval: 20s, schema: magnum, dsn: mysql://reader@db1/magnum}}
  - {name: manila, driver: db, db: {service_down_time: 90s, dsn: mysql://reader@db1/manila, schema: manila, verdict: stored}}
  - name: queue
    driver: db
    db:
      dsn: host=db1 dbname=queue user=reader
      schema: custom
      service_down_time: 15s
      custom:
        table: workers
        group_name: queue
        name: host name
        heartbeat: [last_beat, created]
        heartbeat_unit: milliseconds
        report_count: beats
        deleted: removed_at
        deleted_kind: time
        future_heartbeats: up
        boundary: exclusive
`))
	require.NoError(t, err)
	times := func(i int) [2]time.Duration {
		return [2]time.Duration{time.Duration(c.Sources[i].DB.ServiceDownTime), time.Duration(c.Sources[i].DB.ReportInterval)}
	}
	require.Equal(t, [2]time.Duration{75 * time.Second, 30 * time.Second}, times(0))
	require.Equal(t, [2]time.Duration{180 * time.Second, 20 * time.Second}, times(1))
	require.Equal(t, [2]time.Duration{90 * time.Second, 10 * time.Second}, times(2))
	require.Equal(t, "stored", c.Sources[2].DB.Verdict)
	require.Equal(t, drivers.Duration(15*time.Second), c.Sources[3].DB.ServiceDownTime)
	require.Equal(t, &config.DBCustom{
		Table: "workers", GroupName: "queue", Name: "host name", Heartbeat: []string{"last_beat", "created"},
		HeartbeatUnit: "milliseconds", ReportCount: "beats", Deleted: "removed_at", DeletedKind: "time", FutureHeartbeats: "up", Boundary: "exclusive",
	}, c.Sources[3].DB.Custom)
}

func TestBadSchemas(t *testing.T) {
	_, err := sources.Parse("f.yml", []byte(`
sources:
  - name: queue
    driver: db
    db:
      dsn: mysql://reader@db1/queue
      schema: custom
      custom:
        table: workers
        name: host
        boundary: sky
        heartbeat:
          - ''
        binar: x
  - name: cinder
    driver: db
    db: {dsn: mysql://reader@db1/cinder, schema: cinder, verdict: stored}
`))
	require.EqualError(t, err, `f.yml:8: sources[0].db.custom.group: set exactly one of group (a column) and group_name (the name of the only group)
f.yml:11: sources[0].db.custom.boundary: "sky" is not one of inclusive, exclusive
f.yml:13: sources[0].db.custom.heartbeat[0]: is empty
f.yml:14: sources[0].db.custom: unknown key "binar"; known are binary, boundary, deleted, deleted_kind, disabled, disabled_reason, enabled, forced_down, future_heartbeats, group, group_name, heartbeat, heartbeat_unit, name, report_count, table, uuid, version, zone; did you mean "binary"?
f.yml:17: sources[1].db.verdict: schema cinder has no stored state`)
}

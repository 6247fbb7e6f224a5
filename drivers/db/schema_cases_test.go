package db

import (
	"time"

	"servicegroup_exporter/drivers"
)

// fresh is the age of a heartbeat that is up by every rule, ancient of one that is down by every rule.
const fresh, ancient = 5 * time.Second, time.Hour

type columns = map[string]string

// A schemaTest is one service's table, with a row for every case that the service's code distinguishes. In values, NAME is
// replaced by the case's name and NUMBER by a unique number.
type schemaTest struct {
	schema string
	rule   Verdict
	table  string
	setup  string // SQL
	row    columns
	cases  map[string]schemaCase
	// live is the member of the case "live", without its name and times.
	live            drivers.Member
	enabled, forced map[string]bool
}

func (s *schemaTest) name() string {
	if s.rule == "" {
		return s.schema
	}
	return s.schema + "_" + string(s.rule)
}

// A schemaCase is the columns in which a row differs, and the service's verdict.
type schemaCase struct {
	columns columns
	want    string
}

// schemaTests returns the tables of all schemas at a time.
func schemaTests(now time.Time) []schemaTest {
	ago := func(d time.Duration) string { return "'" + now.Add(-d).Format(time.DateTime) + "'" }
	return []schemaTest{
		cinderTest(ago), manilaTest(ago), manilaStoredTest(ago), neutronTest(ago), heatTest(ago), ironicTest(ago),
		designateTest(ago), designateStoredTest(ago), magnumTest(ago), octaviaTest(ago),
	}
}

type agoFunc = func(time.Duration) string

func cinderTest(ago agoFunc) schemaTest {
	return schemaTest{
		schema: "cinder", table: "services",
		row: columns{
			"id": "NUMBER", "host": "'NAME'", "`binary`": "'cinder-volume'", "topic": "'cinder-volume'", "report_count": "3",
			"availability_zone": "'az1'", "disabled": "0", "deleted": "0", "created_at": ago(ancient), "uuid": "'NAME'",
			"rpc_current_version": "'3.17'",
		},
		cases: map[string]schemaCase{
			"live":          {columns{"updated_at": ago(fresh)}, "up"},
			"host@lvm#pool": {columns{"updated_at": ago(fresh)}, "up"},
			"dead":          {columns{"updated_at": ago(65 * time.Second)}, "down"},
			"future":        {columns{"updated_at": ago(-50 * time.Second)}, "up"},
			"far future":    {columns{"updated_at": ago(-70 * time.Second)}, "down"},
			"never new":     {columns{"created_at": ago(fresh)}, "up"},
			"never old":     {columns{}, "down"},
			"touched":       {columns{"updated_at": ago(ancient), "modified_at": ago(fresh)}, "down"},
			"no times":      {columns{"created_at": "NULL"}, "data"},
			"no topic":      {columns{"updated_at": ago(fresh), "topic": "NULL"}, "name"},
			"deleted":       {columns{"updated_at": ago(fresh), "deleted": "1"}, "absent"},
			"deleted null":  {columns{"updated_at": ago(fresh), "deleted": "NULL"}, "absent"},
			"disabled":      {columns{"updated_at": ago(fresh), "disabled": "1"}, "up"},
			"disabled null": {columns{"updated_at": ago(fresh), "disabled": "NULL"}, "up"},
			"disabled dead": {columns{"updated_at": ago(ancient), "disabled": "1"}, "down"},
			"frozen":        {columns{"updated_at": ago(fresh), "frozen": "1"}, "up"},
		},
		live: drivers.Member{
			Group: "cinder-volume", Binary: "cinder-volume", Zone: "az1", Enabled: drivers.FlagYes, UUID: "live", Version: "3.17",
			ReportCount: 3, HasReportCount: true,
		},
		enabled: map[string]bool{"disabled": false, "disabled null": true, "disabled dead": false},
	}
}

func manilaTest(ago agoFunc) schemaTest {
	return schemaTest{
		schema: "manila", table: "services",
		setup: "INSERT INTO availability_zones (id, name, deleted) VALUES ('5f2a', 'az1', 'False')",
		row: columns{
			"id": "NUMBER", "host": "'NAME'", "`binary`": "'manila-share'", "topic": "'manila-share'", "report_count": "3",
			"availability_zone_id": "'5f2a'", "disabled": "0", "deleted": "0", "created_at": ago(ancient),
		},
		cases: map[string]schemaCase{
			"live":       {columns{"updated_at": ago(fresh)}, "up"},
			"dead":       {columns{"updated_at": ago(65 * time.Second)}, "down"},
			"future":     {columns{"updated_at": ago(-50 * time.Second)}, "up"},
			"far future": {columns{"updated_at": ago(-70 * time.Second)}, "down"},
			"never new":  {columns{"created_at": ago(fresh)}, "up"},
			"no times":   {columns{"created_at": "NULL"}, "data"},
			"no zone":    {columns{"updated_at": ago(fresh), "availability_zone_id": "NULL"}, "up"},
			"deleted":    {columns{"updated_at": ago(fresh), "deleted": "7"}, "absent"},
			"disabled":   {columns{"updated_at": ago(fresh), "disabled": "1"}, "up"},
		},
		live: drivers.Member{
			Group: "manila-share", Binary: "manila-share", Zone: "az1", Enabled: drivers.FlagYes, ReportCount: 3, HasReportCount: true,
		},
		enabled: map[string]bool{"disabled": false},
	}
}

// The column state was added in 16.0.0; the table in testdata is of release 15.
func manilaStoredTest(ago agoFunc) schemaTest {
	test := manilaTest(ago)
	test.rule = VerdictStored
	test.setup += "; ALTER TABLE services ADD COLUMN state varchar(36)"
	test.cases = map[string]schemaCase{
		"live":    {columns{"updated_at": ago(fresh), "state": "'up'"}, "up"},
		"crashed": {columns{"updated_at": ago(ancient), "state": "'up'"}, "up"},
		"marked":  {columns{"updated_at": ago(fresh), "state": "'down'"}, "down"},
		"stopped": {columns{"updated_at": ago(fresh), "state": "'stopped'"}, "down"},
		"unsaid":  {columns{"updated_at": ago(fresh), "state": "NULL"}, "down"},
		"deleted": {columns{"updated_at": ago(fresh), "state": "'up'", "deleted": "7"}, "absent"},
	}
	test.enabled = nil
	return test
}

func neutronTest(ago agoFunc) schemaTest {
	return schemaTest{
		schema: "neutron", table: "agents",
		row: columns{
			"id": "'NAME'", "agent_type": "'L3 agent'", "`binary`": "'neutron-l3-agent'", "topic": "'l3_agent'", "host": "'NAME'",
			"admin_state_up": "1", "created_at": ago(ancient), "started_at": ago(ancient), "heartbeat_timestamp": ago(ancient),
			"configurations": "'{}'", "`load`": "0", "availability_zone": "'az1'",
		},
		cases: map[string]schemaCase{
			"live":          {columns{"heartbeat_timestamp": ago(fresh)}, "up"},
			"late":          {columns{"heartbeat_timestamp": ago(65 * time.Second)}, "up"},
			"dead":          {columns{"heartbeat_timestamp": ago(80 * time.Second)}, "down"},
			"just started":  {columns{"started_at": ago(fresh)}, "down"},
			"far future":    {columns{"heartbeat_timestamp": ago(-24 * time.Hour)}, "up"},
			"disabled":      {columns{"heartbeat_timestamp": ago(fresh), "admin_state_up": "0"}, "up"},
			"disabled dead": {columns{"admin_state_up": "0"}, "down"},
			"no zone":       {columns{"heartbeat_timestamp": ago(fresh), "availability_zone": "NULL"}, "up"},
		},
		live: drivers.Member{
			Group: "L3 agent", Binary: "neutron-l3-agent", Zone: "az1", Enabled: drivers.FlagYes, UUID: "live",
		},
		enabled: map[string]bool{"disabled": false, "disabled dead": false, "dead": true},
	}
}

func heatTest(ago agoFunc) schemaTest {
	return schemaTest{
		schema: "heat", table: "service",
		row: columns{
			"id": "'NAME'", "engine_id": "'NAME'", "host": "'NAME'", "hostname": "'NAME.example'", "`binary`": "'heat-engine'",
			"topic": "'engine'", "report_interval": "60", "created_at": ago(ancient),
		},
		cases: map[string]schemaCase{
			"live":       {columns{"updated_at": ago(fresh)}, "up"},
			"late":       {columns{"updated_at": ago(115 * time.Second)}, "up"},
			"dead":       {columns{"updated_at": ago(125 * time.Second)}, "down"},
			"quick":      {columns{"updated_at": ago(15 * time.Second), "report_interval": "10"}, "up"},
			"quick dead": {columns{"updated_at": ago(25 * time.Second), "report_interval": "10"}, "down"},
			"slow":       {columns{"updated_at": ago(30 * time.Minute), "report_interval": "1000"}, "up"},
			"far future": {columns{"updated_at": ago(-24 * time.Hour)}, "up"},
			"never new":  {columns{"created_at": ago(fresh)}, "up"},
			"never old":  {columns{}, "down"},
			"no times":   {columns{"created_at": "NULL"}, "data"},
			"deleted":    {columns{"updated_at": ago(fresh), "deleted_at": ago(fresh)}, "absent"},
		},
		live: drivers.Member{Group: "engine", Binary: "heat-engine"},
	}
}

func ironicTest(ago agoFunc) schemaTest {
	return schemaTest{
		schema: "ironic", table: "conductors",
		row: columns{
			"id": "NUMBER", "hostname": "'NAME'", "online": "1", "version": "'1.81'", "conductor_group": "'rack1'",
			"created_at": ago(ancient),
		},
		cases: map[string]schemaCase{
			"live":       {columns{"updated_at": ago(fresh)}, "up"},
			"dead":       {columns{"updated_at": ago(65 * time.Second)}, "down"},
			"far future": {columns{"updated_at": ago(-24 * time.Hour)}, "up"},
			"offline":    {columns{"updated_at": ago(fresh), "online": "0"}, "down"},
			"unsaid":     {columns{"updated_at": ago(fresh), "online": "NULL"}, "down"},
			"no group":   {columns{"updated_at": ago(fresh), "conductor_group": "''"}, "up"},
			"never":      {columns{"updated_at": "NULL"}, "data"},
		},
		live:   drivers.Member{Group: "conductor", Zone: "rack1", Version: "1.81", ForcedDown: drivers.FlagNo},
		forced: map[string]bool{"offline": true, "unsaid": true, "dead": false},
	}
}

func designateTest(ago agoFunc) schemaTest {
	return schemaTest{
		schema: "designate", table: "service_statuses",
		row: columns{
			"id": "'NAME'", "created_at": ago(ancient), "service_name": "'worker'", "hostname": "'NAME'", "status": "'UP'",
			"stats": "'{}'", "capabilities": "'{}'",
		},
		cases: map[string]schemaCase{
			"live":      {columns{"heartbeated_at": ago(fresh)}, "up"},
			"warning":   {columns{"heartbeated_at": ago(fresh), "status": "'WARNING'"}, "up"},
			"marked":    {columns{"heartbeated_at": ago(fresh), "status": "'DOWN'"}, "up"},
			"dead":      {columns{"heartbeated_at": ago(65 * time.Second)}, "down"},
			"never new": {columns{"created_at": ago(fresh)}, "up"},
			"never old": {columns{"updated_at": ago(fresh)}, "down"},
		},
		live: drivers.Member{Group: "worker"},
	}
}

func designateStoredTest(ago agoFunc) schemaTest {
	test := designateTest(ago)
	test.rule = VerdictStored
	test.cases = map[string]schemaCase{
		"live":    {columns{"heartbeated_at": ago(fresh)}, "up"},
		"crashed": {columns{"heartbeated_at": ago(ancient)}, "up"},
		"warning": {columns{"heartbeated_at": ago(fresh), "status": "'WARNING'"}, "up"},
		"marked":  {columns{"heartbeated_at": ago(fresh), "status": "'DOWN'"}, "down"},
	}
	return test
}

func magnumTest(ago agoFunc) schemaTest {
	return schemaTest{
		schema: "magnum", table: "magnum_service",
		row: columns{
			"id": "NUMBER", "host": "'NAME'", "`binary`": "'magnum-conductor'", "report_count": "3", "disabled": "0",
			"forced_down": "0", "created_at": ago(ancient),
		},
		cases: map[string]schemaCase{
			"live":        {columns{"last_seen_up": ago(fresh)}, "up"},
			"late":        {columns{"last_seen_up": ago(175 * time.Second)}, "up"},
			"dead":        {columns{"last_seen_up": ago(185 * time.Second), "updated_at": ago(fresh)}, "down"},
			"future":      {columns{"last_seen_up": ago(-170 * time.Second)}, "up"},
			"far future":  {columns{"last_seen_up": ago(-190 * time.Second)}, "down"},
			"never":       {columns{"updated_at": ago(fresh)}, "up"},
			"never new":   {columns{"created_at": ago(fresh)}, "up"},
			"never old":   {columns{}, "down"},
			"forced":      {columns{"last_seen_up": ago(fresh), "forced_down": "1"}, "down"},
			"forced null": {columns{"last_seen_up": ago(fresh), "forced_down": "NULL"}, "up"},
			"disabled":    {columns{"last_seen_up": ago(fresh), "disabled": "1", "disabled_reason": "'why'"}, "up"},
		},
		live: drivers.Member{
			Group: "magnum-conductor", Binary: "magnum-conductor", Enabled: drivers.FlagYes, ForcedDown: drivers.FlagNo,
			ReportCount: 3, HasReportCount: true,
		},
		enabled: map[string]bool{"disabled": false, "forced": true},
		forced:  map[string]bool{"disabled": false, "forced": true, "forced null": false},
	}
}

func octaviaTest(ago agoFunc) schemaTest {
	return schemaTest{
		schema: "octavia", table: "amphora_health",
		row: columns{"amphora_id": "'NAME'", "busy": "0", "last_update": ago(ancient)},
		cases: map[string]schemaCase{
			"live":       {columns{"last_update": ago(fresh)}, "up"},
			"dead":       {columns{"last_update": ago(65 * time.Second)}, "down"},
			"far future": {columns{"last_update": ago(-24 * time.Hour)}, "up"},
			"busy":       {columns{"busy": "1"}, "up"},
		},
		live: drivers.Member{Group: "amphora"},
	}
}

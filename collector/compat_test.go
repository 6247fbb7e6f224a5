package collector

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// inCompatTime is inTime with the flag set, and with one source for each of the drivers, which have been polled.
func inCompatTime(t *testing.T, services []string, list []*fakeDriver, test func(*testing.T, *bench)) {
	inTime(t, Options{CompatOpenStackExporter: true}, func(t *testing.T, b *bench) {
		var configs []SourceConfig
		for i, service := range services {
			cfg := config(string(rune('a'+i)), list[i])
			cfg.Service = service
			configs = append(configs, cfg)
		}
		require.NoError(t, b.Apply(configs))
		b.scrape(sec)
		test(t, b)
	})
}

// agents compares the agents that are exposed, in the order of their text, with those expected.
func (b *bench) agents(want ...string) {
	b.t.Helper()
	b.compat("_agent_state{", want...)
}

// compat compares the lines of openstack-exporter's series with this text in them with those expected.
func (b *bench) compat(text string, want ...string) {
	b.t.Helper()
	var got []string
	for line := range strings.Lines(b.text()) {
		if strings.HasPrefix(line, "openstack_") && strings.Contains(line, text) {
			got = append(got, strings.TrimSpace(line))
		}
	}
	require.Equal(b.t, want, got)
}

func TestOpenStackExportersSeries(t *testing.T) {
	list := []*fakeDriver{
		answering(`compute/c1:up:unforced:enabled:rostered:binary=nova-compute:zone=az1:uuid=u1:version=61
			compute/c2:down:forced:disabled:rostered:binary=nova-compute:zone=az1:uuid=u2:reason=broken`),
		answering("cinder-volume/c1@lvm:up:disabled:binary=cinder-volume:zone=nova:uuid=u3:reason=full cinder-backup/old:down:binary=cinder-backup"),
		answering("L3/n1:up:enabled:binary=neutron-l3-agent:zone=nova:uuid=u4 Metadata/n2:down:disabled:binary=neutron-metadata-agent:uuid=u5"),
		answering("manila-share/m1:up"),
		answering("web/w1:up"),
	}
	inCompatTime(t, []string{"nova", "cinder", "neutron", "manila", ""}, list, func(t *testing.T, b *bench) {
		want := `
# HELP openstack_cinder_agent_state The agent is up (1) or down (0). It has the name and the labels of openstack-exporter.
# TYPE openstack_cinder_agent_state gauge
openstack_cinder_agent_state{adminState="disabled",disabledReason="full",hostname="c1@lvm",service="cinder-volume",uuid="u3",zone="nova"} 1
openstack_cinder_agent_state{adminState="enabled",disabledReason="",hostname="old",service="cinder-backup",uuid="",zone=""} 0
# HELP openstack_neutron_agent_state The agent is up (1) or down (0). It has the name and the labels of openstack-exporter.
# TYPE openstack_neutron_agent_state gauge
openstack_neutron_agent_state{adminState="up",availability_zone="nova",hostname="n1",id="u4",service="neutron-l3-agent"} 1
openstack_neutron_agent_state{adminState="down",availability_zone="",hostname="n2",id="u5",service="neutron-metadata-agent"} 0
# HELP openstack_nova_agent_state The agent is up (1) or down (0). It has the name and the labels of openstack-exporter.
# TYPE openstack_nova_agent_state gauge
openstack_nova_agent_state{adminState="enabled",disabledReason="",hostname="c1",id="u1",service="nova-compute",zone="az1"} 1
openstack_nova_agent_state{adminState="disabled",disabledReason="broken",hostname="c2",id="u2",service="nova-compute",zone="az1"} 0
`
		var names []string
		for _, service := range []string{"nova", "cinder", "neutron", "manila"} {
			names = append(names, "openstack_"+service+"_agent_state")
		}
		require.NoError(t, testutil.GatherAndCompare(b.reg, strings.NewReader(want), names...))
	})
}

// An agent whose state is unknown has no series, as with service_up.
func TestUnknownAgentsAreNotShown(t *testing.T) {
	d := answering("x:up:rostered:uuid=u1 y:up:rostered:uuid=u2")
	inCompatTime(t, []string{"neutron"}, []*fakeDriver{d}, func(_ *testing.T, b *bench) {
		x := `openstack_neutron_agent_state{adminState="up",availability_zone="",hostname="x",id="u1",service=""} 1`
		y := `openstack_neutron_agent_state{adminState="up",availability_zone="",hostname="y",id="u2",service=""} 1`
		b.agents(x, y)
		d.answer = answer(&drivers.Poll{Members: rows("x:up:rostered:uuid=u1"), Unknown: rows("y:rostered:uuid=u2")})
		b.scrape(sec)
		b.agents(x)
		d.fail(drivers.ReasonConnect)
		b.scrape(sec)
		b.agents()
		d.say("x:up:rostered:uuid=u1 y:up:rostered:uuid=u2")
		b.scrape(sec)
		b.agents(x, y)
	})
}

// A service is up while all of its sources can be read. A service without a source is neither up nor down.
func TestOpenStackServicesAreUp(t *testing.T) {
	cell1, cell2, cinder := answering("compute/x:up"), answering("compute/y:up"), answering("")
	inCompatTime(t, []string{"nova", "nova", "cinder", "manila"}, []*fakeDriver{cell1, cell2, cinder, answering("m:up")}, func(_ *testing.T, b *bench) {
		b.compat("_up ", "openstack_cinder_up 1", "openstack_nova_up 1")
		cell2.fail(drivers.ReasonConnect)
		b.scrape(sec)
		b.compat("_up ", "openstack_cinder_up 1", "openstack_nova_up 0")
		cell1.fail(drivers.ReasonConnect)
		cinder.fail(drivers.ReasonTimeout)
		b.scrape(sec)
		b.compat("_up ", "openstack_cinder_up 0", "openstack_nova_up 0")
		cell1.say("compute/x:up")
		cell2.say("compute/y:up")
		b.scrape(sec)
		b.compat("_up ", "openstack_cinder_up 0", "openstack_nova_up 1")
	})
}

// The labels do not name the source: the same agent in two of them is shown once, by the first that can be read.
func TestAgentsInSeveralSourcesAreShownOnce(t *testing.T) {
	first, second := answering("x:up:rostered:uuid=u1 h/x:up:uuid=u1"), answering("x:down:rostered:uuid=u1 x2:up:uuid=u2")
	inCompatTime(t, []string{"neutron", "neutron"}, []*fakeDriver{first, second}, func(t *testing.T, b *bench) {
		x := `openstack_neutron_agent_state{adminState="up",availability_zone="",hostname="x",id="u1",service=""} `
		x2 := `openstack_neutron_agent_state{adminState="up",availability_zone="",hostname="x2",id="u2",service=""} 1`
		b.agents(x+"1", x2)
		require.Equal(t, 4, strings.Count(b.text(), "\nservice_up{"))
		first.fail(drivers.ReasonConnect)
		b.scrape(sec)
		b.agents(x+"0", x2)
	})
}

// The labels follow what operators set, and the value follows the state.
func TestAgentsFollowTheirMembers(t *testing.T) {
	d := answering("x:up:enabled:binary=nova-compute:uuid=u")
	inCompatTime(t, []string{"nova"}, []*fakeDriver{d}, func(_ *testing.T, b *bench) {
		for _, step := range []struct{ say, labels, value string }{
			{"x:up:disabled:binary=nova-compute:uuid=u", `adminState="disabled",disabledReason=""`, "1"},
			{"x:up:disabled:binary=nova-compute:uuid=u:reason=why", `adminState="disabled",disabledReason="why"`, "1"},
			{"x:down:enabled:binary=nova-compute:uuid=u", `adminState="enabled",disabledReason=""`, "0"},
		} {
			d.say(step.say)
			b.scrape(sec)
			b.agents("openstack_nova_agent_state{" + step.labels + `,hostname="x",id="u",service="nova-compute",zone=""} ` + step.value)
		}
	})
}

// With member_metrics: minimal a member has only service_up and the series of openstack-exporter.
func TestAgentsOfSourcesWithServiceUpOnly(t *testing.T) {
	inTime(t, Options{CompatOpenStackExporter: true}, func(t *testing.T, b *bench) {
		cfg := config("a", answering("x:up:enabled:uuid=u"))
		cfg.Service, cfg.UpOnly = "nova", true
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		b.scrape(sec)
		b.agents(`openstack_nova_agent_state{adminState="enabled",disabledReason="",hostname="x",id="u",service="",zone=""} 1`)
		require.NotContains(t, b.text(), "servicegroup_member_info{")
	})
}

// A new configuration may assign a source's members to another service, or to none.
func TestAgentsOfASourceThatChanges(t *testing.T) {
	inTime(t, Options{CompatOpenStackExporter: true}, func(t *testing.T, b *bench) {
		for _, step := range []struct {
			service string
			want    []string
		}{
			{"", nil},
			{"neutron", []string{`openstack_neutron_agent_state{adminState="up",availability_zone="",hostname="x",id="u",service=""} 1`}},
			{"cinder", []string{`openstack_cinder_agent_state{adminState="enabled",disabledReason="",hostname="x",service="",uuid="u",zone=""} 1`}},
			{"", nil},
		} {
			cfg := config("a", answering("x:up:enabled:uuid=u"))
			cfg.Service, cfg.Fingerprint = step.service, "fingerprint of "+step.service
			require.NoError(t, b.Apply([]SourceConfig{cfg}))
			b.scrape(sec)
			b.agents(step.want...)
		}
	})
}

func TestOpenStackExportersSeriesAreOffByDefault(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		cfg := config("a", answering("x:up"))
		cfg.Service = "nova"
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		b.scrape(sec)
		require.NotContains(t, b.text(), "openstack_")
	})
}

package packaging

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The unit that the tests follow, the service that follows it, and its member in ZooKeeper.
const (
	victim  = "victim.service"
	sidecar = "servicegroup_join@victim.service"
	member  = "/servicegroups/compute/one"
)

// A service servicegroup_join@ follows a unit on a real systemd, with a real ZooKeeper.
func TestSidecar(t *testing.T) {
	folder := t.TempDir()
	build(t, folder, older)
	for _, name := range []string{"kill.py", "get.py"} {
		script, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), script, 0o600))
	}
	m := boot(t, folder)
	m.installSidecar(folder)

	for _, step := range []struct {
		name string
		test func(m *machine)
	}{
		{"boot order", checkBootOrder},
		{"rights", checkSidecarsRights},
		{"stop and restart", checkStop},
		{"death", checkDeath},
		{"death and recovery", checkRecovery},
		{"crash loop", checkCrashLoop},
		{"watchdog", checkUnitsWatchdog},
		{"mask", checkMask},
		{"systemd executes itself again", checkReexec},
		{"D-Bus away", checkBusAway},
		{"the sidecar is killed", checkSidecarKilled},
		{"milliseconds", checkSpeed},
		{"upgrade and removal", checkSidecarRemoved},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.test(m.in(t)) }) {
			break
		}
	}
}

// installSidecar runs the playbook that puts the sidecar on a host. A second run changes nothing.
func (m *machine) installSidecar(folder string) {
	m.t.Helper()
	require.NoError(m.t, os.CopyFS(filepath.Join(folder, "collection"), os.DirFS("ansible")))
	debs, err := filepath.Glob(filepath.Join(folder, "*.deb"))
	require.NoError(m.t, err)
	vars, err := json.Marshal(map[string]any{
		"servicegroup_exporter_package": "/mnt/" + filepath.Base(debs[0]),
		"servicegroup_join_member":      "one",
		"servicegroup_join_password":    "secret",
		"servicegroup_join_units":       map[string]string{"victim": "compute"},
		"servicegroup_join_config": map[string]any{"sources": []any{map[string]any{"name": "zk", "driver": "zk", "zk": map[string]any{
			"servers": []string{"127.0.0.1:2181"},
			"auth":    map[string]string{"user": "agent", "password_file": "/etc/servicegroup_exporter/join-password"},
		}}}},
	})
	require.NoError(m.t, err)
	require.NoError(m.t, os.WriteFile(filepath.Join(folder, "vars.json"), vars, 0o600))
	require.NoError(m.t, os.WriteFile(filepath.Join(folder, "inventory"), []byte("[servicegroup_join]\nlocalhost ansible_connection=local\n"), 0o600))
	const play = "ansible-playbook -i /mnt/inventory servicegroup.exporter.join -e @/mnt/vars.json"
	m.run(installCollection)
	require.Contains(m.t, m.run(play+" --check"), "failed=0")
	require.Contains(m.t, m.run(play), "failed=0")
	require.Contains(m.t, m.run(play), "changed=0", "a second run must not change anything")
	require.Equal(m.t, "640 root servicegroup_exporter", m.run("stat --format='%a %U %G' /etc/servicegroup_exporter/join-password"))
	m.run("systemctl is-enabled " + sidecar)
	m.fails("systemctl is-active " + unit)
	m.run("systemctl stop " + sidecar)
}

// in returns the machine for a subtest.
func (m *machine) in(t *testing.T) *machine {
	inner := *m
	inner.t = t
	return &inner
}

// startVictim writes the unit that is followed and starts it.
func (m *machine) startVictim(service string) {
	m.t.Helper()
	m.write("/usr/local/lib/systemd/system/"+victim, "[Unit]\nStartLimitIntervalSec=0\n[Service]\n"+service)
	m.run("systemctl daemon-reload && systemctl reset-failed && systemctl restart " + victim)
}

const (
	sleeps   = "ExecStart=/bin/sleep infinity"
	list     = "servicegroup_exporter --config.file=/etc/servicegroup_exporter/join.yml list --format=json"
	killMain = "kill -9 $(systemctl show --value -p MainPID " + victim + ")"
)

// is waits until the member has a state: up, down, or gone.
func (m *machine) is(state string) {
	m.t.Helper()
	want := map[string]string{"up": `"state": "up"`, "down": `"state": "down"`, "gone": "[]"}[state]
	m.eventually(list, want)
}

// journal waits until the sidecar has logged a text since the last call of mark.
func (m *machine) journal(text string) {
	m.t.Helper()
	m.eventually("journalctl --no-pager --output=cat --unit="+sidecar+" --since=@$(cat /srv/mark)", text)
}

// mark forgets what was logged before.
func (m *machine) mark() { m.run("sleep 0.01; date +%s.%6N >/srv/mark") }

// membership returns the id of the membership, which is new after each join.
func (m *machine) membership() string {
	m.t.Helper()
	out := m.run("/usr/bin/python3 /mnt/get.py " + member)
	id := regexp.MustCompile(`"id":"(\w+)"`).FindStringSubmatch(out)
	require.NotNil(m.t, id, out)
	return id[1]
}

// The sidecar starts first, then the unit appears, then ZooKeeper.
func checkBootOrder(m *machine) {
	m.run("date +%s >/srv/mark")
	m.run("systemctl start " + sidecar)
	m.journal("The unit is not active yet")
	m.journal("load_state=not-found")
	m.startVictim(sleeps)
	m.journal("Can't join the group yet")
	m.startZooKeeper()
	m.is("up")

	// Both in one transaction, as at boot and at shutdown.
	for range 3 {
		m.run("systemctl stop " + sidecar + " " + victim)
		m.is("gone")
		m.run("systemctl start " + sidecar + " " + victim)
		m.is("up")
	}
	m.run("systemctl restart " + sidecar)
	m.is("up")
}

// startZooKeeper starts a server on the usual port.
func (m *machine) startZooKeeper() {
	m.t.Helper()
	m.write("/srv/zookeeper/zoo.cfg", "tickTime=500\ndataDir=/srv/zookeeper\nclientPort=2181\nadmin.enableServer=false\nforceSync=no")
	m.run("systemd-run --unit=zookeeper java -Xmx256m -XX:TieredStopAtLevel=1 -cp /usr/share/java/zookeeper.jar " +
		"org.apache.zookeeper.server.quorum.QuorumPeerMain /srv/zookeeper/zoo.cfg")
}

// The sidecar is another user than the unit, has no privilege, and watches the main process of the unit.
func checkSidecarsRights(m *machine) {
	pid := m.run("systemctl show --value -p MainPID " + sidecar)
	status := m.run("cat /proc/" + pid + "/status")
	require.Regexp(m.t, `(?m)^CapPrm:\t0+$`, status)
	require.Regexp(m.t, `(?m)^CapBnd:\t0+$`, status)
	require.Regexp(m.t, `(?m)^NoNewPrivs:\t1$`, status)
	require.Regexp(m.t, `(?m)^Seccomp:\t2$`, status)
	require.NotRegexp(m.t, `(?m)^Uid:\t0`, status)
	require.Regexp(m.t, `(?m)^Uid:\t0`, m.run("cat /proc/$(systemctl show --value -p MainPID "+victim+")/status"))
	require.Contains(m.t, m.run("ls -l /proc/"+pid+"/fd"), "anon_inode:[pidfd]")
}

// A unit that is stopped on purpose leaves, also if it does not stop in time. A restart is a leave and a join.
func checkStop(m *machine) {
	m.mark()
	m.run("systemctl stop " + victim)
	m.is("gone")
	m.run("systemctl start " + victim)
	m.is("up")
	before := m.membership()
	m.run("systemctl restart " + victim)
	m.journal("Left the group")
	m.is("up")
	require.NotEqual(m.t, before, m.membership())
	m.startVictim("TimeoutStopSec=1s\nExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'")
	m.is("up")
	m.run("systemctl stop " + victim)
	m.journal("failed while it did")
	m.is("gone")
	m.fails("journalctl --no-pager --unit=" + sidecar + " --since=@$(cat /srv/mark) | grep 'The unit died'")
}

// A unit whose main process ends by itself dies, with systemd's reason in the log and in the record.
func checkDeath(m *machine) {
	for _, death := range []struct{ service, end, cause string }{
		{sleeps, killMain, "Result=signal ExecMainCode=killed ExecMainStatus=9"},
		{sleeps, "systemctl kill --signal=SEGV " + victim, "ExecMainStatus=11"},
		{"ExecStart=/bin/sh -c 'read x </srv/fifo; exit 3'", "echo >/srv/fifo", "Result=exit-code ExecMainCode=exited ExecMainStatus=3"},
		{"ExecStart=/bin/sh -c 'read x </srv/fifo'", "echo >/srv/fifo", "Result=success ExecMainCode=exited ExecMainStatus=0"},
	} {
		m.run("rm -f /srv/fifo && mkfifo /srv/fifo")
		m.startVictim(death.service)
		m.is("up")
		m.mark()
		m.run(death.end)
		m.is("down")
		m.journal(death.cause)
		m.journal("Recorded the death of the member")
		require.Contains(m.t, m.run("/usr/bin/python3 /mnt/get.py /servicegroups/.roster/compute/one"), death.cause)
	}
}

// systemd restarts the unit within the session timeout: that is a death and a recovery, with their true times.
func checkRecovery(m *machine) {
	m.startVictim(sleeps + "\nRestart=always\nRestartSec=1s")
	m.is("up")
	m.run("systemd-run --unit=watch --property=StandardOutput=file:/srv/watch.log " +
		"servicegroup_exporter --config.file=/etc/servicegroup_exporter/join.yml watch --interval=1h")
	m.eventually("cat /srv/watch.log", "watching")
	m.run(killMain)
	m.eventually("cat /srv/watch.log", "recovery")
	require.Regexp(m.t, `death +compute/one source=zk detected_after=0\.\d+s\n.*recovery +compute/one source=zk outage=[12]\.`, m.run("cat /srv/watch.log"))
	m.run("systemctl stop watch")
}

// A unit that systemd restarts until it gives up is down in the end, and joins when it is repaired.
func checkCrashLoop(m *machine) {
	m.mark()
	m.write("/usr/local/lib/systemd/system/"+victim, "[Unit]\nStartLimitIntervalSec=1h\nStartLimitBurst=5\n[Service]\n"+
		"ExecStart=/bin/sh -c 'sleep 0.3; exit 1'\nRestart=always\nRestartSec=100ms")
	m.run("systemctl daemon-reload && systemctl restart " + victim)
	m.eventually("systemctl show -p ActiveState "+victim, "failed")
	m.is("down")
	m.journal("ExecMainStatus=1")
	m.startVictim(sleeps)
	m.is("up")
}

// A unit that does not notify its watchdog dies before systemd has ended its processes.
func checkUnitsWatchdog(m *machine) {
	m.startVictim("Type=notify\nNotifyAccess=all\nWatchdogSec=1s\nExecStart=/bin/sh -c 'systemd-notify --ready; exec sleep infinity'")
	m.mark()
	m.journal("Result=watchdog")
	m.is("down")
}

func checkMask(m *machine) {
	m.startVictim(sleeps)
	m.is("up")
	m.run("systemctl mask --now " + victim)
	m.is("gone")
	m.run("systemctl restart " + sidecar)
	m.journal("load_state=masked")
	m.run("systemctl unmask " + victim)
	m.startVictim(sleeps)
	m.is("up")
}

// The membership is the same after systemd was reloaded and has executed itself again, and the sidecar still follows the unit.
func checkReexec(m *machine) {
	before := m.membership()
	for range 3 {
		m.run("systemctl daemon-reload && systemctl daemon-reexec")
	}
	require.Equal(m.t, before, m.membership())
	m.run("systemctl stop " + victim)
	m.is("gone")
	m.run("systemctl start " + victim)
	m.is("up")
	m.run("systemctl daemon-reexec && " + killMain)
	m.is("down")
	m.run("systemctl start " + victim)
	m.is("up")
}

// While D-Bus is stopped or hangs, the member lives as long as the main process.
func checkBusAway(m *machine) {
	for _, away := range []struct{ stop, start string }{
		{"systemctl stop dbus.socket dbus.service", "systemctl start dbus.socket"},
		{"systemctl kill --signal=STOP dbus.service", "systemctl kill --signal=CONT dbus.service"},
		{"systemctl kill --signal=KILL dbus.service && systemctl stop dbus.socket dbus.service", "systemctl start dbus.socket"},
	} {
		m.mark()
		before := m.membership()
		m.run(away.stop + " && sleep 3")
		require.Equal(m.t, before, m.membership())
		m.run(killMain)
		m.is("down")
		m.journal("systemd has not said why")
		m.run(away.start + " && systemctl start " + victim)
		m.is("up")
	}
}

// A sidecar that was killed returns within the session timeout, and nothing shows that the member was away.
func checkSidecarKilled(m *machine) {
	m.run("systemd-run --unit=watch2 --property=StandardOutput=file:/srv/watch2.log " +
		"servicegroup_exporter --config.file=/etc/servicegroup_exporter/join.yml watch --interval=1s")
	m.eventually("cat /srv/watch2.log", "watching")
	before := m.membership()
	m.run("systemctl kill --signal=KILL " + sidecar)
	require.Eventually(m.t, func() bool { return m.membership() != before }, patience, 1)
	m.run("sleep 5") // longer than the session timeout
	m.is("up")
	require.NotContains(m.t, m.run("cat /srv/watch2.log"), "death")
	m.run("systemctl stop watch2")
}

// speedRuns is how often the speed is measured.
const speedRuns = 30

// checkSpeed measures the time from kill -9 of the unit's main process until another client knows that the znode is gone.
func checkSpeed(m *machine) {
	var took []float64
	for field := range strings.FieldsSeq(m.run(fmt.Sprintf("/usr/bin/python3 /mnt/kill.py %s %s %d", victim, member, speedRuns))) {
		ms, err := strconv.ParseFloat(field, 64)
		require.NoError(m.t, err)
		took = append(took, ms)
	}
	require.Len(m.t, took, speedRuns)
	slices.Sort(took)
	m.t.Logf("from kill -9 to the znode gone, n = %d: median %.1f ms, 90 %% %.1f ms, maximum %.1f ms", len(took), took[len(took)/2], took[len(took)*9/10], took[len(took)-1])
}

// An upgrade restarts the service, and a removal ends it. Both leave.
func checkSidecarRemoved(m *machine) {
	m.run("systemctl restart " + victim)
	m.is("up")
	before := m.run("systemctl show --value -p MainPID " + sidecar)
	m.run("dpkg --no-triggers --install /mnt/*.deb")
	m.is("up")
	require.NotEqual(m.t, before, m.run("systemctl show --value -p MainPID "+sidecar))
	m.run("dpkg --no-triggers --purge servicegroup-exporter")
	m.fails("systemctl is-active " + sidecar)
	m.fails("find /etc/systemd /etc/default | grep servicegroup_join | grep -v default/servicegroup_join@victim$")
}

// The steps of the documentation make units members of groups: with Ansible, in a cloud of Kolla-Ansible, and by hand.
func TestSidecarPage(t *testing.T) {
	const page = "../docs/nova-zookeeper.md"
	folder := t.TempDir()
	build(t, folder, older)
	m := boot(t, readersFolder(t, folder))
	m.startZooKeeper()
	for _, name := range []string{"nova-compute", "kolla-nova_compute-container", "kolla-neutron_openvswitch_agent-container"} {
		m.write("/usr/local/lib/systemd/system/"+name+".service", "[Service]\n"+sleeps)
		m.run("systemctl daemon-reload && systemctl start " + name)
	}
	const here = "localhost ansible_connection=local"
	m.write("/etc/kolla/inventory", "[compute]\n"+here)
	m.run("sed -i 's/zk1.*:2181/127.0.0.1:2181/' /mnt/packaging/ansible/examples/join-vars.yml") // The reader writes the addresses into the copy.
	r := m.ansibleReader("compute-01.example.com", here, "[zk1:2181, zk2:2181, zk3:2181]", "[127.0.0.1:2181]", "PASSWORD", "change me")
	up := func(config, group string) {
		t.Helper()
		m.eventually("servicegroup_exporter --config.file=/etc/servicegroup_exporter/"+config+" list --format=json "+group, `"state": "up"`)
	}

	r.follow(t, part(t, page, "## With Ansible"))
	up("join.yml", "compute")
	m.run("systemctl disable --now servicegroup_join@nova-compute")

	r.follow(t, part(t, page, "## With Kolla-Ansible"))
	up("join.yml", "compute")
	up("join.yml", "neutron-agent")
	m.run("systemctl stop 'servicegroup_join@*' && dpkg --purge servicegroup-exporter && rm /etc/default/servicegroup_join@*")

	r.follow(t, part(t, page, "## By hand"))
	up("servicegroups.yml", "compute")
}

package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"servicegroup_exporter/internal/testserver"
)

const (
	sourceName = "test"
	groupName  = "workers"
	// heartbeatTimeout is the heartbeat timeout of every backend: service_down_time, or the session timeout.
	heartbeatTimeout = 5 * time.Second
	// faultDuration is how long faults last: longer than the heartbeat timeout.
	faultDuration = 8 * time.Second
	// scrapeTimeout is the scrape timeout of Prometheus. No scrape may take longer.
	scrapeTimeout = 3 * time.Second
	// backendTimeout bounds one request to a backend.
	backendTimeout = 2 * time.Second
	// waitTimeout bounds each wait. It is long enough for a busy machine with few cores.
	waitTimeout = time.Minute
)

// The exporter and the members reach the backend at different addresses, so that one side can be cut off without the other.
const (
	exporterSide = "127.0.0.1"
	memberSide   = "127.0.0.2"
)

// An environmentSpec describes an environment and its faults.
type environmentSpec struct {
	name string
	open func(env *environment) backend
	// liveMembers is the number of members that live all the time. 0 means 10.
	liveMembers int
	// proxied puts TCP proxies, which can delay data, in front of the backend.
	proxied bool
	// shifted runs an exporter whose wall clock can be set.
	shifted bool
	// alertmanager starts an Alertmanager that the exporter sends alerts to.
	alertmanager bool
	faults       []fault
}

// An environment is a real exporter with a real backend, real members, and a watcher.
type environment struct {
	testserver.TB
	environmentSpec
	builds        *builds
	dir, program  string
	backend       backend
	exporter      *testserver.Process
	web           string // the address of the exporter
	storage       *disk  // of the exporter
	alerts        *testserver.AM
	watch         *watcher
	exporterProxy *tcpProxy // nil without proxies
	memberProxy   *tcpProxy
	clock         *wallClock // of the exporter; nil if it uses the clock of the machine
	dead          []string   // names of members that are dead all the time
	victims       []*victim  // two for each fault, killed during and after it
	extra         *victim    // a member that some faults freeze, nil before
	backendDisk   *disk      // of the backend, nil if it has no disk of its own
}

// newEnvironment starts everything, joins members, kills two of them, and waits until the exporter knows their states.
func newEnvironment(t testserver.TB, builds *builds, spec environmentSpec) *environment {
	env := &environment{TB: t, environmentSpec: spec, builds: builds, watch: newWatcher()}
	env.liveMembers = cmp.Or(env.liveMembers, 10)
	env.dir = testserver.TempDir(env)
	env.program = env.built(builds.plain)
	env.storage = newDisk(env, "storage", 4<<20)
	for i := range 2 * len(spec.faults) {
		env.victims = append(env.victims, &victim{env: env, name: fmt.Sprintf("victim-%02d", i+1)})
	}
	env.backend = spec.open(env)
	env.configure()
	env.startExporter()
	env.watch.start(env)
	env.joinLiveMembers()
	env.makeDead("dead-01", "dead-02")
	return env
}

// names returns the names of all members that can exist in the environment.
func (env *environment) names() []string {
	names := append(env.live(), "dead-01", "dead-02", extraName)
	for _, v := range env.victims {
		names = append(names, v.name)
	}
	return names
}

// damageStateFile overwrites the middle of the exporter's state file.
func (env *environment) damageStateFile() {
	path := filepath.Join(env.storage.path, "members-"+sourceName+".json")
	text, err := os.ReadFile(path)
	if err == nil {
		copy(text[len(text)/2:], "\x00damaged\x00")
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		env.Fatalf("damaging the state file: %v", err)
	}
}

// configure writes the configurations of the exporter and of the members.
func (env *environment) configure() {
	if env.proxied {
		env.exporterProxy = newTCPProxy(env, env.backend.addresses(exporterSide)[0])
		env.memberProxy = newTCPProxy(env, env.backend.addresses(memberSide)[0])
	}
	var alertmanagers string
	if env.alertmanager {
		env.alerts = testserver.Alertmanager(env.TB, "{route: {receiver: none}, receivers: [{name: none}]}")
		alertmanagers = fmt.Sprintf("{url: %q}", env.alerts.URL())
	}
	env.writeConfig("exporter", exporterSide, env.exporterProxy, alertmanagers)
	env.writeConfig("member", memberSide, env.memberProxy, "")
}

func (env *environment) writeConfig(role, side string, through *tcpProxy, alertmanagers string) {
	addresses := env.backend.addresses(side)
	if through != nil {
		addresses = []string{through.address()}
	}
	text := fmt.Sprintf(`sources:
  - name: %s
    %s
    poll_interval: 500ms
    poll_timeout: %s
alerting:
  alertmanagers: [%s]
`, sourceName, env.backend.source(role, addresses), backendTimeout, alertmanagers)
	if err := os.WriteFile(env.config(role), []byte(text), 0o600); err != nil {
		env.Fatalf("writing a configuration: %v", err)
	}
}

// config returns the path of the configuration for the role "exporter" or "member".
func (env *environment) config(role string) string { return filepath.Join(env.dir, role+".yml") }

func (env *environment) startExporter() {
	env.web = fmt.Sprintf("%s:%d", exporterSide, testserver.Port(env.TB))
	command := []string{env.program}
	if env.shifted {
		env.clock = newWallClock(env)
		command = []string{"env", clockVariable + "=" + env.clock.path, env.built(env.builds.shifted)}
	}
	env.exporter = testserver.Program(env.TB, "exporter", append(command,
		"--config.file="+env.config("exporter"), "--storage.path="+env.storage.path, "--log.level=warn",
		"--web.listen-address="+env.web,
		// The other half of the scrape timeout is a reserve for busy machines.
		"--timeout-offset="+(scrapeTimeout/2).String(),
	), func() error { return testserver.ExporterReady(env.web) })
}

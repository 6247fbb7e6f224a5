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
	sourceName = "lab"
	groupName  = "workers"
	// downTime is how long a member may be silent, in every backend: service_down_time, or the session timeout.
	downTime = 5 * time.Second
	// away is how long things are broken: longer than members may be silent.
	away = 8 * time.Second
	// scrapeTimeout is Prometheus': no scrape may take longer.
	scrapeTimeout = 3 * time.Second
	// backendTimeout bounds one call of a backend.
	backendTimeout = 2 * time.Second
	// patience bounds what is waited for, on a busy machine with few cores.
	patience = time.Minute
)

// The exporter and the members reach the backend at addresses of their own, so that one can be cut off and not the other.
const (
	exporterSide = "127.0.0.1"
	memberSide   = "127.0.0.2"
)

// A labSpec is a lab to be, and what is to break in it.
type labSpec struct {
	name string
	open func(l *lab) backend
	// wellMembers is how many members live all the time; 0: ten.
	wellMembers int
	// relayed puts relays before the backend, which can be slow.
	relayed bool
	// shifted lets the exporter have a wall clock that can be set.
	shifted bool
	// alertmanager lets the exporter post to one.
	alertmanager bool
	faults       []fault
}

// A lab is a real exporter with a real backend and real members, and somebody who watches.
type lab struct {
	testserver.TB
	labSpec
	programs     *builds
	dir, program string
	backend      backend
	exporter     *testserver.Process
	web          string // the exporter's address
	storage      *disk  // the exporter's
	alerts       *testserver.AM
	watch        *watcher
	fromExporter *relay // nil where there are none
	fromMembers  *relay
	clock        *wallClock // the exporter's, nil where it is the machine's
	dead         []string   // members that are dead all the time
	victims      []*victim  // two for each fault
	spare        *victim    // nil unless a fault needs it
	small        *disk      // the backend's, where it has one of its own
}

// newLab starts everything, lets members live and two of them die, and waits until the exporter knows.
func newLab(t testserver.TB, programs *builds, spec labSpec) *lab {
	l := &lab{TB: t, labSpec: spec, programs: programs, watch: newWatcher()}
	l.wellMembers = cmp.Or(l.wellMembers, 10)
	l.dir = testserver.TempDir(l)
	l.program = l.built(programs.plain)
	l.storage = newDisk(l, "storage", 4<<20)
	for i := range 2 * len(spec.faults) {
		l.victims = append(l.victims, &victim{lab: l, name: fmt.Sprintf("victim-%02d", i+1)})
	}
	l.backend = spec.open(l)
	l.configure()
	l.startExporter()
	l.watch.start(l)
	l.fill()
	l.bury("dead-01", "dead-02")
	return l
}

// names are all members that there can be.
func (l *lab) names() []string {
	names := append(l.well(), "dead-01", "dead-02", spareName)
	for _, v := range l.victims {
		names = append(names, v.name)
	}
	return names
}

// damageMemory overwrites the middle of what the exporter remembers.
func (l *lab) damageMemory() {
	path := filepath.Join(l.storage.path, "members-"+sourceName+".json")
	text, err := os.ReadFile(path)
	if err == nil {
		copy(text[len(text)/2:], "\x00damaged\x00")
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		l.Fatalf("damaging the memory: %v", err)
	}
}

// configure writes the configurations of the exporter and of members.
func (l *lab) configure() {
	if l.relayed {
		l.fromExporter = newRelay(l, l.backend.addresses(exporterSide)[0])
		l.fromMembers = newRelay(l, l.backend.addresses(memberSide)[0])
	}
	var alertmanagers string
	if l.alertmanager {
		l.alerts = testserver.Alertmanager(l.TB, "{route: {receiver: nobody}, receivers: [{name: nobody}]}")
		alertmanagers = fmt.Sprintf("{url: %q}", l.alerts.URL())
	}
	l.writeConfig("exporter", exporterSide, l.fromExporter, alertmanagers)
	l.writeConfig("member", memberSide, l.fromMembers, "")
}

func (l *lab) writeConfig(who, side string, through *relay, alertmanagers string) {
	addresses := l.backend.addresses(side)
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
`, sourceName, l.backend.source(who, addresses), backendTimeout, alertmanagers)
	if err := os.WriteFile(l.config(who), []byte(text), 0o600); err != nil {
		l.Fatalf("writing a configuration: %v", err)
	}
}

// config is the configuration of "exporter" or "member".
func (l *lab) config(who string) string { return filepath.Join(l.dir, who+".yml") }

func (l *lab) startExporter() {
	l.web = fmt.Sprintf("%s:%d", exporterSide, testserver.Port(l.TB))
	command := []string{l.program}
	if l.shifted {
		l.clock = newWallClock(l)
		command = []string{"env", clockVariable + "=" + l.clock.path, l.built(l.programs.shifted)}
	}
	l.exporter = testserver.Program(l.TB, "exporter", append(command,
		"--config.file="+l.config("exporter"), "--storage.path="+l.storage.path, "--log.level=warn",
		"--web.listen-address="+l.web,
		// The rest of a scrape's time is for busy machines.
		"--scrape.timeout-offset="+(scrapeTimeout/2).String(),
	), func() error { return testserver.ExporterReady(l.web) })
}

package main

import "time"

// patience bounds what is waited for, on a busy machine with few cores.
const patience = 3 * time.Minute

// The backends.
const (
	zookeeper = "zookeeper"
	mariadb   = "mariadb"
)

// settings are one way to page.
type settings struct {
	name    string
	backend string
	rules   bool // Prometheus evaluates the rules
	bridge  bool

	scrape, evaluation time.Duration
	resendDelay        time.Duration // of Prometheus
	resend             time.Duration // of the bridge
	keepFiring         time.Duration
	groupInterval      time.Duration // of Alertmanager
}

// ruleSettings are those of many sites that have Prometheus alone.
func ruleSettings(backend string) settings {
	return settings{
		name: "rules alone, scrapes and evaluations every 15 s", backend: backend, rules: true,
		scrape: 15 * time.Second, evaluation: 15 * time.Second, resendDelay: time.Minute,
		resend: 10 * time.Second, keepFiring: 30 * time.Second, groupInterval: 30 * time.Second,
	}
}

// bridgeSettings are the same with the bridge beside.
func bridgeSettings(backend string) settings {
	s := ruleSettings(backend)
	s.name, s.bridge = "rules and bridge, the same", true
	return s
}

// faultSettings have everything happen often. Prometheus' resend delay is its default: its alerts end when it has not repeated
// them for four times that long, and no outage of Alertmanager or of Prometheus is to be as long as that.
func faultSettings(backend string) settings {
	return settings{
		name: "rules and bridge, every 2 s", backend: backend, rules: true, bridge: true,
		scrape: 2 * time.Second, evaluation: 2 * time.Second, resendDelay: time.Minute,
		resend: 2 * time.Second, keepFiring: 6 * time.Second, groupInterval: 5 * time.Second,
	}
}

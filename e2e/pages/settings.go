package main

import "time"

// waitTimeout bounds each wait. It is long enough for a busy machine with few cores.
const waitTimeout = 3 * time.Minute

// The backends.
const (
	zookeeper = "zookeeper"
	mariadb   = "mariadb"
)

// settings configure one path from a death to a page.
type settings struct {
	name    string
	backend string
	rules   bool // with a Prometheus that evaluates the rules
	bridge  bool // with the bridge of the exporter

	scrape, evaluation time.Duration
	resendDelay        time.Duration // of Prometheus
	resend             time.Duration // of the bridge
	keepFiring         time.Duration
	groupInterval      time.Duration // of Alertmanager
}

// ruleSettings returns common settings of sites that use only Prometheus rules.
func ruleSettings(backend string) settings {
	return settings{
		name: "rules only, scrapes and evaluations every 15 s", backend: backend, rules: true,
		scrape: 15 * time.Second, evaluation: 15 * time.Second, resendDelay: time.Minute,
		resend: 10 * time.Second, keepFiring: 30 * time.Second, groupInterval: 30 * time.Second,
	}
}

// bridgeSettings returns the same settings with the bridge.
func bridgeSettings(backend string) settings {
	s := ruleSettings(backend)
	s.name, s.bridge = "rules and bridge, same intervals", true
	return s
}

// faultSettings returns settings with short intervals. The resend delay of Prometheus is its default: an alert ends when
// Prometheus has not repeated it for four times that long, and no outage of Alertmanager or Prometheus here is as long.
func faultSettings(backend string) settings {
	return settings{
		name: "rules and bridge, every 2 s", backend: backend, rules: true, bridge: true,
		scrape: 2 * time.Second, evaluation: 2 * time.Second, resendDelay: time.Minute,
		resend: 2 * time.Second, keepFiring: 6 * time.Second, groupInterval: 5 * time.Second,
	}
}

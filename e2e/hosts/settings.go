package main

import (
	"strings"
	"time"
)

// settings are how fast a cloud runs.
type settings struct {
	hosts, deaths int // how many machines there are, and how many of them are killed
	// interval is the time between the reports of a nova-compute or a cinder-volume; an agent of Neutron takes three times as long.
	interval time.Duration
	// timeout is how long Nova and Cinder wait for a report, and agentTimeout how long Neutron waits.
	timeout, agentTimeout time.Duration
	margin                time.Duration // of suspicions
	poll                  time.Duration
	// stall is for how long no machine reports, and restart for how long a machine does not whose services are restarted.
	stall, restart time.Duration
	spacing        time.Duration // the mean time between two kills
	resend         time.Duration // of the bridge
	scrape         time.Duration // between two scrapes, and two evaluations of the rules
	// alertmanager replaces times of the shipped configuration of Alertmanager.
	alertmanager *strings.Replacer
}

// realSettings returns the defaults of OpenStack, of this program and of the shipped Alertmanager. So many machines live that the
// guard against stalls never sees a quarter of them late, and that no group is degraded.
func realSettings(deaths int) settings {
	return settings{
		hosts: 6 * deaths, deaths: deaths, interval: 10 * time.Second, timeout: time.Minute, agentTimeout: 75 * time.Second,
		margin: 10 * time.Second, poll: time.Second, stall: 40 * time.Second, restart: 13 * time.Second, spacing: 4 * time.Second,
		resend: 10 * time.Second, scrape: 15 * time.Second, alertmanager: strings.NewReplacer(),
	}
}

// quickSettings returns settings of a cloud that is five times as fast, in which one machine is killed.
func quickSettings() settings {
	return settings{
		hosts: 9, deaths: 1, interval: 2 * time.Second, timeout: 16 * time.Second, agentTimeout: 20 * time.Second,
		margin: 3 * time.Second, poll: 500 * time.Millisecond, stall: 9 * time.Second, restart: 2 * time.Second, spacing: time.Second,
		resend: 2 * time.Second, scrape: 2 * time.Second,
		alertmanager: strings.NewReplacer("group_interval: 30s", "group_interval: 5s", "group_wait: 30s", "group_wait: 4s", "group_wait: 5s", "group_wait: 1s"),
	}
}

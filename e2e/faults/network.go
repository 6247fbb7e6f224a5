package main

import (
	"fmt"
	"os/exec"
	"strings"
)

// addRules adds nftables rules to the table of this environment, in the program's own network namespace.
func (env *environment) addRules(rules ...string) {
	var text strings.Builder
	fmt.Fprintf(&text, "table ip %s {\n chain input {\n type filter hook input priority 0;\n", env.table())
	for _, rule := range rules {
		fmt.Fprintln(&text, rule)
	}
	fmt.Fprintln(&text, "}\n}")
	env.nft(text.String())
}

// removeRules removes all rules.
func (env *environment) removeRules() { env.nft("delete table ip " + env.table()) }

func (env *environment) table() string { return fmt.Sprintf("environment%d", portOf(env.web)) }

func (env *environment) nft(text string) {
	cmd := exec.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		env.Fatalf("running nft, which `make deps-ci` or `apt-get install nftables` installs: %v\n%s", err, out)
	}
}

// toBackend returns a rule for packets to a port at the address of a side.
func toBackend(side string, port int, verdict string) string {
	return fmt.Sprintf("ip daddr %s tcp dport %d %s", side, port, verdict)
}

// fromBackend returns a rule for packets from a port at the address of a side.
func fromBackend(side string, port int, verdict string) string {
	return fmt.Sprintf("ip saddr %s tcp sport %d %s", side, port, verdict)
}

// A direction returns a rule for packets in one direction.
type direction func(side string, port int, verdict string) string

// filter returns a function that begins a fault by adding rules for packets between a side and the backend.
func filter(side, verdict string, directions ...direction) func(*environment) {
	return func(env *environment) { env.addRules(env.rules(side, verdict, directions...)...) }
}

func (env *environment) rules(side, verdict string, directions ...direction) []string {
	var rules []string
	for _, address := range env.backend.addresses(side) {
		for _, rule := range directions {
			rules = append(rules, rule(side, portOf(address), verdict))
		}
	}
	return rules
}

// lose returns a function that begins a fault by dropping packets at random, in percent, in both directions.
func lose(exporter, members int) func(*environment) {
	return func(env *environment) {
		share := func(n int) string { return fmt.Sprintf("numgen random mod 100 < %d drop", n) }
		env.addRules(append(env.rules(exporterSide, share(exporter), toBackend, fromBackend),
			env.rules(memberSide, share(members), toBackend, fromBackend)...)...)
	}
}

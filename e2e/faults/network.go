package main

import (
	"fmt"
	"os/exec"
	"strings"
)

// cut adds rules for packets. They are in a table of the lab's own, in the program's own network namespace.
func (l *lab) cut(rules ...string) {
	var text strings.Builder
	fmt.Fprintf(&text, "table ip %s {\n chain input {\n type filter hook input priority 0;\n", l.table())
	for _, rule := range rules {
		fmt.Fprintln(&text, rule)
	}
	fmt.Fprintln(&text, "}\n}")
	l.nft(text.String())
}

// heal removes all rules.
func (l *lab) heal() { l.nft("delete table ip " + l.table()) }

func (l *lab) table() string { return fmt.Sprintf("lab%d", portOf(l.web)) }

func (l *lab) nft(text string) {
	cmd := exec.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		l.Fatalf("filtering packets: run `make deps`, or `apt-get install nftables`: %v\n%s", err, out)
	}
}

// toBackend is a rule for packets to a port at a side's address.
func toBackend(side string, port int, what string) string {
	return fmt.Sprintf("ip daddr %s tcp dport %d %s", side, port, what)
}

// fromBackend is a rule for packets that come back.
func fromBackend(side string, port int, what string) string {
	return fmt.Sprintf("ip saddr %s tcp sport %d %s", side, port, what)
}

// A direction is which packets a rule is for.
type direction func(side string, port int, what string) string

// filter makes a fault's beginning: rules for packets between a side and the backend.
func filter(side, what string, directions ...direction) func(*lab) {
	return func(l *lab) { l.cut(l.rules(side, what, directions...)...) }
}

func (l *lab) rules(side, what string, directions ...direction) []string {
	var rules []string
	for _, address := range l.backend.addresses(side) {
		for _, rule := range directions {
			rules = append(rules, rule(side, portOf(address), what))
		}
	}
	return rules
}

// lose loses so many packets in a hundred, either way.
func lose(exporter, members int) func(*lab) {
	return func(l *lab) {
		share := func(n int) string { return fmt.Sprintf("numgen random mod 100 < %d drop", n) }
		l.cut(append(l.rules(exporterSide, share(exporter), toBackend, fromBackend),
			l.rules(memberSide, share(members), toBackend, fromBackend)...)...)
	}
}

package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/sources"
)

// maxClockOffset is the difference of clocks from which on it is worth a warning: that of the alert ServiceGroupSourceClockSkew.
const maxClockOffset = 5 * time.Second

// A sourceResult is what was found out about a source.
type sourceResult struct {
	findings       []drivers.Finding
	readable       bool
	listsDatabases bool
	heartbeat      time.Duration // the heartbeat timeout
	watched        bool          // the backend tells changes at once
	pollInterval   time.Duration
	interval       time.Duration // between the heartbeats of a member; zero: not known
	hosts          map[string]bool
}

// source checks one source within the timeout. Inspection and polls run at the same time, so that a backend that does not answer
// costs one timeout.
func (c *Checker) source(ctx context.Context, s *sources.Source) sourceResult {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	driver, err := s.Open(c.opts.Logger)
	if err != nil {
		return sourceResult{findings: []drivers.Finding{drivers.Failure("read", "can't be opened: "+err.Error(), "correct the configuration")}}
	}
	defer driver.Close()
	r := sourceResult{pollInterval: time.Duration(s.Declared.PollInterval)}
	_, r.watched = driver.(drivers.Watcher)
	var inspected, polled []drivers.Finding
	var both sync.WaitGroup
	if inspector, ok := driver.(drivers.Inspector); ok {
		both.Go(func() { inspected = inspector.Inspect(ctx) })
	}
	both.Go(func() { polled = r.poll(ctx, s, driver) })
	both.Wait()
	r.findings = append(polled[:1:1], append(inspected, polled[1:]...)...)
	return r
}

// poll returns what polls show. The first finding says whether the source can be read.
func (r *sourceResult) poll(ctx context.Context, s *sources.Source, driver drivers.Driver) []drivers.Finding {
	began := time.Now()
	poll, err := driver.Members(ctx)
	took := time.Since(began)
	if err != nil {
		reason := drivers.ReasonOf(err)
		return []drivers.Finding{drivers.Failure("read", fmt.Sprintf("can't be read (%s): %v", reason, err), remedies()[reason])}
	}
	r.readable, r.listsDatabases, r.heartbeat = true, poll.ListsDatabases, poll.DownTime
	findings := []drivers.Finding{drivers.OK("read", "can be read, in %s", short(max(took.Round(time.Millisecond), time.Millisecond)))}
	if poll.ListsDatabases {
		return append(findings, drivers.OK("members", "has no members itself: it lists the databases of Nova's cells, which are sources of their own"))
	}
	if f := clock(poll, began, took); f != nil {
		findings = append(findings, *f)
	}
	r.hosts = hostsOf(poll, s)
	findings = append(findings, members(poll, s)...)
	findings = append(findings, problems(poll)...)
	return append(findings, r.heartbeats(ctx, driver, poll))
}

// remedies returns what helps against each reason for which a source can't be read.
func remedies() map[drivers.Reason]string {
	return map[drivers.Reason]string{
		drivers.ReasonTimeout: "check that the server is not frozen or overloaded, and that no firewall drops the packets; --timeout gives it more time",
		drivers.ReasonConnect: "check address and port, that the server runs and accepts connections from here, and that both sides use TLS or neither",
		drivers.ReasonAuth:    "check user and password, and the rights that docs/security.md lists",
		drivers.ReasonSession: "check that the servers have a quorum and accept one more connection from this host",
		drivers.ReasonSchema:  "check the name of the database, the setting schema, and that the service has made its tables",
		drivers.ReasonQuery:   "look into the log of the server for the reason",
	}
}

// clock compares the backend's clock with this machine's. It returns nil if the backend has none of its own.
func clock(poll *drivers.Poll, began time.Time, took time.Duration) *drivers.Finding {
	if poll.Now.IsZero() || poll.RosterIsGiven {
		return nil
	}
	const subject = "clock"
	// The backend read its clock between the request and the answer.
	offset := poll.Now.Sub(began.Round(0).Add(took / 2))
	text := "the backend's clock and this machine's differ by " + difference(offset)
	f := drivers.OK(subject, "%s", text)
	if offset.Abs() > maxClockOffset+took {
		direction := "behind"
		if offset > 0 {
			direction = "ahead"
		}
		f = drivers.Warning(subject, text+": the backend is "+direction+". Its clock decides which members are up, and times are shown wrong here",
			"let both follow the same time servers")
	}
	return &f
}

// difference describes a difference of clocks, no finer than it can be measured.
func difference(d time.Duration) string {
	const unit = 100 * time.Millisecond
	if d.Abs() < unit {
		return "less than " + short(unit)
	}
	return short(d.Abs().Round(unit))
}

// hostsOf returns the hosts of the members.
func hostsOf(poll *drivers.Poll, s *sources.Source) map[string]bool {
	found, naming := map[string]bool{}, s.Naming()
	for i := range poll.Members {
		if host := naming.Host(poll.Members[i].Name); host != "" {
			found[host] = true
		}
	}
	return found
}

// maxGroups is how many groups the line about members names.
const maxGroups = 8

// members returns how many members are up, and what looks wrong about them.
func members(poll *drivers.Poll, s *sources.Source) []drivers.Finding {
	const subject = "members"
	groups, up := map[string][2]int{}, 0
	var future, long []string
	for i := range poll.Members {
		m := &poll.Members[i]
		n := groups[m.Group]
		n[1]++
		if m.Up {
			n[0]++
			up++
		}
		groups[m.Group] = n
		if m.LastHeartbeat.Sub(poll.Now) > maxClockOffset && !poll.Now.IsZero() {
			future = append(future, m.Group+"/"+m.Name)
		}
		if s.LabelLimit > 0 && max(len(m.Group), len(m.Name)) > s.LabelLimit {
			long = append(long, m.Group+"/"+m.Name)
		}
	}
	total := len(poll.Members) + len(poll.Unknown)
	text := fmt.Sprintf("%s, %s: %d up%s", Count(len(groups), "group"), Count(total, "member"), up, describeGroups(groups))
	var findings []drivers.Finding
	switch {
	case total == 0:
		findings = append(findings, drivers.Warning(subject, "there are no members", "check the settings of the source, unless no member has joined yet"))
	case up == 0:
		findings = append(findings, drivers.Warning(subject, text+": no member is up", "check that the members run, "+
			"that they report to this backend, and the heartbeat timeout"))
	default:
		findings = append(findings, drivers.OK(subject, "%s", text))
	}
	warn := func(names []string, which, remedy string) {
		if len(names) > 0 {
			findings = append(findings, drivers.Warning(subject, fmt.Sprintf("%s (%d): %s", which, len(names), some(names)), remedy))
		}
	}
	warn(names(poll.Unknown), "members whose heartbeats can't be read now", "repair the server that another line names")
	warn(future, "members with a heartbeat from the future by the backend's clock",
		"let the members' machines follow the same time servers as the backend")
	warn(rejected(poll), "entries that look like members and can't be used", "docs/limits.md says which names and rows are refused")
	warn(long, "members that are left out because their names are longer than label_value_length_limit",
		"raise it here and in the scrape job")
	for _, group := range s.ExpectedGroups {
		if _, found := groups[group]; !found {
			findings = append(findings, drivers.Warning(subject, fmt.Sprintf("alerting.groups expects the group %q, which has no members here", group),
				"correct the name, or remove the setting"))
		}
	}
	return findings
}

// describeGroups returns how many members of each group are up.
func describeGroups(groups map[string][2]int) string {
	var all []string
	for name, n := range groups {
		all = append(all, fmt.Sprintf("%s %d of %d", name, n[0], n[1]))
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return " (" + some(all) + ")"
}

// some returns the first names of a list, and how many others there are.
func some(all []string) string {
	if len(all) <= maxGroups {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:maxGroups], ", "), len(all)-maxGroups)
}

func names(list []drivers.Member) (all []string) {
	for i := range list {
		all = append(all, list[i].Group+"/"+list[i].Name)
	}
	return all
}

func rejected(poll *drivers.Poll) (all []string) {
	for _, r := range poll.Rejected {
		all = append(all, fmt.Sprintf("%s/%s (%s)", r.Group, r.Name, r.Reason))
	}
	return all
}

// problems returns what is suspicious. It is a failure if the source has no member beside it. The last sentence of a problem says
// what to do.
func problems(poll *drivers.Poll) []drivers.Finding {
	var findings []drivers.Finding
	for _, p := range poll.Problems {
		text, remedy := strings.TrimSuffix(p.Detail, "."), ""
		if end := strings.LastIndex(text, ". "); end >= 0 {
			text, remedy = text[:end], text[end+len(". "):]
		}
		f := drivers.Warning("problem", fmt.Sprintf("%s: %s", p.Kind, text), remedy)
		if len(poll.Members) == 0 {
			f.Status = drivers.StatusFailure
		}
		findings = append(findings, f)
	}
	return findings
}

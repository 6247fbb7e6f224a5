package page

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/drivers"
)

// newsSize is how many alerts and how many events a page without JavaScript has.
const newsSize = 50

// timeFormat is how pages without JavaScript show times.
const timeFormat = "2006-01-02 15:04:05 MST"

func utc(t time.Time) string { return t.UTC().Format(timeFormat) }

// aboutMember returns the page of a member for browsers without JavaScript.
func (p *Pages) aboutMember(q url.Values) view {
	asked := url.Values{"source": {q.Get("source")}, "group": {q.Get("group")}}
	var v view
	for _, r := range matching(p.opts.Snapshots(), asked) {
		if r.Member.Name == q.Get("member") {
			v.Member = &r
			break
		}
	}
	p.addNews(&v, q.Get("source"), q.Get("group"), q.Get("member"))
	return v
}

// addNews adds the alerts and the newest events about a source, a group or a member. An empty name matches all.
func (p *Pages) addNews(v *view, source, group, member string) {
	if p.opts.History != nil {
		v.Events = p.opts.History.About(source, group, member, newsSize)
	}
	if p.opts.Alerts != nil {
		v.Alerts = p.opts.Alerts.Firing(func(id alerts.ID) bool {
			return (source == "" || source == id.Source) && (group == "" || group == id.Group) && (member == "" || member == id.Member)
		}, 0, newsSize).Alerts
	}
}

// A fact is an attribute of a member.
type fact struct{ Name, Value string }

// Facts returns the attributes of the member that are known.
func (r *row) Facts() []fact {
	m := r.Member
	facts := []fact{
		{"Source", r.Source},
		{"Group", m.Group},
		{"Zone", m.Zone},
		{"Binary", m.Binary},
		{"Since", utc(m.InStateSince())},
		{"Age of the last heartbeat", r.Heartbeat()},
		{"Enabled", yesOrNo(m.Enabled)},
		{"Disabled because", m.DisabledReason},
		{"Forced down", yesOrNo(m.ForcedDown)},
		{"Version", m.Version},
		{"UUID", m.UUID},
		{"Deaths and recoveries", strconv.FormatUint(m.Transitions, 10)},
	}
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" })
}

func yesOrNo(f drivers.Flag) string {
	switch f {
	case drivers.FlagYes:
		return "yes"
	case drivers.FlagNo:
		return "no"
	default:
		return ""
	}
}

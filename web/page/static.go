package page

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/web/api"
)

// newsSize is how many alerts and how many events a page without JavaScript has.
const newsSize = 50

// timeFormat is how pages without JavaScript show times.
const timeFormat = "2006-01-02 15:04:05 MST"

func utc(t time.Time) string { return t.UTC().Format(timeFormat) }

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// age returns how long ago a time was.
func age(t time.Time) string { return duration(time.Since(t)) }

// measured returns a duration that was measured, as measured in format.js.
func measured(d time.Duration) string {
	switch {
	case d < 999_500*time.Microsecond:
		return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + "ms"
	case d < 10*time.Second:
		return strings.TrimSuffix(strconv.FormatFloat(d.Seconds(), 'f', 1, 64), ".0") + "s"
	default:
		return duration(d)
	}
}

// duration returns a duration that grows, as duration in format.js.
func duration(d time.Duration) string {
	units := []struct {
		name string
		size int64
	}{{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}}
	whole := max(0, int64(d.Round(time.Second)/time.Second))
	for i, unit := range units {
		if whole < unit.size {
			continue
		}
		text := strconv.FormatInt(whole/unit.size, 10) + unit.name
		if i+1 < len(units) {
			next := units[i+1]
			if left := whole % unit.size / next.size; left > 0 {
				text += " " + strconv.FormatInt(left, 10) + next.name
			}
		}
		return text
	}
	return "0s"
}

// aboutMember returns the page of a member for browsers without JavaScript.
func (p *Pages) aboutMember(q url.Values) view {
	asked := url.Values{"source": {q.Get("source")}, "group": {q.Get("group")}}
	var v view
	for _, r := range matching(p.opts.Snapshots(), asked) {
		if r.Member.Name == q.Get("member") {
			r.ask(p.hostAnswers())
			v.Member = &r
			break
		}
	}
	p.addNews(&v, api.Filter{Source: q.Get("source"), Group: q.Get("group"), Member: q.Get("member")})
	return v
}

// addNews adds the alerts and the newest events that a filter selects.
func (p *Pages) addNews(v *view, about api.Filter) {
	if p.opts.History != nil {
		v.Events = p.opts.History.Newest(about, 0, newsSize)
	}
	if p.opts.Alerts != nil {
		v.Alerts = p.opts.Alerts.Firing(about.MatchesAlert, 0, newsSize).Alerts
	}
}

// hostAnswers returns a function that says whether a host answers by another way than heartbeats; empty: no Prometheus is asked.
func (p *Pages) hostAnswers() func(host string) string {
	if p.opts.Alerts != nil {
		if answers := p.opts.Alerts.HostAnswers(); answers != nil {
			return answers
		}
	}
	return func(string) string { return "" }
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
		{"Cause", r.Cause},
		{"Host answers", r.HostAnswers},
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

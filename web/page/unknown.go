package page

import (
	"fmt"
	"net/http"

	"servicegroup_exporter/collector"
	"servicegroup_exporter/web/api"
)

// NotFound answers that there is no page at an address, with a way back.
func (p *Pages) NotFound(w http.ResponseWriter, r *http.Request) {
	p.unknown(w, r, "There is no such page.")
}

func (p *Pages) unknown(w http.ResponseWriter, r *http.Request, message string) {
	v := view{Message: message}
	for _, s := range p.opts.Snapshots() {
		v.Sources = append(v.Sources, s.Source)
	}
	p.send(w, r, http.StatusNotFound, "notfound.html", v)
}

func (p *Pages) status(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	snapshots := p.opts.Snapshots()
	if missing := p.missing(snapshots, q.Get("source"), q.Get("group"), ""); missing != "" {
		p.unknown(w, r, missing)
		return
	}
	v := view{List: newListing(snapshots, q, p.hostAnswers())}
	p.addNews(&v, api.Filter{Source: q.Get("source"), Group: q.Get("group")})
	p.send(w, r, http.StatusOK, "status.html", v)
}

func (p *Pages) member(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	missing := "The address names no member: it needs the parameters group and member."
	if q.Get("group") != "" && q.Get("member") != "" {
		missing = p.missing(p.opts.Snapshots(), q.Get("source"), q.Get("group"), q.Get("member"))
	}
	if missing != "" {
		p.unknown(w, r, missing)
		return
	}
	p.send(w, r, http.StatusOK, "member.html", p.aboutMember(q))
}

// missing returns which of these names does not exist, in a sentence; empty: all exist, or may exist in a source that can't be
// read now. An empty name is not looked for.
func (p *Pages) missing(snapshots []collector.Snapshot, source, group, member string) string {
	found, hasGroup, hasMember := false, group == "", member == ""
	for i := range snapshots {
		s := &snapshots[i]
		if source != "" && source != s.Source {
			continue
		}
		if found = true; !s.Readable {
			return ""
		}
		for j := range s.Groups {
			hasGroup = hasGroup || s.Groups[j].Name == group
		}
		for j := range s.Members {
			m := &s.Members[j]
			hasMember = hasMember || m.Group == group && m.Name == member
		}
	}
	switch {
	case source != "" && p.opts.Pending(source):
		return ""
	case source != "" && !found:
		return fmt.Sprintf("There is no source %s.", source)
	case !hasGroup:
		return fmt.Sprintf("There is no group %s%s.", group, of(source))
	case !hasMember:
		return fmt.Sprintf("Group %s%s has no member %s.", group, of(source), member)
	default:
		return ""
	}
}

// of returns the end of a sentence about something in a source.
func of(source string) string {
	if source == "" {
		return ""
	}
	return " of source " + source
}

package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"time"
)

//go:embed testdata
var testdata embed.FS

// A trace is what a table of heartbeats had over time, and what was done to its services. Times are since the beginning of the trace.
type trace struct {
	members  []member
	reports  []report // by the time at which they were first seen
	failures []span   // in which the table could not be read
	events   []event
	end      time.Duration
}

// A member is one row of the table.
type member struct {
	host, binary string
	interval     time.Duration // between two heartbeats, as configured
}

// A report is a heartbeat of one member.
type report struct {
	at     time.Duration // when it could first be read
	member int
	row
}

// A row is what the table has of one member.
type row struct {
	count uint64
	beat  time.Duration // the last heartbeat, in whole seconds; never: there was none
}

// never is the heartbeat of a member that sent none.
const never = time.Duration(math.MinInt64)

// A span is a time from one instant up to another.
type span struct{ from, to time.Duration }

func (s span) contains(at time.Duration) bool { return s.from <= at && at < s.to }

// An event is what was done to a process.
type event struct {
	at           time.Duration
	what, target string
}

// readTimeout is how long the recorder waited for the database.
const readTimeout = 2 * time.Second

// recorded returns the trace of the real Nova: see testdata/README.md.
func recorded() (*trace, error) {
	packed, err := testdata.Open("testdata/nova.csv.gz")
	if err != nil {
		return nil, err
	}
	defer packed.Close() //nolint:errcheck // Reading an embedded file leaves nothing to write.
	rows, err := gzip.NewReader(bufio.NewReader(packed))
	if err != nil {
		return nil, err
	}
	events, err := testdata.Open("testdata/nova.events.csv")
	if err != nil {
		return nil, err
	}
	defer events.Close() //nolint:errcheck // As above.
	return parseTrace(rows, events)
}

// parseTrace reads a trace in the form of testdata/README.md.
func parseTrace(rows, events io.Reader) (*trace, error) {
	p := &parser{trace: &trace{}, index: make(map[string]int)}
	if err := eachLine(rows, p.row); err != nil {
		return nil, fmt.Errorf("reading the rows: %w", err)
	}
	if err := eachLine(events, p.event); err != nil {
		return nil, fmt.Errorf("reading the events: %w", err)
	}
	p.learnIntervals()
	return p.trace, nil
}

func eachLine(in io.Reader, parse func(fields []string) error) error {
	r := csv.NewReader(in)
	r.FieldsPerRecord = -1
	if _, err := r.Read(); err != nil { // the header
		return err
	}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = parse(fields)
		}
		if err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

type parser struct {
	*trace
	index map[string]int // of members by host and binary
	begin float64        // of the trace, in whole seconds since 1970

	failed bool // the last read
}

// since returns the time since the beginning of the trace.
func (p *parser) since(field string) (time.Duration, error) {
	seconds, err := strconv.ParseFloat(field, 64)
	if p.begin == 0 {
		p.begin = math.Floor(seconds)
	}
	return time.Duration(math.Round((seconds-p.begin)*1e6)) * time.Microsecond, err
}

func (p *parser) row(fields []string) error {
	at, err := p.since(fields[0])
	if err != nil {
		return err
	}
	lastRead := p.end
	p.end = at
	if len(fields) == 2 {
		p.failures = append(p.failures, span{max(lastRead, at-readTimeout), at})
		p.failed = true
		return nil
	}
	if p.failed { // The read that ended now was under way.
		p.failures = append(p.failures, span{max(lastRead, at-readTimeout), at})
		p.failed = false
	}
	if len(fields) != 5 {
		return fmt.Errorf("there are %d fields", len(fields))
	}
	key := path.Join(fields[1], fields[2])
	i, known := p.index[key]
	if !known {
		i = len(p.members)
		p.index[key] = i
		p.members = append(p.members, member{host: fields[1], binary: fields[2]})
	}
	r := report{at: at, member: i, row: row{beat: never}}
	if r.count, err = strconv.ParseUint(fields[3], 10, 64); err != nil {
		return err
	}
	if fields[4] != "" {
		if r.beat, err = p.since(fields[4]); err != nil {
			return err
		}
	}
	p.reports = append(p.reports, r)
	return nil
}

func (p *parser) event(fields []string) error {
	at, err := p.since(fields[0])
	if err != nil {
		return err
	}
	if len(fields) != 3 {
		return fmt.Errorf("there are %d fields", len(fields))
	}
	p.events = append(p.events, event{at: at, what: fields[1], target: fields[2]})
	return nil
}

// learnIntervals finds out how often each member reports: the median of its gaps, which are whole seconds.
func (p *parser) learnIntervals() {
	gaps := make([][]time.Duration, len(p.members))
	last := make([]row, len(p.members))
	for _, r := range p.reports {
		if before := last[r.member]; before.count > 0 && r.beat != never {
			gaps[r.member] = append(gaps[r.member], r.beat-before.beat)
		}
		last[r.member] = r.row
	}
	for i := range p.members {
		p.members[i].interval = median(gaps[i])
	}
}

// median returns the middle one of some durations, zero if there are none.
func median(all []time.Duration) time.Duration { return quantile(all, 0.5) }

// quantile returns the least duration that a share of all does not exceed, zero if there are none.
func quantile(all []time.Duration, share float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[max(int(math.Ceil(share*float64(len(sorted))))-1, 0)]
}

// A kill is the death of a member. Nothing that it would have reported later is in the table.
type kill struct {
	member int
	at     time.Duration
	until  time.Duration // when it reported again, after a new start; the end of the trace: never
}

// minDeath is how long a killed process must be away to count as dead and not as restarted.
const minDeath = 30 * time.Second

// deaths returns the members that were killed and not started again at once.
func (tr *trace) deaths() []kill {
	var all []kill
	for i, e := range tr.events {
		m := slices.IndexFunc(tr.members, func(m member) bool { return m.host == e.target && m.binary == "nova-compute" })
		if e.what != "KILL" || m < 0 {
			continue
		}
		started := tr.end
		for _, later := range tr.events[i:] {
			if later.what == "start" && later.target == e.target {
				started = later.at
				break
			}
		}
		if started-e.at < minDeath {
			continue
		}
		k := kill{member: m, at: e.at, until: tr.end}
		for _, r := range tr.reports {
			if r.member == m && r.at > started {
				k.until = r.at
				break
			}
		}
		all = append(all, k)
	}
	return all
}

// segment returns the name of the part of the recording that an instant is in.
func (tr *trace) segment(at time.Duration) string {
	name := ""
	for _, e := range tr.events {
		if e.what == "segment" && e.at <= at {
			name = e.target
		}
	}
	return name
}

// segments returns the parts of the recording, in their order.
func (tr *trace) segments() []string {
	var all []string
	for _, e := range tr.events {
		if e.what == "segment" {
			all = append(all, e.target)
		}
	}
	return all
}

// during returns the time of a part of the recording.
func (tr *trace) during(segment string) span {
	s := span{to: tr.end}
	for _, e := range tr.events {
		switch {
		case e.what == "segment" && e.target == segment:
			s.from = e.at
		case e.what == "segment" && s.from > 0 && e.at > s.from && s.to == tr.end:
			s.to = e.at
		}
	}
	return s
}

// of returns the members of one program that report at an interval.
func (tr *trace) of(binary string, interval time.Duration) []int {
	var all []int
	for i, m := range tr.members {
		if m.binary == binary && m.interval == interval {
			all = append(all, i)
		}
	}
	return all
}

// sortReports orders the reports by their time.
func (tr *trace) sortReports() {
	slices.SortStableFunc(tr.reports, func(a, b report) int { return cmp.Compare(a.at, b.at) })
}

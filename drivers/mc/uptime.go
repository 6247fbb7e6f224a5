package mc

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxStats bounds the answer to "stats". Servers of today give some 80 lines.
const maxStats = 64 << 10

// Stats are what a server tells of itself, as far as it matters here.
type stats struct {
	version string
	// age is for how long the server has been running, at least; ages if it does not say.
	age time.Duration
	// flushes is how often it was told to forget everything.
	flushes uint64
}

const ages = 100 * 365 * 24 * time.Hour

// startUptime is what a server gives as its uptime when it has just started, in its seconds.
const startUptime = 2

// stats asks the server about itself. The client has no call for it: its connection is used while it is idle.
func (l *link) stats() (stats, error) {
	if _, err := io.WriteString(l.conn, "stats\r\n"); err != nil {
		return stats{}, err
	}
	return readStats(io.LimitReader(l.conn, maxStats))
}

// readStats parses the answer up to its END. A proxy that answers for servers may not know the question: nothing is known
// then.
func readStats(r io.Reader) (s stats, err error) {
	s.age = ages
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if line == "END" || line == "ERROR" {
			return s, nil
		}
		rest, ok := strings.CutPrefix(line, "STAT ")
		if !ok {
			return s, fmt.Errorf("unexpected line in the answer to stats: %q", line)
		}
		name, value, _ := strings.Cut(rest, " ")
		switch name {
		case "version":
			s.version = value
		case "uptime":
			var seconds uint64
			seconds, err = strconv.ParseUint(value, 10, 32)
			s.age = time.Duration(max(seconds, startUptime)-startUptime) * time.Second
		case "cmd_flush":
			s.flushes, err = strconv.ParseUint(value, 10, 64)
		}
		if err != nil {
			return s, fmt.Errorf("in the answer to stats: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return s, err
	}
	return s, io.ErrUnexpectedEOF
}

// A memory is since when a server remembers what it was told.
type memory struct {
	known   bool
	flushes uint64
	since   time.Time // by this machine's clock
}

// update takes in what a server said of itself at a time. A server that was flushed since the last time it said anything
// may have been so just now; what happened before the first time is long ago.
func (m *memory) update(s stats, now time.Time) {
	started := now.Add(-s.age)
	if m.known && s.flushes > m.flushes {
		started = now
	}
	if !m.known || started.After(m.since) {
		m.since = started
	}
	m.known, m.flushes = true, s.flushes
}

package mc

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxStats bounds the answer to "stats", in bytes. Today's servers send about 80 lines.
const maxStats = 64 << 10

// stats is the part of a server's statistics that the driver needs.
type stats struct {
	version string
	// age is the shortest time for which the server can have been running; unknownAge if it does not say.
	age time.Duration
	// flushes is how often the server was told to drop all items.
	flushes uint64
}

const unknownAge = 100 * 365 * 24 * time.Hour

// startUptime is the uptime that a server reports when it has just started, in seconds.
const startUptime = 2

// stats asks the server for its statistics. The memcache library has no call for it, so its connection is used directly
// while it is idle.
func (c *client) stats() (stats, error) {
	if _, err := io.WriteString(c.conn, "stats\r\n"); err != nil {
		return stats{}, err
	}
	return readStats(io.LimitReader(c.conn, maxStats))
}

// readStats parses the answer up to its END. A proxy in front of servers may answer ERROR: then the age is unknownAge.
func readStats(r io.Reader) (s stats, err error) {
	s.age = unknownAge
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

// An uptime is the time since which a server has kept its data.
type uptime struct {
	known   bool
	flushes uint64
	since   time.Time // by this machine's clock
}

// update takes in the statistics that a server had at a time. A flush since the statistics before may have been just
// now. Flushes before the first statistics are taken for old.
func (u *uptime) update(s stats, now time.Time) {
	since := now.Add(-s.age)
	if u.known && s.flushes > u.flushes {
		since = now
	}
	if !u.known || since.After(u.since) {
		u.since = since
	}
	u.known, u.flushes = true, s.flushes
}

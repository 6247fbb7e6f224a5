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
	pid     uint64 // of its process, 0 if it does not say
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
		case "pid":
			s.pid, err = strconv.ParseUint(value, 10, 64)
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

// startSlack is how inexact the start of a server is, which is computed from whole seconds.
const startSlack = 3 * time.Second

// An uptime is the time since which the server at an address has kept the data of the members.
type uptime struct {
	last  stats     // at read
	read  time.Time // zero before the first statistics
	start time.Time // of the process that was read last
	since time.Time
}

// update takes in the statistics that a server had at a time of this machine's clock. After a flush since the statistics before,
// or if another server is at the address that was running before, the members may be without data since just now. Flushes
// before the first statistics are taken for old.
func (u *uptime) update(s stats, now time.Time) {
	start := now.Add(-s.age)
	first := u.read.IsZero()
	another := s.pid != u.last.pid || s.age != unknownAge && start.Sub(u.start).Abs() > startSlack
	switch {
	case first || another && start.After(u.read):
		u.since = start
	case another || s.flushes > u.last.flushes:
		u.since = now
	}
	u.last, u.read, u.start = s, now, start
}

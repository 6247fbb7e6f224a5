package mc

import (
	"bytes"
	"fmt"
	"strconv"
)

// maxItem is the size of the largest item that is accepted in an answer, in bytes: memcached's own default limit. A
// heartbeat has fewer than 300.
const maxItem = 1 << 20

// maxLine is the length of the longest line between items that is accepted, in bytes.
const maxLine = 1 << 10

// A guard checks the bytes of an answer before the memcache client reads them, because the client allocates as much as
// a VALUE line announces: a faulty server could exhaust this machine's memory. The zero guard is at the start of an answer.
type guard struct {
	line []byte // the part of a line that was read
	skip int    // bytes of an item that are still to come
}

// check checks the next bytes of an answer.
func (g *guard) check(p []byte) error {
	for len(p) > 0 {
		if g.skip > 0 {
			n := min(g.skip, len(p))
			g.skip, p = g.skip-n, p[n:]
			continue
		}
		part, rest, whole := bytes.Cut(p, []byte("\n"))
		if len(g.line)+len(part) > maxLine {
			return fmt.Errorf("the server's answer has a line of more than %d bytes", maxLine)
		}
		g.line = append(g.line, part...)
		p = rest
		if !whole {
			return nil
		}
		if err := g.checkLine(); err != nil {
			return err
		}
		g.line = g.line[:0]
	}
	return nil
}

// checkLine checks whether a line announces an item: VALUE KEY FLAGS BYTES, and perhaps more. Like the client it splits at
// single spaces only: any other character belongs to the key.
func (g *guard) checkLine() error {
	fields := bytes.Split(bytes.TrimSuffix(g.line, []byte("\r")), []byte(" "))
	if len(fields) < 4 || string(fields[0]) != "VALUE" {
		return nil
	}
	size, err := strconv.ParseUint(string(fields[3]), 10, 64)
	if err != nil {
		return nil // The client does not take the line for an item either.
	}
	if size > maxItem {
		return fmt.Errorf("the server's answer has an item of %d bytes: that is not a heartbeat", size)
	}
	g.skip = int(size) + len("\r\n")
	return nil
}

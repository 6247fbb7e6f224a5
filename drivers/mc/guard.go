package mc

import (
	"bytes"
	"fmt"
	"strconv"
)

// maxItem bounds the items of an answer: memcached's own limit, unless it was told otherwise. A heartbeat has no 300 bytes.
const maxItem = 1 << 20

// maxLine bounds the lines between items.
const maxLine = 1 << 10

// A guard reads along with a client, which makes room for every item that it is promised: whoever answers, and whatever
// that is, must not take all memory. The zero guard is at the beginning of an answer.
type guard struct {
	line []byte // the part of a line that has been read
	skip int    // bytes of an item that are still to come
}

// pass looks at the next bytes of an answer.
func (g *guard) pass(p []byte) error {
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
		if err := g.item(); err != nil {
			return err
		}
		g.line = g.line[:0]
	}
	return nil
}

// item looks whether a line announces an item: VALUE KEY FLAGS BYTES, and perhaps more. As for the client, it is single
// blanks that are between them: any other sign belongs to the key.
func (g *guard) item() error {
	fields := bytes.Split(bytes.TrimSuffix(g.line, []byte("\r")), []byte(" "))
	if len(fields) < 4 || string(fields[0]) != "VALUE" {
		return nil
	}
	size, err := strconv.ParseUint(string(fields[3]), 10, 64)
	if err != nil {
		return nil // The client does not take it for an item either.
	}
	if size > maxItem {
		return fmt.Errorf("the server has an item of %d bytes, which is no heartbeat", size)
	}
	g.skip = int(size) + len("\r\n")
	return nil
}

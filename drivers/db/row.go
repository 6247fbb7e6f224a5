package db

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"servicegroup_exporter/drivers"
)

// A row is one row of a poll's query. The same row is scanned again and again, without allocating texts that did not change.
type row struct {
	clock    number // microseconds since 1970
	key      number // NULL if the table is empty
	group    text
	name     text
	binary   text
	zone     text
	beat     number // microseconds since 1970
	interval number // seconds
	count    number
	state    text
	busy     number
	admin    number // disabled, or enabled
	forced   number
	online   number
	reason   text
	version  text
	uuid     text

	dest []any
}

// columns returns the fields in the order of the query.
func (r *row) columns() []any {
	if r.dest == nil {
		r.dest = []any{
			&r.clock, &r.key,
			&r.group, &r.name, &r.binary, &r.zone,
			&r.beat, &r.interval, &r.count, &r.state, &r.busy,
			&r.admin, &r.forced, &r.online,
			&r.reason, &r.version, &r.uuid,
		}
	}
	return r.dest
}

// hasInvalid reports whether a column that the verdict needs is NULL or has a value of the wrong type.
func (r *row) hasInvalid() bool {
	return !r.beat.ok || r.beat.invalid || r.interval.invalid || r.busy.invalid || r.admin.invalid || r.forced.invalid || r.online.invalid
}

// A text is a column of text. It keeps its string if the new value is the same.
type text struct {
	s       string // empty for NULL, and always UTF-8
	invalid bool   // the value was not UTF-8
}

// Scan never returns an error, so that an invalid value affects only its own row. A value that is too long for a label is cut
// to a length that is still too long.
func (t *text) Scan(src any) error {
	const limit = drivers.MaxText + 1
	switch v := src.(type) {
	case []byte:
		v = v[:min(len(v), limit)]
		if string(v) != t.s {
			t.s = string(v)
		}
	case string:
		if v = v[:min(len(v), limit)]; v != t.s {
			t.s = strings.Clone(v) // so that the rest can be freed
		}
	case int64:
		var digits [20]byte
		return t.Scan(strconv.AppendInt(digits[:0], v, 10))
	case float64:
		return t.Scan(strconv.FormatFloat(v, 'g', -1, 64))
	default:
		t.s = ""
	}
	if t.invalid = !utf8.ValidString(t.s); t.invalid {
		t.s = strings.ToValidUTF8(t.s, string(utf8.RuneError))
	}
	return nil
}

// A number is a column of whole numbers.
type number struct {
	n       int64
	ok      bool // not NULL
	invalid bool // not a number
}

// Scan never returns an error, like [text.Scan].
func (n *number) Scan(src any) error {
	*n = number{ok: src != nil}
	var err error
	switch v := src.(type) {
	case nil:
	case int64:
		n.n = v
	case bool:
		if v {
			n.n = 1
		}
	case []byte:
		if len(v) == 1 && v[0] <= 1 { // MySQL's BIT(1)
			n.n = int64(v[0])
			return nil
		}
		n.n, err = strconv.ParseInt(string(v), 10, 64)
	case string:
		n.n, err = strconv.ParseInt(v, 10, 64)
	default:
		n.invalid = true
	}
	n.invalid = n.invalid || err != nil
	return nil
}

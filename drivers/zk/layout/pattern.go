package layout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The levels of a pattern that are not names.
const (
	levelAny    = "*"
	levelGroup  = "{group}"
	levelMember = "{member}"
)

// A pattern is a path of members: the levels above {member}, and the names below it.
type pattern struct {
	above []string
	tail  string // the path below {member}, empty if there is none
}

// hasGroup reports whether the path has the group's name.
func (p *pattern) hasGroup() bool { return slices.Contains(p.above, levelGroup) }

// parsePattern parses a path, for example /tables/{group}/replicas/{member}/is_active.
func parsePattern(text string) (pattern, error) {
	if !strings.HasPrefix(text, "/") || strings.HasSuffix(text, "/") {
		return pattern{}, errors.New("must begin with a slash and must not end with one, for example /discovery/{group}/{member}")
	}
	levels := strings.Split(text[1:], "/")
	at := slices.Index(levels, levelMember)
	if at < 0 {
		return pattern{}, errors.New("no level is {member}")
	}
	for i, level := range levels {
		switch {
		case i == at || i < at && (level == levelAny || level == levelGroup):
		case i > at && (level == levelAny || level == levelGroup || level == levelMember):
			return pattern{}, fmt.Errorf("%s is below {member}, where only names are allowed", level)
		case strings.ContainsAny(level, "{}*"):
			return pattern{}, fmt.Errorf("the level %q is not {group}, {member}, * or a name without the characters {, } and *", level)
		default:
			if err := CheckName(level); err != nil {
				return pattern{}, fmt.Errorf("a level %w", err)
			}
		}
	}
	p := pattern{above: levels[:at]}
	if at+1 < len(levels) {
		p.tail = "/" + strings.Join(levels[at+1:], "/")
	}
	return p, nil
}

// CheckName returns an error if a znode can't have the name. It refuses the same characters as ZooKeeper's PathUtils. That
// class counts in UTF-16, so it refuses everything beyond the basic plane as a surrogate.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("is empty")
	case name == "." || name == "..":
		return fmt.Errorf("is %q, which ZooKeeper reserves", name)
	case !utf8.ValidString(name):
		return errors.New("is not valid UTF-8")
	case strings.Contains(name, "/"):
		return errors.New("contains a slash")
	}
	for _, r := range name {
		switch {
		case r <= 0x1f, r >= 0x7f && r <= 0x9f:
			return fmt.Errorf("contains the control character %U", r)
		case r >= 0xd800 && r <= 0xf8ff, r >= 0xfff0:
			return fmt.Errorf("contains %U, which ZooKeeper can't store", r)
		}
	}
	return nil
}

package drivers

import (
	"fmt"
	"strings"
)

// A Problem is something about a source that can be read, and that is probably not as the operator meant it.
type Problem struct {
	Kind ProblemKind
	// Group is the group that the problem is about, empty for the whole source.
	Group string
	// Detail is a full sentence: what was looked for, what was found, and what to do. It stays the same from poll to poll as long
	// as the problem does.
	Detail string
}

// A ProblemKind is the kind of a problem: a closed set, used as the metric label "problem".
type ProblemKind string

// The kinds of problems.
const (
	ProblemAbsent     ProblemKind = "absent"     // a configured chroot, prefix, file, schema, table or group does not exist
	ProblemUnmatched  ProblemKind = "unmatched"  // entries exist, but none fits the configured layout, prefix or groups
	ProblemUnreadable ProblemKind = "unreadable" // one group can't be read, the others can
	ProblemForeign    ProblemKind = "foreign"    // the rows belong to another service
)

// ProblemKinds returns all kinds.
func ProblemKinds() []ProblemKind {
	return []ProblemKind{ProblemAbsent, ProblemUnmatched, ProblemUnreadable, ProblemForeign}
}

// someNames is how many names the detail of a problem lists.
const someNames = 5

// Some returns the first few names of a list as text, for the detail of a problem.
func Some(names []string) string {
	shown := strings.Join(names[:min(len(names), someNames)], ", ")
	if more := len(names) - someNames; more > 0 {
		return fmt.Sprintf("%s and %d more", shown, more)
	}
	return shown
}

package drivers

import (
	"regexp"
	"sync"
)

// A LastingError is something that may last, such as a file that can't be written. It is to be logged once when it begins, again
// when its error is another one, and once when it ends. The zero value has not begun.
// Its methods may be called concurrently.
type LastingError struct {
	mu   sync.Mutex
	said map[string]bool // the errors that were logged since it began
}

// maxSaid bounds how many errors are logged. Errors may alternate, or have a number that counts on.
const maxSaid = 10

// numbers are parts of an error that do not make it another one: ports, durations, process ids.
//
//nolint:gochecknoglobals // A constant in all but name.
var numbers = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)

// Update takes in the outcome of the latest attempt. It reports whether the error is to be logged, and whether the end of the
// lasting error is.
func (e *LastingError) Update(err error) (logError, logEnd bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err == nil {
		logEnd = len(e.said) > 0
		e.said = nil
		return false, logEnd
	}
	text := numbers.ReplaceAllString(err.Error(), "0")
	if e.said[text] || len(e.said) >= maxSaid {
		return false, false
	}
	if e.said == nil {
		e.said = make(map[string]bool)
	}
	e.said[text] = true
	return true, false
}

// Lasts reports whether the latest attempt failed.
func (e *LastingError) Lasts() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.said) > 0
}

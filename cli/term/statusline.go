package term

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// plainInterval is the time between two lines of the status where it is not written to a terminal.
	plainInterval = 10 * time.Second
	// clearLine moves the cursor to the start of the line and deletes the line.
	clearLine = "\r\x1b[K"
)

// A StatusLine shows what a command does while it waits: on a terminal in one line that is rewritten, and elsewhere as a line each
// ten seconds. Its methods may be called concurrently.
type StatusLine struct {
	screen *Screen

	mu     sync.Mutex
	shown  bool      // a line is on the terminal that the next output replaces
	latest time.Time // of the last line elsewhere
}

// NewStatusLine returns a status line that is written to out.
func NewStatusLine(out io.Writer) *StatusLine {
	return &StatusLine{screen: New(out, "never"), latest: time.Now()}
}

// Step prints a line that stays, such as the name of what begins.
func (p *StatusLine) Step(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.latest = time.Now()
	fmt.Fprintln(p.screen, Printable(text))
}

// Status shows how far the command is. It is to be called each second.
func (p *StatusLine) Status(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.screen.IsTerminal() {
		p.clear()
		// A line of full width would make some terminals begin another line.
		fmt.Fprint(p.screen, p.screen.shorten(Printable(text), p.screen.Width()-1))
		p.shown = true
		return
	}
	if now := time.Now(); now.Sub(p.latest) >= plainInterval {
		p.latest = now
		fmt.Fprintln(p.screen, Printable(text))
	}
}

// Done removes the status from a terminal.
func (p *StatusLine) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// Write writes other output in place of the status, so that the two don't share a line.
func (p *StatusLine) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	return p.screen.Write(data)
}

func (p *StatusLine) clear() {
	if p.shown {
		fmt.Fprint(p.screen, clearLine)
		p.shown = false
	}
}

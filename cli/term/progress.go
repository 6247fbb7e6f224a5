package term

import (
	"fmt"
	"io"
	"math"
	"sync"
	"time"
)

// A Progress tells what a command is waiting for: on a terminal each second in one line that is replaced, elsewhere each ten seconds
// in a line of its own.
type Progress struct {
	stop chan struct{}
	done sync.WaitGroup
}

const (
	terminalInterval = time.Second
	plainInterval    = 10 * time.Second
)

// StartProgress prints what text returns until Stop is called. An empty text prints nothing.
func StartProgress(out io.Writer, text func() string) *Progress {
	s, interval := New(out, "never"), plainInterval
	if s.IsTerminal() {
		interval = terminalInterval
	}
	return startProgress(s, interval, text)
}

func startProgress(s *Screen, interval time.Duration, text func() string) *Progress {
	p := &Progress{stop: make(chan struct{})}
	p.done.Go(func() { p.run(s, interval, text) })
	return p
}

// Stop ends the progress and removes its line from the terminal. It must be called once.
func (p *Progress) Stop() {
	close(p.stop)
	p.done.Wait()
}

func (p *Progress) run(s *Screen, interval time.Duration, text func() string) {
	if s.IsTerminal() {
		defer fmt.Fprint(s, clearLine)
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
		}
		switch line := text(); {
		case line == "":
		case s.IsTerminal():
			if width := s.Width(); width < math.MaxInt {
				line = s.shorten(line, width-1)
			}
			fmt.Fprint(s, clearLine+line)
		default:
			fmt.Fprintln(s, line)
		}
	}
}

// clearLine moves the cursor to the start of the line and deletes the line.
const clearLine = "\r\x1b[K"

package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
)

// lines lets several write to one place, with the time and a name before every text.
type lines struct {
	mu  sync.Mutex
	out io.Writer
}

func (l *lines) named(name string) io.Writer { return &namedLines{l, name} }

type namedLines struct {
	*lines
	name string
}

// Write implements io.Writer.
func (l *namedLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := fmt.Fprintf(l.out, "%s %s: %s\n", time.Now().Format("15:04:05"), l.name, bytes.TrimRight(p, "\n")); err != nil {
		return 0, err
	}
	return len(p), nil
}

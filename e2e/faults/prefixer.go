package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
)

// A prefixer lets several writers share one writer. It writes the time and the name of the writer before each text.
type prefixer struct {
	mu  sync.Mutex
	out io.Writer
}

func (p *prefixer) named(name string) io.Writer { return &namedWriter{p, name} }

type namedWriter struct {
	*prefixer
	name string
}

// Write implements io.Writer.
func (w *namedWriter) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := fmt.Fprintf(w.out, "%s %s: %s\n", time.Now().Format("15:04:05"), w.name, bytes.TrimRight(text, "\n")); err != nil {
		return 0, err
	}
	return len(text), nil
}

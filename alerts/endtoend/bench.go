package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"
)

// patience bounds what is waited for, on a busy machine with few cores.
const patience = 3 * time.Minute

// A bench is what testserver needs of a test, in a program.
type bench struct {
	out io.Writer

	mu       sync.Mutex
	cleanups []func()
	failed   bool
}

// run runs f and everything that was to be cleaned up, and returns the exit code.
func (b *bench) run(f func()) int {
	done := make(chan struct{})
	go func() { // Fatalf ends the goroutine.
		defer close(done)
		defer b.clean()
		f()
	}()
	<-done
	if b.Failed() {
		return 1
	}
	return 0
}

// section runs f, and then what f wants to be cleaned up.
func (b *bench) section(f func()) {
	b.mu.Lock()
	outer := b.cleanups
	b.cleanups = nil
	b.mu.Unlock()
	defer func() {
		b.clean()
		b.mu.Lock()
		defer b.mu.Unlock()
		b.cleanups = outer
	}()
	f()
}

func (b *bench) clean() {
	b.mu.Lock()
	cleanups := b.cleanups
	b.cleanups = nil
	b.mu.Unlock()
	for _, f := range slices.Backward(cleanups) {
		f()
	}
}

// Helper implements testserver.TB.
func (b *bench) Helper() {}

// Cleanup implements testserver.TB.
func (b *bench) Cleanup(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cleanups = append(b.cleanups, f)
}

// Failed implements testserver.TB.
func (b *bench) Failed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

// Fatalf implements testserver.TB.
func (b *bench) Fatalf(format string, args ...any) {
	b.Logf(format, args...)
	b.mu.Lock()
	b.failed = true
	b.mu.Unlock()
	runtime.Goexit()
}

// Logf implements testserver.TB.
func (b *bench) Logf(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }

package testserver

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
)

// A Bench implements [TB] in a program that is not a test.
type Bench struct {
	// Out receives the log.
	Out io.Writer

	mu       sync.Mutex
	cleanups []func()
	failed   bool
}

// Run runs f and all cleanups, and returns the exit code.
func (b *Bench) Run(f func()) int {
	done := make(chan struct{})
	go func() { // in a goroutine, because Fatalf ends it
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

// Section runs f, and then the cleanups that f registered.
func (b *Bench) Section(f func()) {
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

func (b *Bench) clean() {
	b.mu.Lock()
	cleanups := b.cleanups
	b.cleanups = nil
	b.mu.Unlock()
	for _, f := range slices.Backward(cleanups) {
		f()
	}
}

// Helper implements TB.
func (b *Bench) Helper() {}

// Cleanup implements TB.
func (b *Bench) Cleanup(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cleanups = append(b.cleanups, f)
}

// Failed implements TB.
func (b *Bench) Failed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

// Fatalf implements TB.
func (b *Bench) Fatalf(format string, args ...any) {
	b.Logf(format, args...)
	b.mu.Lock()
	b.failed = true
	b.mu.Unlock()
	runtime.Goexit()
}

// Logf implements TB.
func (b *Bench) Logf(format string, args ...any) { fmt.Fprintf(b.Out, format+"\n", args...) }

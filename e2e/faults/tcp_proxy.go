package main

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A relay passes TCP connections on, and can be slow. The kernels that this has to run on can't all delay packets.
type relay struct {
	listener net.Listener
	target   string
	delay    atomic.Int64 // each way, in nanoseconds
	running  sync.WaitGroup

	mu    sync.Mutex
	ended bool
	conns map[net.Conn]bool
}

func newRelay(l *lab, target string) *relay {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.Fatalf("listening: %v", err)
	}
	r := &relay{listener: listener, target: target, conns: make(map[net.Conn]bool)}
	r.running.Go(r.accept)
	l.Cleanup(r.close)
	return r
}

func (r *relay) address() string { return r.listener.Addr().String() }

// slow sets how much later everything arrives, each way.
func (r *relay) slow(d time.Duration) { r.delay.Store(int64(d)) }

func (r *relay) accept() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.running.Go(func() { r.serve(client) })
	}
}

func (r *relay) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", r.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !r.keep(client, server) {
		return
	}
	defer r.forget(client, server)
	var both sync.WaitGroup
	both.Go(func() { r.pass(server, client) })
	both.Go(func() { r.pass(client, server) })
	both.Wait()
}

// A piece is something on its way.
type piece struct {
	data []byte
	due  time.Time
}

// pass passes on what one says to the other, until either has closed.
func (r *relay) pass(to, from net.Conn) {
	pieces := make(chan piece, 1000)
	var writing sync.WaitGroup
	writing.Go(func() {
		defer to.Close()
		for p := range pieces {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.data); err != nil {
				from.Close()
			}
		}
	})
	for {
		buffer := make([]byte, 16<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			pieces <- piece{buffer[:n], time.Now().Add(time.Duration(r.delay.Load()))}
		}
		if err != nil {
			break
		}
	}
	close(pieces)
	writing.Wait()
}

func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.conns[c] = true
	}
	return !r.ended
}

func (r *relay) forget(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		delete(r.conns, c)
	}
}

func (r *relay) close() {
	r.listener.Close()
	r.mu.Lock()
	r.ended = true
	for c := range r.conns {
		c.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
}

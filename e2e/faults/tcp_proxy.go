package main

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A tcpProxy forwards TCP connections, and can delay their data. It is used because not every kernel can delay packets.
type tcpProxy struct {
	listener net.Listener
	target   string
	delay    atomic.Int64 // in each direction, in nanoseconds
	running  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]bool
}

func newTCPProxy(env *environment, target string) *tcpProxy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		env.Fatalf("listening: %v", err)
	}
	p := &tcpProxy{listener: listener, target: target, conns: make(map[net.Conn]bool)}
	p.running.Go(p.accept)
	env.Cleanup(p.close)
	return p
}

func (p *tcpProxy) address() string { return p.listener.Addr().String() }

// setDelay sets by how much data is delayed in each direction.
func (p *tcpProxy) setDelay(d time.Duration) { p.delay.Store(int64(d)) }

func (p *tcpProxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *tcpProxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.add(client, server) {
		return
	}
	defer p.remove(client, server)
	var both sync.WaitGroup
	both.Go(func() { p.forward(server, client) })
	both.Go(func() { p.forward(client, server) })
	both.Wait()
}

// A chunk is data in transit.
type chunk struct {
	data []byte
	due  time.Time
}

// forward copies data from one connection to another with the delay, until either is closed.
func (p *tcpProxy) forward(to, from net.Conn) {
	chunks := make(chan chunk, 1000)
	var writing sync.WaitGroup
	writing.Go(func() {
		defer to.Close()
		for c := range chunks {
			time.Sleep(time.Until(c.due))
			if _, err := to.Write(c.data); err != nil {
				from.Close()
			}
		}
	})
	for {
		buffer := make([]byte, 16<<10)
		n, err := from.Read(buffer)
		if n > 0 {
			chunks <- chunk{buffer[:n], time.Now().Add(time.Duration(p.delay.Load()))}
		}
		if err != nil {
			break
		}
	}
	close(chunks)
	writing.Wait()
}

func (p *tcpProxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
	return !p.closed
}

func (p *tcpProxy) remove(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

func (p *tcpProxy) close() {
	p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

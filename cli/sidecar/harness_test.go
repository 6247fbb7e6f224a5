package sidecar

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"servicegroup_exporter/drivers"
)

// A world is a machine with a systemd, a unit and a backend, all of them fake, in virtual time. A Member runs in it.
type world struct {
	t    *testing.T
	stop context.CancelFunc
	done chan struct{} // closed when Member.Run has returned err
	err  error
	log  bytes.Buffer

	mu        sync.Mutex
	busDown   bool // connecting fails
	busFrozen bool // the bus does not answer
	bus       *fakeBus
	state     State
	processes map[int]*fakeProcess
	watchErr  error
	joinErr   error
	did       []string // what was done to the backend, in this order
	deaths    []drivers.Death
	member    *fakeMembership
}

func (w *world) lock() func() {
	w.mu.Lock()
	return w.mu.Unlock
}

// set changes the machine.
func (w *world) set(change func()) {
	defer w.lock()()
	change()
}

type fakeBus struct {
	w      *world
	states chan State
	once   sync.Once
}

func (b *fakeBus) States() <-chan State { return b.states }
func (b *fakeBus) Close() error         { return errors.New("the bus has ended") }

func (b *fakeBus) Refresh() {
	defer b.w.lock()()
	if !b.w.busFrozen {
		state := b.w.state
		go func() { b.states <- state }()
	}
}

type fakeProcess struct{ ended chan struct{} }

func (p *fakeProcess) Ended() <-chan struct{} { return p.ended }
func (p *fakeProcess) Close()                 {}

type fakeMembership struct {
	w    *world
	done chan struct{}
	over bool
}

func (m *fakeMembership) end(what string) error {
	defer m.w.lock()()
	if !m.over {
		m.over = true
		m.w.did = append(m.w.did, what)
	}
	return nil
}

func (m *fakeMembership) Leave(context.Context) error { return m.end("leave") }
func (m *fakeMembership) Abandon()                    { _ = m.end("abandon") }
func (m *fakeMembership) Done() <-chan struct{}       { return m.done }
func (m *fakeMembership) Err() error                  { return drivers.ErrRemoved }

func (m *fakeMembership) Die(_ context.Context, death drivers.Death) error {
	err := m.end("die")
	defer m.w.lock()()
	m.w.deaths = append(m.w.deaths, death)
	return err
}

func (w *world) Join(ctx context.Context, _ drivers.JoinRequest) (drivers.Membership, error) {
	defer w.lock()()
	if err := errors.Join(w.joinErr, ctx.Err()); err != nil {
		return nil, err
	}
	w.did = append(w.did, "join")
	w.member = &fakeMembership{w: w, done: make(chan struct{})}
	return w.member, nil
}

func (w *world) Leave(context.Context, string, string) error { panic("not used") }

func (w *world) connect(ctx context.Context, unit string) (Bus, error) {
	defer w.lock()()
	require.Equal(w.t, "x.service", unit)
	if w.busDown {
		return nil, errors.New("the system bus was not found")
	}
	w.bus = &fakeBus{w: w, states: make(chan State)}
	if !w.busFrozen {
		bus, state := w.bus, w.state
		go func() {
			select {
			case bus.states <- state:
			case <-ctx.Done():
			}
		}()
	}
	return w.bus, nil
}

func (w *world) watch(pid int) (Process, error) {
	defer w.lock()()
	if w.watchErr != nil {
		return nil, w.watchErr
	}
	if w.processes[pid] == nil {
		return nil, unix.ESRCH
	}
	return w.processes[pid], nil
}

// run runs a test with a Member whose unit is in a state at first.
func run(t *testing.T, first State, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, done: make(chan struct{}), state: first, processes: map[int]*fakeProcess{}}
		w.process(first.MainPID)
		ctx, stop := context.WithCancel(t.Context())
		w.stop = stop
		m := &Member{
			Unit: "x.service", Request: drivers.JoinRequest{Group: "g", Name: "m"}, Joiner: w, Timeout: 10 * time.Second,
			Logger: slog.New(slog.NewTextHandler(&w.log, nil)), System: System{Connect: w.connect, WatchProcess: w.watch},
		}
		go func() {
			defer close(w.done)
			w.err = m.Run(ctx)
		}()
		defer func() { // Also if the test has failed: otherwise the virtual time would never end.
			w.stop()
			<-w.done
		}()
		synctest.Wait()
		test(w)
	})
}

// process starts a main process.
func (w *world) process(pid int) {
	defer w.lock()()
	if pid != 0 && w.processes[pid] == nil {
		w.processes[pid] = &fakeProcess{ended: make(chan struct{})}
	}
}

// kill ends a main process.
func (w *world) kill(pid int) {
	close(w.processes[pid].ended)
	synctest.Wait()
}

// say reports states of the unit one after the other.
func (w *world) say(states ...State) {
	for _, s := range states {
		w.process(s.MainPID)
		unlock := w.lock()
		w.state = s
		bus := w.bus
		unlock()
		bus.states <- s
		synctest.Wait()
	}
}

// cut ends the connection to the bus. Until heal, there is no other one.
func (w *world) cut() {
	unlock := w.lock()
	w.busDown = true
	bus := w.bus
	unlock()
	bus.once.Do(func() { close(bus.states) })
	synctest.Wait()
}

// heal lets the bus work again, and the unit be in a state.
func (w *world) heal(s State) {
	w.process(s.MainPID)
	unlock := w.lock()
	w.busDown, w.busFrozen, w.state = false, false, s
	unlock()
}

// did returns what was done to the backend since it was last called.
func (w *world) take() []string {
	synctest.Wait()
	defer w.lock()()
	did := w.did
	w.did = nil
	return did
}

// lastDeath returns the last death that was recorded.
func (w *world) lastDeath() drivers.Death {
	defer w.lock()()
	require.NotEmpty(w.t, w.deaths)
	return w.deaths[len(w.deaths)-1]
}

// logged returns how many lines of the log contain a text.
func (w *world) logged(text string) int {
	return len(slices.DeleteFunc(bytes.Split(w.log.Bytes(), []byte("\n")), func(line []byte) bool { return !bytes.Contains(line, []byte(text)) }))
}

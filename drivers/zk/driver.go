// Package zk is the ServiceGroup driver for ZooKeeper.
//
// What it writes and reads, below an optional chroot:
//
//	PREFIX                          persistent, empty
//	PREFIX/GROUP                    persistent, "ZKMembers" as evzookeeper writes it
//	PREFIX/GROUP/MEMBER             ephemeral: the member is up (flat layout)
//	PREFIX/.roster/GROUP/MEMBER     persistent, JSON: the member's record in the roster
//
// OpenStack Nova's zk driver (2013.1 to 2014.2) has the same first three levels, so each program can read the other's
// groups. Only this program has a roster: a member with a record and without an ephemeral znode is dead, and a member
// without both has left. Nova 2015.1.0b2 had one more level, a persistent PREFIX/GROUP/HOST with the data "ZKMembers" and
// an ephemeral child for each process. The driver reads these nested members, too.
//
// Package [servicegroup_exporter/drivers/zk/layout] reads the layouts of other systems; members can't join them. Package
// [servicegroup_exporter/drivers/zk/session] makes the connections.
//
// A session is never resumed over a new connection. When a member's connection breaks, the member moves its znode to a new
// session by one transaction, before the old session expires, so that no client sees the member missing.
package zk

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/layout"
	"servicegroup_exporter/drivers/zk/session"
)

var (
	_ drivers.Driver  = (*Driver)(nil)
	_ drivers.Joiner  = (*Driver)(nil)
	_ drivers.Remover = (*Driver)(nil)
	_ drivers.Watcher = (*Driver)(nil)
	_ drivers.Counter = (*Driver)(nil)
)

// A Driver reads and writes membership in ZooKeeper. It connects when it is first used.
type Driver struct {
	config  Config
	paths   paths
	process process
	logger  *slog.Logger
	dialer  session.Dialer
	acl     []zkclient.ACL // of new znodes

	ctx      context.Context // ends when the driver is closed
	cancel   context.CancelCauseFunc
	running  sync.WaitGroup // the driver's goroutines
	sessions sync.WaitGroup // sessions that have not been cleaned up

	keeper      *session.Keeper // of the session for reading
	startKeeper sync.Once
	changed     chan struct{} // capacity 1
	polling     chan struct{} // holds a token while a poll runs: only one runs at a time
	groups      map[string]*group
	last        lastPoll
	believed    *drivers.Poll // the last poll that Members returned
	tree        *layout.Tree  // nil for this program's own layouts
	hadMembers  bool          // a poll found members, so that the layout and the prefix are right

	// The session for reading whose servers were last compared with those that a new connection leads to, and when.
	verifiedReader *session.Reader
	verifiedAt     time.Time

	requests, connections, expirations atomic.Uint64
	granted                            atomic.Int64 // the last session timeout that was logged because a server changed it

	mu        sync.Mutex
	closed    bool
	joined    map[*membership]struct{}
	abandoned map[string]time.Time // when memberships were abandoned, by their ids
}

// Open returns a driver. It does not wait for a server, and does not fail if there is none.
func Open(cfg Config, logger *slog.Logger) (*Driver, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d := &Driver{
		config:    cfg,
		paths:     paths(cfg.root()),
		process:   thisProcess(),
		logger:    logger,
		changed:   make(chan struct{}, 1),
		polling:   make(chan struct{}, 1),
		groups:    make(map[string]*group),
		joined:    make(map[*membership]struct{}),
		abandoned: make(map[string]time.Time),
	}
	var err error
	if declared := cfg.declared(); declared != nil {
		if d.tree, err = declared.Compile(cfg.root(), cfg.Groups); err != nil {
			return nil, err
		}
	}
	d.dialer = session.Dialer{
		Net: cfg.Dial.OrNet(), TLS: cfg.TLS, User: cfg.Auth.User, Password: cfg.Auth.Password, MaxPause: d.maxPause(),
		Options: session.Options{Timeout: time.Duration(cfg.SessionTimeout), Logger: logger, Sessions: &d.sessions},
	}
	d.dialer.OnSession = d.logTimeout
	for _, s := range cfg.Servers {
		server, err := session.ParseServer(s)
		if err != nil {
			return nil, fmt.Errorf("parsing servers: %w", err)
		}
		d.dialer.Servers = append(d.dialer.Servers, server)
	}
	if d.acl, err = cfg.acl(); err != nil {
		return nil, drivers.Field("acl", "%w", err)
	}
	d.ctx, d.cancel = context.WithCancelCause(context.Background())
	opts := session.ReaderOptions{OnRequest: func() { d.requests.Add(1) }, OnChange: d.signalChange, ParseData: parseMembers}
	if d.tree != nil {
		opts.ParseData = d.tree.ParseData()
	}
	d.keeper = session.NewKeeper(&d.dialer, opts, time.Duration(cfg.SessionTimeout), d.onSession)
	return d, nil
}

// maxPause returns the longest pause between two rounds of attempts to connect. A member has to have a new session before
// its old one expires.
func (d *Driver) maxPause() time.Duration {
	return min(max(time.Duration(d.config.SessionTimeout)/4, 2*session.FirstWait), time.Second)
}

// reader returns the keeper of the session for reading. It starts the keeper when it is first called, since a process that
// only joins a group does not need that session.
func (d *Driver) reader() *session.Keeper {
	d.startKeeper.Do(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.closed {
			d.keeper.Close()
			return
		}
		d.running.Go(func() { d.keeper.Run(d.ctx) })
	})
	return d.keeper
}

// logTimeout logs that a server has granted another session timeout than the configured one, once for each timeout.
func (d *Driver) logTimeout(granted time.Duration) {
	configured := time.Duration(d.config.SessionTimeout)
	if granted != configured && d.granted.Swap(int64(granted)) != int64(granted) {
		d.logger.Warn("ZooKeeper changed the session timeout; its limits are minSessionTimeout and maxSessionTimeout in zoo.cfg",
			"configured", configured, "in_effect", granted)
	}
}

// onSession is called for each new session for reading. lastHeard is when the server of the session before was last heard,
// zero for the first session. No watch was set between the sessions, so members may have changed.
func (d *Driver) onSession(lastHeard time.Time) {
	d.connections.Add(1)
	if away := time.Since(lastHeard); !lastHeard.IsZero() {
		d.logger.Info("Have a new ZooKeeper session", "away", away.Round(time.Millisecond))
		if away > time.Duration(d.config.SessionTimeout) {
			d.expirations.Add(1)
		}
	}
	d.signalChange()
}

// signalChange sends a signal to the receiver of Changed: members may have changed.
func (d *Driver) signalChange() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// Changed implements drivers.Watcher. Signals are sent only after it was first called.
func (d *Driver) Changed() <-chan struct{} {
	d.reader()
	return d.changed
}

// Counts implements drivers.Counter. A lost session always expires in the end, since sessions are never resumed. Counted
// are the sessions that expired before there was a new one, so that members were missing or could not be read.
func (d *Driver) Counts() drivers.Counts {
	connections := d.connections.Load()
	return drivers.Counts{
		Operations:  d.requests.Load(),
		Reconnects:  connections - min(connections, 1),
		Expirations: d.expirations.Load(),
	}
}

// Close implements drivers.Driver. It abandons all memberships. It ends the session for reading by a request to the server,
// which may take three seconds if the server does not answer.
func (d *Driver) Close() error {
	d.mu.Lock()
	d.closed = true
	memberships := d.joined
	d.joined = make(map[*membership]struct{})
	d.mu.Unlock()
	for m := range memberships {
		m.Abandon()
	}
	d.cancel(session.ErrClosed)
	d.running.Wait()
	d.sessions.Wait()
	return nil
}

// checkWritable returns an error if members can't join or leave the groups of the layout.
func (d *Driver) checkWritable() error {
	if d.tree == nil {
		return nil
	}
	return fmt.Errorf("the layout %s is read-only, since its members belong to other programs; use a source with the layout %s",
		d.config.Layout, LayoutAuto)
}

// beginCall counts a call that may start goroutines, so that Close waits for it. It fails if Close was called.
func (d *Driver) beginCall() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return session.ErrClosed
	}
	d.running.Add(1)
	return nil
}

// endCall ends what beginCall began.
func (d *Driver) endCall() { d.running.Done() }

// register adds a membership, so that Close abandons it.
func (d *Driver) register(m *membership) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return session.ErrClosed
	}
	d.joined[m] = struct{}{}
	return nil
}

func (d *Driver) unregister(m *membership) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.joined, m)
}

// rememberAbandoned is how long the znode of an abandoned membership may exist: the longest session timeout, and the time
// until the server acts.
const rememberAbandoned = maxSessionTimeout + serverTick

// setAbandoned records that a membership was abandoned: its name is free although this process lives.
func (d *Driver) setAbandoned(m *membership) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.joined, m)
	for id, when := range d.abandoned {
		if time.Since(when) > rememberAbandoned {
			delete(d.abandoned, id)
		}
	}
	d.abandoned[m.record.ID] = time.Now()
}

func (d *Driver) wasAbandoned(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, abandoned := d.abandoned[id]
	return abandoned
}

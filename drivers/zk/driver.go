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

// Driver keeps membership in ZooKeeper. It connects when it is first asked for something.
type Driver struct {
	config  Config
	paths   paths
	process process
	logger  *slog.Logger
	dialer  session.Dialer
	acl     []zkclient.ACL // of new znodes

	ctx     context.Context // ends with the driver
	cancel  context.CancelFunc
	running sync.WaitGroup
	reapers sync.WaitGroup

	keeper  *session.Keeper
	start   sync.Once // of the keeper
	changed chan struct{}
	polling chan struct{} // holds one token: polls are made one after the other
	groups  map[string]*group
	last    lastPoll
	tree    *layout.Tree // nil for this program's own layouts

	operations, connections, expirations atomic.Uint64

	mu        sync.Mutex
	closed    bool
	joined    map[*membership]struct{}
	abandoned map[string]time.Time // the ids of memberships that were abandoned, and when
}

// Open makes a driver. It does not wait for a server, and does not fail because there is none.
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
	if declared := cfg.declared(); declared != nil {
		var err error
		if d.tree, err = declared.Compile(cfg.root(), cfg.Groups); err != nil {
			return nil, err
		}
	}
	d.dialer = session.Dialer{
		Net: cfg.Dial.OrNet(), TLS: cfg.TLS, User: cfg.Auth.User, Password: cfg.Auth.Password, MaxPause: d.pauseLimit(),
		Options: session.Options{Timeout: time.Duration(cfg.SessionTimeout), Logger: logger, Reapers: &d.reapers},
	}
	for _, s := range cfg.Servers {
		server, err := session.ParseServer(s)
		if err != nil {
			return nil, fmt.Errorf("parsing servers: %w", err)
		}
		d.dialer.Servers = append(d.dialer.Servers, server)
	}
	var err error
	if d.acl, err = cfg.acl(); err != nil {
		return nil, drivers.Field("acl", "%w", err)
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	opts := session.ReaderOptions{OnRequest: func() { d.operations.Add(1) }, OnChange: d.signal, ParseData: sayMembers}
	if d.tree != nil {
		opts.ParseData = d.tree.ParseData()
	}
	d.keeper = session.NewKeeper(&d.dialer, opts, time.Duration(cfg.SessionTimeout), d.gained)
	return d, nil
}

// pauseLimit is the longest pause between rounds of attempts. A member has to be back before its session expires.
func (d *Driver) pauseLimit() time.Duration {
	return min(max(time.Duration(d.config.SessionTimeout)/4, 2*session.FirstWait), time.Second)
}

// reader returns what keeps the session that members are read in, and starts it when it is first used: a process that
// only joins does not need that session.
func (d *Driver) reader() *session.Keeper {
	d.start.Do(func() {
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

// connected counts a session that was made.
func (d *Driver) connected() { d.connections.Add(1) }

// gained is called when members can be read, with when the last session was heard of, zero for the first one. What changed
// meanwhile was not watched.
func (d *Driver) gained(heard time.Time) {
	d.connected()
	if away := time.Since(heard); !heard.IsZero() {
		d.logger.Info("have a ZooKeeper session again", "away", away.Round(time.Millisecond))
		if away > time.Duration(d.config.SessionTimeout) {
			d.expirations.Add(1)
		}
	}
	d.signal()
}

// signal says that Members is worth calling.
func (d *Driver) signal() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// Changed implements drivers.Watcher. Signals come from the first call on.
func (d *Driver) Changed() <-chan struct{} {
	d.reader()
	return d.changed
}

// Counts implements drivers.Counter. Sessions are never resumed, so that all that are lost expire in the end. Counted are
// those that did before there was another one: members were missing for some time, or could not be read for so long.
func (d *Driver) Counts() drivers.Counts {
	connections := d.connections.Load()
	return drivers.Counts{
		Operations:  d.operations.Load(),
		Reconnects:  connections - min(connections, 1),
		Expirations: d.expirations.Load(),
	}
}

// Close implements drivers.Driver. The session for reading is ended in order; it takes up to three seconds if the server
// does not answer.
func (d *Driver) Close() error {
	d.mu.Lock()
	d.closed = true
	memberships := d.joined
	d.joined = make(map[*membership]struct{})
	d.mu.Unlock()
	for m := range memberships {
		m.Abandon()
	}
	d.cancel()
	d.running.Wait()
	d.reapers.Wait()
	return nil
}

// writable says why nobody can join or leave.
func (d *Driver) writable() error {
	if d.tree == nil {
		return nil
	}
	return fmt.Errorf("the layout %s is only read: its members belong to other programs; a source with layout %s can be joined",
		d.config.Layout, LayoutAuto)
}

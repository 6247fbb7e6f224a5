package sidecar

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// A Bus is a connection to systemd that reports the states of one unit.
type Bus interface {
	// States receives the state of the unit at first, after each change, and after Refresh. It is closed when the connection
	// has ended.
	States() <-chan State
	// Refresh asks for the state once more. It does not wait.
	Refresh()
	// Close ends the connection. It returns why the connection had ended before, nil if it had not.
	Close() error
}

// The names of systemd on D-Bus, see org.freedesktop.systemd1(5).
const (
	busName          = "org.freedesktop.systemd1"
	managerPath      = dbus.ObjectPath("/org/freedesktop/systemd1")
	unitPaths        = "/org/freedesktop/systemd1/unit/"
	manager          = busName + ".Manager"
	unitInterface    = busName + ".Unit"
	properties       = "org.freedesktop.DBus.Properties"
	nameOwnerChanged = "org.freedesktop.DBus.NameOwnerChanged"
	changedAt        = "StateChangeTimestampMonotonic" // when the state last changed, in microseconds since the boot
)

// The times of a connection.
const (
	busTimeout   = 5 * time.Second  // of each request
	refreshEvery = 30 * time.Second // in case a signal was lost, and to notice a bus that hangs
)

// systemBus is a connection to the system bus.
type systemBus struct {
	unit    string
	conn    *dbus.Conn
	object  dbus.BusObject // the unit
	signals chan *dbus.Signal
	refresh chan struct{} // capacity 1
	states  chan State
	cancel  context.CancelFunc
	err     error // set before states is closed

	properties map[string]dbus.Variant // of the unit, as they were last read or signalled
	newest     uint64                  // changes before this time are known; in microseconds since the boot
	specific   map[string]dbus.Variant // changes that are specific to the type of the unit and whose second half is to come
}

// Connect connects to systemd over the system bus, whose address DBUS_SYSTEM_BUS_ADDRESS can change. No privilege is needed for that,
// by the D-Bus policy that comes with systemd. The connection ends with ctx.
func Connect(ctx context.Context, unit string) (Bus, error) {
	ctx, cancel := context.WithCancel(ctx)
	limit := time.AfterFunc(busTimeout, cancel)
	b := &systemBus{
		unit: unit, cancel: cancel,
		signals: make(chan *dbus.Signal, 1), refresh: make(chan struct{}, 1), states: make(chan State),
	}
	err := b.connect(ctx)
	if !limit.Stop() && err != nil {
		err = fmt.Errorf("the bus did not answer within %v: %w", busTimeout, err)
	}
	if err != nil {
		cancel()
		return nil, fmt.Errorf("connecting to systemd over D-Bus: %w", err)
	}
	go b.run(ctx)
	return b, nil
}

func (b *systemBus) connect(ctx context.Context) (err error) {
	// The handler keeps the order of the signals.
	b.conn, err = dbus.ConnectSystemBus(dbus.WithContext(ctx), dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		return err
	}
	path := dbus.ObjectPath(unitPaths + systemd.PathBusEscape(b.unit))
	b.object = b.conn.Object(busName, path)
	b.conn.Signal(b.signals)
	from := dbus.WithMatchSender(busName)
	for _, match := range [][]dbus.MatchOption{
		{from, dbus.WithMatchObjectPath(path), dbus.WithMatchInterface(properties), dbus.WithMatchMember("PropertiesChanged")},
		{from, dbus.WithMatchInterface(manager), dbus.WithMatchMember("Reloading")},
		// systemd gets a new name on the bus when it executes itself again.
		{dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, busName)},
	} {
		if err := b.conn.AddMatchSignalContext(ctx, match...); err != nil {
			return err
		}
	}
	return b.subscribe(ctx)
}

// subscribe asks systemd to send signals.
func (b *systemBus) subscribe(ctx context.Context) error {
	err := b.conn.Object(busName, managerPath).CallWithContext(ctx, manager+".Subscribe", 0).Err
	if refusal, ok := errors.AsType[dbus.Error](err); ok && refusal.Name == busName+".AlreadySubscribed" {
		return nil
	}
	return err
}

// run reports the unit's states until the connection ends.
func (b *systemBus) run(ctx context.Context) {
	defer close(b.states)
	defer func() { _ = b.conn.Close() }() // Why it ended is known already.
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	report := true
	for {
		if report {
			if b.err = b.read(ctx); b.err != nil || !b.send(ctx) {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-b.refresh:
			report = true
		case <-ticker.C:
			report = true
		case signal, open := <-b.signals:
			if !open {
				b.err = errors.New("the connection to D-Bus was closed")
				return
			}
			var changed bool
			if changed, report = b.handle(signal); changed && !b.send(ctx) {
				return
			}
		}
	}
}

// handle takes in a signal. It reports whether the signal has a new state of the unit, and whether the state must be read.
func (b *systemBus) handle(signal *dbus.Signal) (changed, read bool) {
	switch signal.Name {
	case properties + ".PropertiesChanged":
		if len(signal.Body) < 2 {
			return false, true
		}
		of, isName := signal.Body[0].(string)
		values, isMap := signal.Body[1].(map[string]dbus.Variant)
		return b.change(of, values), !isName || !isMap
	case manager + ".Reloading":
		return false, len(signal.Body) > 0 && signal.Body[0] == false
	case nameOwnerChanged: // Between two owners, systemd can't answer.
		return false, len(signal.Body) == 3 && signal.Body[2] != ""
	default: // godbus also passes on what the bus says about this connection.
		return false, false
	}
}

// change takes in changed properties of one interface of the unit. systemd sends the properties of the unit's type first, and then those
// that all units have, and clients may rely on this order. change reports whether the state is complete.
func (b *systemBus) change(of string, values map[string]dbus.Variant) bool {
	if of != unitInterface {
		b.specific = values
		return false
	}
	specific := b.specific
	b.specific = nil
	if _, known := values[changedAt]; known && value[uint64](values, changedAt) < b.newest {
		return false // The signal was sent before the properties were read.
	}
	maps.Copy(b.properties, specific)
	maps.Copy(b.properties, values)
	return true
}

// read reads all properties of the unit. systemd loads the unit for that, if it is not loaded.
func (b *systemBus) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	if err := b.subscribe(ctx); err != nil {
		return fmt.Errorf("subscribing to systemd's signals: %w", err)
	}
	read, began := make(map[string]dbus.Variant), monotonic()
	const everyInterface = ""
	if err := b.object.CallWithContext(ctx, properties+".GetAll", 0, everyInterface).Store(&read); err != nil {
		return fmt.Errorf("reading the properties of %s: %w", b.unit, err)
	}
	b.properties = read
	b.newest = cmp.Or(value[uint64](read, changedAt), began) // systemd has just loaded a unit whose state never changed.
	return nil
}

// monotonic returns the time since the boot in microseconds, by the clock that systemd uses.
func monotonic() uint64 {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return uint64(now.Nano() / 1000)
}

// send reports the state. It returns false if ctx has ended.
func (b *systemBus) send(ctx context.Context) bool {
	select {
	case b.states <- decode(b.properties):
		return true
	case <-ctx.Done():
		return false
	}
}

// decode returns the state that properties of a unit describe. Properties that the unit does not have stay zero.
func decode(p map[string]dbus.Variant) State {
	return State{
		Load:       value[string](p, "LoadState"),
		Active:     value[string](p, "ActiveState"),
		Sub:        value[string](p, "SubState"),
		Invocation: hex.EncodeToString(value[[]byte](p, "InvocationID")),
		MainPID:    int(value[uint32](p, "MainPID")),
		Restarts:   value[uint32](p, "NRestarts"),
		Result:     value[string](p, "Result"),
		ExitCode:   value[int32](p, "ExecMainCode"),
		ExitStatus: value[int32](p, "ExecMainStatus"),
		LeftActive: stamp(p, "ActiveExitTimestamp"),
		MainExited: stamp(p, "ExecMainExitTimestamp"),
	}
}

// stamp returns the time of two properties, whose values are microseconds.
func stamp(p map[string]dbus.Variant, name string) Stamp {
	at := value[uint64](p, name)
	if at == 0 {
		return Stamp{}
	}
	return Stamp{
		At:        time.UnixMicro(int64(at)),
		Monotonic: time.Duration(value[uint64](p, name+"Monotonic")) * time.Microsecond,
	}
}

// value returns a property, zero if it is missing or of another type.
func value[T any](p map[string]dbus.Variant, name string) T {
	v, _ := p[name].Value().(T)
	return v
}

// States implements [Bus].
func (b *systemBus) States() <-chan State { return b.states }

// Refresh implements [Bus].
func (b *systemBus) Refresh() {
	select {
	case b.refresh <- struct{}{}:
	default: // It is due already.
	}
}

// Close implements [Bus].
func (b *systemBus) Close() error {
	b.cancel()
	for range b.states { // run ends.
	}
	return b.err
}

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

// systemd is told what becomes of the service, in the words of sd_notify(3). Where systemd does not ask, by NOTIFY_SOCKET
// and WATCHDOG_USEC in the environment, nothing happens.
type systemd struct {
	logger   *slog.Logger
	watchdog time.Duration // how long the service may be silent before it is killed; 0: for ever
}

func newSystemd(logger *slog.Logger) systemd {
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		logger.Warn("systemd's watchdog is not fed", "err", err)
	}
	return systemd{logger: logger, watchdog: watchdog}
}

func (d systemd) tell(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		d.logger.Warn("systemd was not told of a change", "state", state, "err", err)
	}
}

// reloading says that a reload has begun. The time lets a unit of Type=notify-reload tell this reload's end from that of
// one before.
func (d systemd) reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		d.logger.Warn("the monotonic clock can't be read", "err", err)
		return
	}
	d.tell(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/int64(time.Microsecond)))
}

// reloaded says that the reload is over. It is no end of the service if the new configuration was refused.
func (d systemd) reloaded(err error) {
	status := "Serves"
	if err != nil {
		status = "Serves; the newest configuration was refused, the log says why"
	}
	d.tell(daemon.SdNotifyReady + "\nSTATUS=" + status)
}

// notifySystemd says that the server serves, feeds the watchdog for as long as the server's loop answers, and says that
// it stops when ctx ends.
func (a *App) notifySystemd(ctx context.Context) error {
	a.systemd.reloaded(nil)
	var feed <-chan time.Time
	if a.systemd.watchdog > 0 {
		// Twice as often as systemd asks for, as sd_watchdog_enabled(3) recommends.
		ticker := time.NewTicker(a.systemd.watchdog / 2)
		defer ticker.Stop()
		feed = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			a.systemd.tell(daemon.SdNotifyStopping)
			return nil
		case <-feed:
			a.feedWatchdog(ctx)
		}
	}
}

// feedWatchdog feeds it if the loop that changes the configuration comes round and the collector gives its snapshots.
// Backends are not asked: that one is lost is no reason to restart.
func (a *App) feedWatchdog(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, a.systemd.watchdog/2)
	defer cancel()
	answer := make(chan struct{})
	select {
	case a.pings <- answer:
	case <-ctx.Done():
	}
	select {
	case <-answer:
		a.systemd.tell(daemon.SdNotifyWatchdog)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return // The server stops.
		}
		a.systemd.logger.Error("The server's loop does not answer, systemd will restart it", "waited", a.systemd.watchdog/2)
	}
}

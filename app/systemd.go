package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"servicegroup_exporter/drivers"
)

// systemd notifies systemd of the state of the service, see sd_notify(3). Without NOTIFY_SOCKET and WATCHDOG_USEC in the
// environment, which systemd sets, it does nothing.
type systemd struct {
	logger   *slog.Logger
	failing  *drivers.LastingError // systemd can't be notified
	watchdog time.Duration         // systemd kills the service after this time without a notification; 0: never
}

func newSystemd(logger *slog.Logger) systemd {
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		logger.Warn("Reading the watchdog interval of systemd failed, no watchdog notifications will be sent", "err", err)
	}
	return systemd{logger: logger, failing: new(drivers.LastingError), watchdog: watchdog}
}

func (d systemd) notify(state string) {
	_, err := daemon.SdNotify(false, state)
	switch failed, ended := d.failing.Update(err); {
	case failed:
		d.logger.Warn("Notifying systemd failed", "state", state, "err", err)
	case ended:
		d.logger.Info("Notifying systemd succeeded again")
	}
}

// reloading notifies systemd that a reload has begun. A unit of Type=notify-reload needs the time to match the end of a
// reload with its beginning.
func (d systemd) reloading() {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		d.logger.Warn("Reading the monotonic clock failed, systemd was not notified of the reload", "err", err)
		return
	}
	d.notify(fmt.Sprintf("%s\nMONOTONIC_USEC=%d", daemon.SdNotifyReloading, now.Nano()/int64(time.Microsecond)))
}

// reloaded notifies systemd that the service is ready, after the start and after each reload. With an error the new
// configuration was refused, and the service continues with the one before.
func (d systemd) reloaded(err error) {
	status := "Serving"
	if err != nil {
		status = "Serving the previous configuration: the newest one was refused, see the log"
	}
	d.notify(daemon.SdNotifyReady + "\nSTATUS=" + status)
}

// notifySystemd notifies systemd that the server is ready, sends watchdog notifications as long as the reload loop answers,
// and notifies systemd that the server stops when ctx ends.
func (a *App) notifySystemd(ctx context.Context) error {
	a.systemd.reloaded(nil)
	var due <-chan time.Time
	if a.systemd.watchdog > 0 {
		// sd_watchdog_enabled(3) recommends to notify every half of the interval.
		ticker := time.NewTicker(a.systemd.watchdog / 2)
		defer ticker.Stop()
		due = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			a.systemd.notify(daemon.SdNotifyStopping)
			return nil
		case <-due:
			a.notifyWatchdog(ctx)
		}
	}
}

// notifyWatchdog notifies the watchdog if the reload loop answers and the collector returns its snapshots. It does not
// check backends, because an unreachable backend is no reason to restart the service.
func (a *App) notifyWatchdog(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, a.systemd.watchdog/2)
	defer cancel()
	answer := make(chan struct{})
	select {
	case a.pings <- answer:
	case <-ctx.Done():
	}
	select {
	case <-answer:
		a.systemd.notify(daemon.SdNotifyWatchdog)
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return // The server stops.
		}
		a.systemd.logger.Error("The reload loop does not answer, systemd will restart the service", "waited", a.systemd.watchdog/2)
	}
}

package zk

import (
	"context"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/freshness"
	"servicegroup_exporter/drivers/zk/session"
)

// verified reports whether a poll can be believed. Before a member is said to have died, the session is compared with one on a
// new connection, at most once per session timeout. Without a death that is done now and then in the background. If another
// ensemble is found, the reader's session has ended, and the poll is to be made again.
func (d *Driver) verified(ctx context.Context, r *session.Reader, poll *drivers.Poll) bool {
	timeout := time.Duration(d.config.SessionTimeout)
	if r != d.verifiedReader { // Its connection is new.
		d.verifiedReader, d.verifiedAt = r, time.Now()
		return true
	}
	since := time.Since(d.verifiedAt)
	died := since > timeout && d.believed != nil && freshness.Died(poll, d.believed)
	if !died && since <= verifyEvery*timeout {
		return true
	}
	d.verifiedAt = time.Now()
	if died {
		ctx, cancel := context.WithTimeout(ctx, timeout/2)
		defer cancel()
		return d.dialer.Verify(ctx, r)
	}
	if d.beginCall() == nil {
		go func() {
			defer d.endCall()
			ctx, cancel := context.WithTimeout(d.ctx, timeout)
			defer cancel()
			d.dialer.Verify(ctx, r)
		}()
	}
	return true
}

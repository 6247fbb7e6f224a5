package session

import (
	"context"
	"io"
	"strings"
	"time"
)

// versionPatience bounds the question for the version, which is nice to know but nothing to wait for.
const versionPatience = 500 * time.Millisecond

// serverVersion asks a server for its version, with the command srvr on a connection of its own: the protocol has no
// request for it, and srvr is the one command that servers allow unless told otherwise. Empty: it does not say.
func (d *Dialer) serverVersion(ctx context.Context, of *Session) string {
	ctx, cancel := context.WithTimeout(ctx, versionPatience)
	defer cancel()
	conn, err := d.open(ctx, versionPatience, of.Server, of.host)
	if err != nil {
		return ""
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if _, err := io.WriteString(conn, "srvr"); err != nil {
		return ""
	}
	answer, _ := io.ReadAll(io.LimitReader(conn, 4<<10)) // What came before a failure is enough if it has the version.
	return parseVersion(string(answer))
}

// parseVersion takes 3.8.0 from "Zookeeper version: 3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on …".
func parseVersion(srvr string) string {
	_, after, found := strings.Cut(srvr, "Zookeeper version: ")
	if !found {
		return ""
	}
	version, _, _ := strings.Cut(after, ",")
	version, _, _ = strings.Cut(version, "-")
	return strings.TrimSpace(version)
}

package session

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

// Inspect connects to each server, and returns findings about its version, its role in the ensemble and the encryption. A server
// that can't be used is a warning while another one can.
func (d *Dialer) Inspect(ctx context.Context) []drivers.Finding {
	found := make([][]drivers.Finding, len(d.Servers))
	var servers sync.WaitGroup
	for i, server := range d.Servers {
		servers.Go(func() { found[i] = d.inspect(ctx, server) })
	}
	servers.Wait()
	working := 0
	for _, findings := range found {
		if findings[0].Status == drivers.StatusOK {
			working++
		}
	}
	var all []drivers.Finding
	for _, findings := range found {
		if f := &findings[0]; f.Status == drivers.StatusFailure && working > 0 {
			f.Status = drivers.StatusWarning
			f.Text += "; another server of the list answers"
		}
		all = append(all, findings...)
	}
	return all
}

// inspectTimeout bounds the question to one server. A server of another protocol may wait for more before it answers.
const inspectTimeout = 5 * time.Second

// inspect returns the findings about one server, the first of which says whether it works.
func (d *Dialer) inspect(ctx context.Context, server Server) []drivers.Finding {
	const subject = "server"
	ctx, cancel := drivers.WithLimit(ctx, inspectTimeout)
	defer cancel()
	conn, err := d.connect(ctx, server)
	if err != nil {
		return []drivers.Finding{drivers.Failure(subject, "can't connect to "+err.Error(),
			"check that ZooKeeper runs there, and that servers has its client port")}
	}
	defer conn.Close()
	encryption := drivers.EncryptionOf(conn.RemoteAddr().String(), conn, time.Now())
	answer, err := command(ctx, conn, "srvr")
	version := parseVersion(answer)
	_, mode, _ := strings.Cut(answer, "Mode: ")
	mode, _, _ = strings.Cut(mode, "\n")
	var f drivers.Finding
	switch {
	case version != "" && mode != "":
		f = drivers.OK(subject, "ZooKeeper %s at %s, %s", version, server, strings.TrimSpace(mode))
	case strings.Contains(answer, "serving requests"):
		f = drivers.Failure(subject, server.String()+" has no quorum", "start the other servers of the ensemble, or repair the network between them")
	case strings.Contains(answer, "whitelist"):
		f = drivers.OK(subject, "ZooKeeper at %s, which does not tell its version: srvr is not in its 4lw.commands.whitelist", server)
	case err != nil:
		f = drivers.Failure(subject, server.String()+" accepts connections and does not answer: "+err.Error(),
			"check that the port is ZooKeeper's client port, and whether the process is frozen or overloaded")
	default:
		f = drivers.Failure(subject, server.String()+" does not answer as a ZooKeeper server does",
			"check the port; a port for TLS needs the section tls, and other ports must not have it")
	}
	return []drivers.Finding{f, encryption}
}

// command sends a command of four letters and returns the answer. The server closes the connection after it.
func command(ctx context.Context, conn net.Conn, word string) (string, error) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if _, err := io.WriteString(conn, word); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(io.LimitReader(conn, 4<<10))
	if ctx.Err() != nil {
		err = drivers.NoAnswer(ctx, ctx.Err())
	}
	return string(answer), err
}

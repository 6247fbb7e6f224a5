package mc

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"servicegroup_exporter/drivers"
)

var _ drivers.Inspector = (*Driver)(nil)

// Inspect returns findings about each server, and about the roster.
func (d *Driver) Inspect(ctx context.Context) []drivers.Finding {
	ctx, cancel := drivers.WithLife(ctx, d.life)
	defer cancel()
	found := make([][]drivers.Finding, len(d.servers)+1)
	var reads sync.WaitGroup
	for i, s := range d.servers {
		reads.Go(func() { found[i] = s.inspect(ctx) })
	}
	reads.Go(func() { found[len(d.servers)] = drivers.InspectRoster(ctx, d.roster) })
	reads.Wait()
	return append(slices.Concat(found...), drivers.OK("login", "memcached has no accounts: everyone who reaches a server can write and read"))
}

// inspect returns the findings about one server.
func (s *server) inspect(ctx context.Context) []drivers.Finding {
	var encryption drivers.Finding
	var current stats
	err := s.do(ctx, func(c *client) (err error) {
		encryption = drivers.EncryptionOf(s.addr.String(), c.conn.Conn, time.Now())
		current, err = c.stats()
		return err
	})
	if err != nil {
		return []drivers.Finding{drivers.Failure("server", err.Error()+"; members whose keys it has are unknown",
			"check that memcached runs there and that a firewall allows the connection; nova.conf must list the same servers")}
	}
	text := fmt.Sprintf("memcached %s at %s", current.version, s.addr)
	if current.age < unknownAge {
		text += ", which has run for " + (current.age + startUptime*time.Second).String()
	}
	return []drivers.Finding{drivers.OK("server", "%s", text), encryption}
}

package config

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"
)

// memcached returns the settings of Nova's mc driver. It stores heartbeats in the servers of oslo.cache since 13.0.0. Before,
// it used the servers of [DEFAULT]memcached_servers, with the names as keys.
func (n *novaReader) memcached(section *DB) *MC {
	c := DefaultMC()
	if section.ServiceDownTime != drivers.Unset {
		c.ServiceDownTime = section.ServiceDownTime
	}
	if section.ReportInterval != drivers.Unset {
		c.ReportInterval = section.ReportInterval
	}
	switch {
	case n.isTrue("cache", "enabled"):
		n.checkCache()
		c.Servers, c.TLS = n.cacheServers(), n.cacheTLS()
	default:
		if c.Servers = n.list("DEFAULT", "memcached_servers"); len(c.Servers) == 0 {
			n.errorf("DEFAULT", "servicegroup_driver", "is mc, but [cache] is not enabled, so that Nova stores no heartbeats")
			return nil
		}
		c.KeyFormat = KeyFormatPlain
	}
	for i, server := range c.Servers {
		c.Servers[i] = strings.TrimPrefix(strings.TrimPrefix(server, "inet6:"), "inet:")
	}
	return &c
}

// checkCache refuses a cache that is not memcached, and SASL.
func (n *novaReader) checkCache() {
	backend := n.text("cache", "backend", "dogpile.cache.null")
	switch {
	case !strings.Contains(backend, "memcache") && backend != "dogpile.cache.pylibmc":
		n.errorf("cache", "backend", "is %q, but only memcached is supported", backend)
	case n.isTrue("cache", "memcache_sasl_enabled"):
		n.errorf("cache", "memcache_sasl_enabled", "is on, but SASL is not supported")
	}
}

// cacheTLS returns the TLS settings of oslo.cache, nil if it does not encrypt. A key may be in the file of its certificate.
func (n *novaReader) cacheTLS() *drivers.TLS {
	if !n.isTrue("cache", "tls_enabled") {
		return nil
	}
	t := &drivers.TLS{CAFile: n.text("cache", "tls_cafile", ""), CertFile: n.text("cache", "tls_certfile", "")}
	t.KeyFile = n.text("cache", "tls_keyfile", t.CertFile)
	return t
}

// cacheServers returns the servers of memcache_servers, or of the older backend_argument, which is url:HOST:PORT,….
func (n *novaReader) cacheServers() []string {
	arguments, err := n.conf.All("cache", "backend_argument")
	if err != nil {
		n.errs = append(n.errs, err)
	}
	for _, argument := range slices.Backward(arguments) {
		if url, found := strings.CutPrefix(argument, "url:"); found {
			return strings.Split(url, ",")
		}
	}
	if servers := n.list("cache", "memcache_servers"); len(servers) > 0 {
		return servers
	}
	return []string{"localhost:11211"}
}

// zookeeper returns the settings of Nova's zk driver, which existed until 12.x.
func (n *novaReader) zookeeper() *ZK {
	c := DefaultZK()
	c.Servers = n.list("zookeeper", "address")
	c.Prefix = n.text("zookeeper", "sg_prefix", c.Prefix)
	if text := n.text("zookeeper", "recv_timeout", ""); text != "" {
		ms, err := strconv.Atoi(text)
		if err != nil || ms < 1 || ms > maxSeconds*1000 {
			n.errorf("zookeeper", "recv_timeout", "%s is not a number of milliseconds from 1 to %d", suggest.Quote(text), maxSeconds*1000)
			return nil
		}
		c.SessionTimeout = drivers.Duration(time.Duration(ms) * time.Millisecond)
	}
	return &c
}

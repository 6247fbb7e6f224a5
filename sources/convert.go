package sources

import (
	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/drivers/mc"
	"servicegroup_exporter/drivers/nova"
	"servicegroup_exporter/drivers/zk"
	"servicegroup_exporter/drivers/zk/layout"
)

// dbConfig translates a section. If it has no times, it gets the schema's times.
func dbConfig(c *config.DB) db.Config {
	cfg := db.Config{
		DSN: c.DSN, Password: c.Password,
		Schema: c.Schema, Verdict: db.Verdict(c.Verdict), Custom: (*db.Custom)(c.Custom),
		ServiceDownTime: c.ServiceDownTime, ReportInterval: c.ReportInterval, Timeout: c.Timeout,
	}
	cfg.SetDefaults()
	return cfg
}

func mcConfig(c *config.MC) mc.Config {
	return mc.Config{
		Servers: c.Servers, KeyFormat: c.KeyFormat, TLS: c.TLS,
		ServiceDownTime: c.ServiceDownTime, ReportInterval: c.ReportInterval, Timeout: c.Timeout,
	}
}

func zkConfig(c *config.ZK) zk.Config {
	cfg := zk.Config{
		Servers: c.Servers, Chroot: c.Chroot, Prefix: c.Prefix, Layout: c.Layout, Groups: c.Groups,
		SessionTimeout: c.SessionTimeout, MemberTimeout: c.MemberTimeout,
		Auth: zk.Auth(c.Auth), ACL: c.ACL, TLS: c.TLS,
	}
	if custom := c.Custom; custom != nil {
		cfg.Custom = &layout.Custom{
			Paths: custom.Paths, Roster: custom.Roster, Group: custom.Group, Match: custom.Match, Name: custom.Name,
			Persistent: custom.Persistent,
			Status:     (*layout.Check)(custom.Status), Enabled: (*layout.Check)(custom.Enabled),
		}
	}
	return cfg
}

// novaConfig translates the section "db" of a source together with nova.conf.
func novaConfig(s *config.Source) nova.Config {
	n := s.Nova
	cfg := nova.Config{
		API: dbConfig(s.DB), Connection: n.Connection, Parameters: n.ConnectionParameters,
		DefaultZone: n.DefaultZone, InternalZone: n.InternalZone,
	}
	// Reading can't fail: the DSN is in nova.conf, and not in a separate file.
	dsn, _ := n.API.Read()
	cfg.API.DSN = drivers.SecretText(nova.Extend(dsn, n.APIParameters))
	for _, cell := range s.DB.Cells {
		cfg.Cells = append(cfg.Cells, db.Cell(cell))
	}
	return cfg
}

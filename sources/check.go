package sources

import (
	"errors"
	"fmt"
	"strings"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
	"servicegroup_exporter/drivers/nova"
)

// Check checks the settings that only a driver understands, and sets the times that depend on a schema. It returns joined
// [drivers.FieldError]s whose fields are paths in the file; [config.Load] adds the lines. It connects to no backend.
func Check(c *config.Config) error {
	errs := make([]error, len(c.Sources))
	for i := range c.Sources {
		errs[i] = in(fmt.Sprintf("sources[%d]", i), checkSource(c, &c.Sources[i]))
	}
	return errors.Join(errs...)
}

// in returns errors about the fields of a section as one error with the path of the section.
func in(path string, errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return &drivers.FieldError{Field: path, Err: err}
	}
	return nil
}

// checkSource checks the section of the source's driver, its roster and its canary. Package config checks that the source has
// no section of another driver.
func checkSource(c *config.Config, s *config.Source) error {
	var err error
	switch {
	case s.Driver == driverDB && s.DB != nil:
		err = in(driverDB, checkDB(s.DB), checkNova(s))
	case s.Driver == driverMC && s.MC != nil:
		cfg := mcConfig(s.MC)
		err = in(driverMC, cfg.Validate())
	case s.Driver == driverZK && s.ZK != nil:
		cfg := zkConfig(s.ZK)
		err = in(driverZK, cfg.Validate())
	}
	return errors.Join(err, checkRoster(c, s), checkCanary(s))
}

// checkDB checks the section of a database, and sets its times to the schema's if it has none.
func checkDB(c *config.DB) error {
	cfg := dbConfig(c)
	c.ServiceDownTime, c.ReportInterval = cfg.ServiceDownTime, cfg.ReportInterval
	if len(c.NovaConf) > 0 {
		return cfg.ValidateTable() // The DSNs are in nova.conf.
	}
	return cfg.Validate()
}

// checkNova checks the settings of databases, memcached and ZooKeeper in nova.conf.
func checkNova(s *config.Source) error {
	n := s.Nova
	if n == nil {
		return nil
	}
	var errs []error
	wrong := func(section, name, format string, args ...any) {
		errs = append(errs, in("nova_conf", n.Errorf(section, name, format, args...)))
	}
	cfg := novaConfig(s)
	switch {
	case n.HasAPI():
		if err := checkDSN(cfg.API.DSN); err != nil {
			wrong("api_database", "connection", "%w", err)
		}
	case n.HasOneDatabase() && !n.Connection.IsZero():
		if err := checkDSN(n.Connection); err != nil {
			wrong("database", "connection", "%w", err)
		}
	}
	if n.MC != nil {
		servers := mcConfig(n.MC)
		if err := servers.Validate(); err != nil {
			wrong("DEFAULT", "servicegroup_driver", "is mc, but: %s", oneLine(err))
		}
	}
	if n.ZK != nil {
		tree := zkConfig(n.ZK)
		if err := tree.Validate(); err != nil {
			wrong("DEFAULT", "servicegroup_driver", "is zk, but in [zookeeper]: %s", oneLine(err))
		}
	}
	// The DSNs of cells that are listed by hand may be templates, which are filled in first.
	for i, cell := range nova.NewCloud(cfg, nil, nil).Cells() {
		if err := checkDSN(cell.DSN); err != nil {
			errs = append(errs, in(fmt.Sprintf("cells[%d].dsn", i), err))
		}
	}
	return errors.Join(errs...)
}

// checkDSN checks a DSN. The error does not show it.
func checkDSN(dsn drivers.Secret) error {
	c := db.DefaultConfig()
	c.DSN = dsn
	if field := drivers.FieldOf(c.Validate()); field != nil {
		return field.Err
	}
	return nil
}

// oneLine joins errors in one line.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// checkRoster checks that a source has a roster exactly if its driver needs one, and that the roster lists members.
func checkRoster(c *config.Config, s *config.Source) error {
	switch {
	case s.Driver == driverMC && s.Roster == nil:
		return drivers.Field("roster", `driver "mc" needs a roster, because memcached does not list the members: `+
			`write {source: NAME}, {db: {dsn: URL}} or {members: {GROUP: [NAME]}}`)
	case s.Roster == nil:
		return nil
	case s.Driver != driverMC:
		return drivers.Field("roster", "driver %q has its own roster; remove this section", s.Driver)
	}
	var errs []error
	if rows := s.Roster.DB; rows != nil && len(rows.NovaConf) > 0 {
		errs = append(errs, drivers.Field("roster.db.nova_conf",
			"is only for a source of driver db, because nova.conf also names the servicegroup driver"))
	} else if rows != nil {
		errs = append(errs, in("roster.db", checkDB(rows)))
	}
	for i := range c.Sources {
		switch of := &c.Sources[i]; {
		case s.Roster.Source != of.Name:
		case of.Nova != nil:
			errs = append(errs, drivers.Field("roster.source", "source %q has nova_conf, which already configures the servicegroup driver of its members", of.Name))
		case of.Driver == driverMC:
			errs = append(errs, drivers.Field("roster.source", "source %q has driver \"mc\", which needs a roster itself", of.Name))
		}
	}
	return errors.Join(errs...)
}

// checkCanary checks the database of the canary's table.
func checkCanary(s *config.Source) error {
	if s.Canary == nil {
		return nil
	}
	isTable := s.DB != nil && zkOf(s) == nil && mcOf(s) == nil
	switch dsn := s.Canary.DSN; {
	case !hasPlace(s):
		return in("canary", errNoPlace)
	case dsn.IsZero() && isTable && s.Nova != nil:
		return in("canary", errManyDatabases)
	case dsn.IsZero():
		return nil
	case !isTable:
		return drivers.Field("canary.dsn", "is only for sources whose members are in a database")
	default:
		return in("canary.dsn", checkDSN(dsn))
	}
}

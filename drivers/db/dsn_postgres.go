package db

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"servicegroup_exporter/internal/suggest"
)

// postgresParameters are the supported parameters of libpq, and so of psycopg2. Those that are true are also sent to the
// server as settings of the session.
func postgresParameters() map[string]bool {
	return map[string]bool{
		"application_name": true, "options": true, "search_path": true, "timezone": true, "client_encoding": true,
		"channel_binding": false, "connect_timeout": false, "dbname": false, "host": false, "hostaddr": false,
		"passfile": false, "password": false, "port": false, "require_auth": false, "service": false,
		"servicefile": false, "sslcert": false, "sslkey": false, "sslmode": false, "sslnegotiation": false,
		"sslpassword": false, "sslrootcert": false, "sslsni": false, "target_session_attrs": false, "user": false,
		"krbspn": false, "krbsrvname": false, "max_protocol_version": false, "min_protocol_version": false,
	}
}

// ignoredPostgresParameters are parameters of asyncpg, pg8000 and SQLAlchemy that do not change what is read.
func ignoredPostgresParameters() []string {
	return []string{
		"async_fallback", "command_timeout", "executemany_mode", "fallback_application_name", "gssencmode", "keepalives",
		"keepalives_count", "keepalives_idle", "keepalives_interval", "prepared_statement_cache_size",
		"prepared_statement_name_func", "statement_cache_size", "tcp_user_timeout", "timeout",
	}
}

// postgres returns the target of a postgresql URL. As in libpq's own URLs, parameters override the parts before them.
func (u *dsnURL) postgres() (target, error) {
	known := postgresParameters()
	keywords := map[string]string{"host": u.host, "port": u.port, "user": u.user, "password": u.password, "dbname": u.path}
	for name, values := range u.query {
		if slices.Contains(ignoredPostgresParameters(), name) {
			continue
		}
		if name == "ssl" { // asyncpg's name for it
			name = "sslmode"
		}
		switch _, ok := known[name]; {
		case !ok:
			return target{}, errUnknownParameter(name, slices.Collect(maps.Keys(known)), ignoredPostgresParameters())
		case len(values) > 1 && name != "host":
			return target{}, fmt.Errorf("its parameter %s is given %d times", name, len(values))
		}
		keywords[name] = values[0]
		if len(values) > 1 || name == "host" && strings.Contains(values[0], ":") {
			keywords["host"], keywords["port"] = hostsOf(values)
		}
	}
	if keywords["sslmode"] == "true" {
		keywords["sslmode"] = "require"
	}
	if err := checkParameters(keywords); err != nil {
		return target{}, err
	}
	var dsn []string
	for _, name := range slices.Sorted(maps.Keys(keywords)) {
		if value := keywords[name]; value != "" {
			dsn = append(dsn, name+"="+quoteKeyword(value))
		}
	}
	return parseKeywords(strings.Join(dsn, " "))
}

// checkParameters checks the parameters that must be one of a few words, or a file. The error shows no part of them.
func checkParameters(keywords map[string]string) error {
	for name, words := range map[string][]string{
		"sslmode":              {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"},
		"target_session_attrs": {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"},
		"channel_binding":      {"disable", "prefer", "require"},
		"sslnegotiation":       {"postgres", "direct"},
	} {
		if word := keywords[name]; word != "" && !slices.Contains(words, word) {
			return fmt.Errorf("its parameter %s is not one of %s%s", name, strings.Join(words, ", "), suggest.Hint(word, words))
		}
	}
	for _, name := range []string{"sslrootcert", "sslcert", "sslkey"} {
		if file := keywords[name]; file != "" && file != "system" {
			if _, err := os.Stat(file); err != nil {
				return fmt.Errorf("reading %s: %w", name, withoutPath(err))
			}
		}
	}
	return nil
}

// hostsOf returns libpq's lists of hosts and ports for SQLAlchemy's host=A:PORT&host=B:PORT.
func hostsOf(values []string) (hosts, ports string) {
	var hs, ps []string
	for _, value := range values {
		host, port, _ := strings.Cut(value, ":")
		hs, ps = append(hs, host), append(ps, cmp.Or(port, "5432"))
	}
	return strings.Join(hs, ","), strings.Join(ps, ",")
}

func quoteKeyword(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

// keyword matches the start of a DSN in keywords. The first keyword must be one that libpq knows, because a Go MySQL DSN
// may have an equals sign in its password.
var keyword = regexp.MustCompile(`^([a-z_]+)\s*=`)

func isKeywords(dsn string) bool {
	found := keyword.FindStringSubmatch(dsn)
	if found == nil {
		return false
	}
	_, known := postgresParameters()[found[1]]
	return known
}

// parseKeywords returns the target of libpq's keywords, as in "host=db1 dbname=neutron". As with libpq, missing keywords are
// taken from PGUSER and similar variables and from ~/.pgpass, and the default sslmode is prefer: encrypted if the server
// supports it, without checking its certificate.
func parseKeywords(dsn string) (target, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The parser's own error may quote any part of the DSN.
		return target{}, errors.New("can't be parsed as libpq does: check quotes, port, sslmode and the files that it names")
	}
	known := postgresParameters()
	for name := range cfg.RuntimeParams {
		if !known[strings.ToLower(name)] {
			return target{}, fmt.Errorf("has a keyword that is not known%s", suggest.Hint(name, slices.Collect(maps.Keys(known))))
		}
	}
	if cfg.Database == "" {
		return target{}, errors.New("names no database: it must end like /nova, or have dbname=nova")
	}
	return target{postgres: cfg}, nil
}

package db

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// mysql returns the target of a mysql or mariadb URL.
func (u *dsnURL) mysql() (target, error) {
	if strings.Contains(u.host, ",") {
		return target{}, errors.New("names several hosts, which only PostgreSQL's clients support")
	}
	if err := u.checkParameters(); err != nil {
		return target{}, err
	}
	missing, err := u.addDefaults()
	if err != nil {
		return target{}, err
	}
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName = u.user, u.password, u.path
	cfg.Net, cfg.Addr = "tcp", net.JoinHostPort(cmp.Or(u.host, "localhost"), cmp.Or(u.port, "3306"))
	if socket := u.query.Get("unix_socket"); socket != "" {
		cfg.Net, cfg.Addr = "unix", socket
	}
	if cfg.TLS, err = u.tls(); err != nil {
		return target{}, err
	}
	if u.mayEncrypt && cfg.TLS == nil {
		cfg.TLS, cfg.AllowFallbackToPlaintext = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, true
	}
	t, err := newMySQLTarget(cfg)
	t.noOptionFile = missing
	return t, err
}

// newMySQLTarget checks the settings that URLs and Go DSNs have in common.
func newMySQLTarget(cfg *mysql.Config) (target, error) {
	switch {
	case cfg.DBName == "":
		return target{}, errors.New("names no database: it must end like /nova")
	case strings.ContainsAny(cfg.DBName, "/@\x00"):
		return target{}, fmt.Errorf("its database name is not valid: %w", errEscapes)
	case !slices.Contains([]string{"tcp", "tcp4", "tcp6", "unix"}, cfg.Net):
		return target{}, errors.New("its network is not known: it must be tcp or unix")
	}
	return target{mysql: cfg}, nil
}

// ignoredParameters are parameters of MySQL's Python clients that do not change what is read, or that this driver sets
// itself.
func ignoredParameters() []string {
	return []string{
		"autocommit", "binary_prefix", "charset", "client_flag", "collation", "compress", "connect_timeout",
		"local_infile", "max_allowed_packet", "program_name", "read_timeout", "sql_mode", "use_unicode",
		"write_timeout",
	}
}

// refusedParameters are parameters that change which server is used, or how, and that this driver does not support.
func refusedParameters() []string {
	return []string{
		"auth_plugin_map", "bind_address", "conv", "cursorclass", "database", "db", "defer_connect", "host",
		"init_command", "named_pipe", "passwd", "password", "plugin_dir", "port", "server_public_key", "ssl", "ssl_capath", "ssl_cipher", "ssl_key_password", "user",
	}
}

// checkParameters refuses unknown parameters: ignoring one could mean a wrong server or a connection without encryption.
func (u *dsnURL) checkParameters() error {
	effective := append(tlsParameters(), "unix_socket", "read_default_file", "read_default_group")
	for name, values := range u.query {
		switch {
		case slices.Contains(refusedParameters(), name):
			return fmt.Errorf("its parameter %s is not supported: express it in the URL itself, or leave it out", name)
		case !slices.Contains(effective, name) && !slices.Contains(ignoredParameters(), name):
			return errUnknownParameter(name, effective, ignoredParameters())
		case len(values) > 1:
			return fmt.Errorf("its parameter %s is given %d times", name, len(values))
		}
	}
	return nil
}

// parseGoDSN parses [user[:password]@][net[(addr)]]/dbname[?param1=value1&paramN=valueN].
func parseGoDSN(dsn string) (target, error) {
	_, parameters, _ := strings.Cut(dsn[strings.LastIndexByte(dsn, '/')+1:], "?")
	for pair := range strings.SplitSeq(parameters, "&") {
		if strings.HasPrefix(pair, "strict=") {
			// The parser panics at this parameter, which the library removed long ago.
			return target{}, errors.New("has the parameter strict, which is no longer supported")
		}
	}
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		// The parser's own error may quote any part of the DSN.
		return target{}, errors.New("is neither a URL like mysql+pymysql://user:password@host/nova " +
			"nor a Go DSN like user:password@tcp(host:3306)/nova with known parameters")
	}
	return newMySQLTarget(cfg)
}

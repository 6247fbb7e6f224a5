package db

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/suggest"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
)

// A target is what a DSN names: a database on a MySQL or PostgreSQL server, or an SQLite file.
type target struct {
	mysql    *mysql.Config
	postgres *pgx.ConnConfig
	path     string // of the SQLite file

	ignored      []string // names of SQLAlchemy's parameters in the URL
	noOptionFile bool     // the file of read_default_file does not exist
}

func (t target) isFile() bool { return t.mysql == nil && t.postgres == nil }

// address returns the server's address and the database's name, without secrets.
func (t target) address() string {
	switch {
	case t.mysql != nil:
		return t.mysql.Addr + "/" + t.mysql.DBName
	case t.postgres == nil:
		return t.path
	case strings.HasPrefix(t.postgres.Host, "/"):
		return t.postgres.Host + "/" + t.postgres.Database
	}
	return net.JoinHostPort(t.postgres.Host, strconv.Itoa(int(t.postgres.Port))) + "/" + t.postgres.Database
}

// parseDSN parses SQLAlchemy URLs, Go MySQL DSNs, and libpq's keywords. Its errors show no part of the DSN but the names of
// known parameters, because a password that was not escaped can be in any part.
func parseDSN(dsn string) (target, error) {
	dsn = strings.TrimSpace(dsn)
	if dsn == "" {
		return target{}, errors.New("is missing: write a URL like mysql+pymysql://user:password@host/nova")
	}
	scheme, rest, isURL := strings.Cut(dsn, "://")
	switch {
	case drivers.HasPlaceholder(dsn):
		return target{}, errors.New("has a placeholder for a value, as ${NAME} or {{ name }}, which is not replaced here: write the value itself; " +
			"in a password write $ as %24 and { as %7B")
	case isKeywords(dsn):
		return parseKeywords(dsn)
	case !isURL || !isScheme(scheme):
		return parseGoDSN(dsn)
	}
	dialect, _, _ := strings.Cut(scheme, "+")
	u, err := parseURL(rest)
	if err != nil {
		return target{}, err
	}
	ignored := cutSQLAlchemy(u.query)
	var t target
	switch dialect {
	case "mysql", "mariadb":
		t, err = u.mysql()
	case "sqlite":
		t, err = u.sqlite()
	case "postgresql", "postgres":
		t, err = u.postgres()
	default:
		err = errUnknownScheme(dialect)
	}
	t.ignored = ignored
	return t, err
}

// errUnknownScheme returns the error of a URL for another database. It shows no part of the URL.
func errUnknownScheme(dialect string) error {
	schemes := []string{"mysql", "mariadb", "postgresql", "sqlite"}
	return errors.New("its scheme is not one of " + strings.Join(schemes, ", ") + suggest.Hint(dialect, schemes))
}

// errUnknownParameter returns the error of a parameter that is neither one of those with an effect, nor ignored. It does not
// show the parameter.
func errUnknownParameter(name string, effective, ignored []string) error {
	slices.Sort(effective)
	return errors.New("has a parameter after the question mark that is not known; those with an effect are " +
		strings.Join(effective, ", ") + suggest.Hint(name, append(effective, ignored...)))
}

// isScheme reports whether the text before "://" can be a URL's scheme. If not, it is the start of a Go DSN whose password
// contains "://".
func isScheme(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '+' && r != '_' && !(r >= '0' && r <= '9') && !(r >= 'a' && r <= 'z') && !(r >= 'A' && r <= 'Z')
	})
}

// A dsnURL is a SQLAlchemy URL in its parts, without percent escapes.
type dsnURL struct {
	user, password, host, port, path string
	query                            url.Values
	mayEncrypt                       bool // encrypt if the server can
}

// errEscapes is for a part of a URL that can't be right, which usually means that a special character was not escaped.
var errEscapes = errors.New("in user and password write @ as %40, / as %2F, : as %3A, ? as %3F and % as %25")

// parseURL splits the text after "://" as SQLAlchemy's make_url does, which differs from RFC 3986: the user ends at the
// first colon or slash; the password ends at the first @ after that, and may contain slashes; a plus sign means a space
// only in the query.
func parseURL(rest string) (*dsnURL, error) {
	user, password, rest := cutCredentials(rest)
	rest, query, _ := strings.Cut(rest, "?")
	address, path, _ := strings.Cut(rest, "/")
	host, port, err := cutAddresses(address)
	if err != nil {
		return nil, err
	}
	return &dsnURL{
		user: unquote(user), password: unquote(password), host: host, port: port, path: unquote(path),
		query: parseQuery(query),
	}, nil
}

// unquote decodes percent escapes as Python does: text that is not a valid escape is not changed.
func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// parseQuery parses parameters as Python's parse_qsl does: one without a value is ignored.
func parseQuery(query string) url.Values {
	values := url.Values{}
	for pair := range strings.SplitSeq(query, "&") {
		if name, value, _ := strings.Cut(strings.ReplaceAll(pair, "+", " "), "="); value != "" {
			values.Add(unquote(name), unquote(value))
		}
	}
	return values
}

// cutCredentials returns the user and password before the address, still escaped, and the rest of the URL.
func cutCredentials(s string) (user, password, rest string) {
	head := s
	if i := strings.IndexAny(s, ":/"); i >= 0 {
		head = s[:i]
		if s[i] == ':' {
			if password, rest, found := strings.Cut(s[i+1:], "@"); found {
				return head, password, rest
			}
		}
	}
	// There is no password. The user's name may contain an @ itself, as in some public clouds.
	if i := strings.LastIndexByte(head, '@'); i >= 0 {
		return s[:i], "", s[i+1:]
	}
	return "", "", s
}

// cutAddresses splits the addresses of libpq's URLs, host1:port1,host2:port2, into a list of hosts and one of ports.
func cutAddresses(addresses string) (hosts, ports string, err error) {
	if !strings.Contains(addresses, ",") {
		return cutAddress(addresses)
	}
	var hs, ps []string
	for address := range strings.SplitSeq(addresses, ",") {
		host, port, err := cutAddress(address)
		if err != nil {
			return "", "", err
		}
		hs, ps = append(hs, host), append(ps, cmp.Or(port, "5432"))
	}
	return strings.Join(hs, ","), strings.Join(ps, ","), nil
}

// cutAddress splits host:port and [IPv6]:port. Both parts may be missing.
func cutAddress(address string) (host, port string, err error) {
	host, port, _ = strings.Cut(address, ":")
	if strings.HasPrefix(address, "[") {
		var found bool
		if host, port, found = strings.Cut(address[1:], "]"); !found || net.ParseIP(host) == nil {
			return "", "", errors.New("its IPv6 address in brackets is not valid")
		}
		port = strings.TrimPrefix(port, ":")
	}
	if strings.ContainsAny(host, "@,%$(){}<> \x00") {
		return "", "", fmt.Errorf("its host is not valid: %w", errEscapes)
	}
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
		return "", "", fmt.Errorf("its port is not a number from 1 to 65535: %w", errEscapes)
	}
	return host, port, nil
}

// sqlite returns the target of sqlite:///relative/path or sqlite:////absolute/path.
func (u *dsnURL) sqlite() (target, error) {
	switch {
	case u.host != "" || u.user != "" || u.port != "":
		return target{}, errors.New("an SQLite path follows three slashes, or four when it is absolute: " +
			"sqlite:////var/lib/servicegroup/members.db")
	case u.path == "" || u.path == ":memory:":
		return target{}, errors.New("names no file: other processes can't read a database in memory")
	case strings.ContainsRune(u.path, 0):
		return target{}, errors.New("its path contains a zero byte")
	case len(u.query) > 0:
		return target{}, errors.New("an SQLite file takes no parameters here")
	}
	path, err := filepath.Abs(u.path)
	if err != nil {
		return target{}, fmt.Errorf("finding the working folder: %w", err)
	}
	return target{path: path}, nil
}

// target parses the DSN with the current content of the secrets and of the files that they name.
func (c *Config) target() (target, error) {
	dsn, err := c.DSN.Read()
	if err != nil {
		return target{}, drivers.Field("dsn", "%w", err)
	}
	t, err := parseDSN(dsn)
	if err != nil {
		return target{}, drivers.Field("dsn", "%w", err)
	}
	password, err := c.Password.Read()
	switch {
	case err != nil:
		return target{}, drivers.Field("password", "%w", err)
	case password == "":
	case t.mysql != nil:
		t.mysql.Passwd = password
	case t.postgres != nil:
		t.postgres.Password = password
	default:
		return target{}, drivers.Field("password", "an SQLite file has no password")
	}
	return t, nil
}

// A credentialsError means that the credentials for a new connection can't be read.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return "reading the credentials: " + e.err.Error() }

func (e *credentialsError) Unwrap() error { return e.err }

// errOtherDatabase is for a DSN in a file that changed. A new user or password is taken over, but another database would
// have other members.
var errOtherDatabase = errors.New("the DSN names another database than when it was first read; reload the configuration to use it")

// reread reads the target again for a new connection, since passwords, keys and certificates may have been replaced.
func (c *Config) reread(address string) (target, error) {
	t, err := c.target()
	if err == nil && t.address() != address {
		err = errOtherDatabase
	}
	if err != nil {
		return target{}, &credentialsError{err}
	}
	return t, nil
}

package db

import (
	"crypto/tls"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"

	"servicegroup_exporter/drivers"
)

func TestParseDSN(t *testing.T) {
	type want struct{ user, password, network, address, database string }
	for dsn, want := range map[string]want{
		"mysql+pymysql://nova:pw@10.0.0.5:3307/nova?charset=utf8":                          {"nova", "pw", "tcp", "10.0.0.5:3307", "nova"},
		"mysql://nova:pw@db/nova":                                                          {"nova", "pw", "tcp", "db:3306", "nova"},
		"mysql+mysqldb://nova@db:3306/nova":                                                {"nova", "", "tcp", "db:3306", "nova"},
		"mariadb+mariadbconnector://n:p@db/nova_cell0":                                     {"n", "p", "tcp", "db:3306", "nova_cell0"},
		"mysql+pymysql://nova:p%40ss%2Fw%3a%25@db/nova":                                    {"nova", "p@ss/w:%", "tcp", "db:3306", "nova"},
		"mysql+pymysql://nova:a+b@db/nova":                                                 {"nova", "a+b", "tcp", "db:3306", "nova"},
		"mysql+pymysql://nova:100%@db/nova":                                                {"nova", "100%", "tcp", "db:3306", "nova"},
		"mysql+pymysql://nova:a/b:c?d@db/nova":                                             {"nova", "a/b:c?d", "tcp", "db:3306", "nova"},
		"mysql+pymysql://nova@server:pw@db/nova":                                           {"nova@server", "pw", "tcp", "db:3306", "nova"},
		"mysql+pymysql://user@db/nova":                                                     {"user", "", "tcp", "db:3306", "nova"},
		"mysql+pymysql://u:p@[fd00::5]:3307/nova":                                          {"u", "p", "tcp", "[fd00::5]:3307", "nova"},
		"mysql+pymysql://u:p@[fd00::5]/nova":                                               {"u", "p", "tcp", "[fd00::5]:3306", "nova"},
		"mysql+pymysql://u:p@/nova?unix_socket=/run/mysqld/s.sock":                         {"u", "p", "unix", "/run/mysqld/s.sock", "nova"},
		"mysql://u@/nova?unix_socket=/run/my+sql%2Bd&charset=":                             {"u", "", "unix", "/run/my sql+d", "nova"},
		"mysql+pymysql:///nova":                                                            {"", "", "tcp", "localhost:3306", "nova"},
		" mysql+pymysql://u:p@db/nova?charset=utf8mb4&autocommit=true&connect_timeout=3\n": {"u", "p", "tcp", "db:3306", "nova"},
		"u:p@tcp(db:3307)/nova":                                                            {"u", "p", "tcp", "db:3307", "nova"},
		"u:p@tcp(db)/nova?parseTime=true&loc=UTC":                                          {"u", "p", "tcp", "db:3306", "nova"},
		"u:p@:/@unix(/run/mysqld/s.sock)/nova":                                             {"u", "p@:/", "unix", "/run/mysqld/s.sock", "nova"},
		"u:x://y@tcp(db:3306)/nova":                                                        {"u", "x://y", "tcp", "db:3306", "nova"},
		"/nova":                                                                            {"", "", "tcp", "127.0.0.1:3306", "nova"},
		"u:p@tcp(db)/strictly?charset=utf8,latin1":                                         {"u", "p", "tcp", "db:3306", "strictly"},
	} {
		got, err := parseDSN(dsn)
		require.NoError(t, err, dsn)
		c := got.mysql
		require.Equal(t, []string{want.user, want.password, want.network, want.address, want.database},
			[]string{c.User, c.Passwd, c.Net, c.Addr, c.DBName}, dsn)
		require.Nil(t, c.TLS, dsn)
	}
}

func TestParseSQLite(t *testing.T) {
	here, err := os.Getwd()
	require.NoError(t, err)
	for dsn, want := range map[string]string{
		"sqlite:///members.db":             filepath.Join(here, "members.db"),
		"sqlite:////var/lib/sg/members.db": "/var/lib/sg/members.db",
		"sqlite+pysqlite:////a%20b%3F/c":   "/a b?/c",
	} {
		got, err := parseDSN(dsn)
		require.NoError(t, err, dsn)
		require.Equal(t, target{path: want}, got)
	}
}

func TestParseDSNErrors(t *testing.T) {
	for dsn, want := range map[string]string{
		"":                            "is missing: write a URL like mysql+pymysql://user:password@host/nova",
		"oracle://u:secret1@h/d":      "its scheme is not one of mysql, mariadb, postgresql, sqlite",
		"mysql://u:secret1@h":         "names no database: it must end like /nova",
		"mysql://u:secret1@h/":        "names no database: it must end like /nova",
		"mysql://u:se@cret1@h/nova":   "its host is not valid: " + errEscapes.Error(),
		"mysql://u:s@e/cret1@h/nova":  "its database name is not valid: " + errEscapes.Error(),
		"mysql://u:x@h1,h2/nova":      "names several hosts, which only PostgreSQL's clients support",
		"mysql://u:x@h1:1,h2:2/nova":  "names several hosts, which only PostgreSQL's clients support",
		"mysql://u:secret1/nova":      "its port is not a number from 1 to 65535: " + errEscapes.Error(),
		"mysql://u:x@h:0/nova":        "its port is not a number from 1 to 65535: " + errEscapes.Error(),
		"mysql://u:x@h:65536/nova":    "its port is not a number from 1 to 65535: " + errEscapes.Error(),
		"mysql://u:x@[fd00::5/nova":   "its IPv6 address in brackets is not valid",
		"mysql://u:x@[db]/nova":       "its IPv6 address in brackets is not valid",
		"mysql://u:x@h/n?ssl_ca=/no":  "reading ssl_ca: no such file or directory",
		"mysql://u:x@h/n?ssl_key=/no": "ssl_cert and ssl_key must be given together: one is missing",
		"mysql://u:x@h/n?ssl_mode=verify": "its ssl_mode is not one of DISABLED, PREFERRED, REQUIRED, VERIFY_CA, " +
			"VERIFY_IDENTITY",
		"mysql://u:x@h1,h2/n": "names several hosts, which only PostgreSQL's clients support",
		"mysql://u:x@h/n?bind_address=a": "its parameter bind_address is not supported: " +
			"express it in the URL itself, or leave it out",
		"mysql://u:x@h/n?surprise=1":          unknownMySQL,
		"mysql://u:x@h/n?sslca=/ca":           unknownMySQL + `; did you mean "ssl_ca"?`,
		"mysql://u:x@h/n?socket=/run/x":       unknownMySQL + `; did you mean "unix_socket"?`,
		"mysql://u:x@h/n?char_set=utf8":       unknownMySQL + `; did you mean "charset"?`,
		"mysql://u:x@h/n?ssl_mode=verify-ca":  "its ssl_mode is not one of DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY; did you mean \"VERIFY_CA\"?",
		"postgre://u:x@h/n":                   `its scheme is not one of mysql, mariadb, postgresql, sqlite; did you mean "postgresql"?`,
		"mysq+pymysql://u:x@h/n":              `its scheme is not one of mysql, mariadb, postgresql, sqlite; did you mean "mysql"?`,
		"mysql://u:x@h/n?charset=a&charset=b": "its parameter charset is given 2 times",
		"sqlite://members.db":                 "an SQLite path follows three slashes, or four when it is absolute: sqlite:////var/lib/servicegroup/members.db",
		"sqlite://":                           "names no file: other processes can't read a database in memory",
		"sqlite:///:memory:":                  "names no file: other processes can't read a database in memory",
		"sqlite:///a?mode=ro":                 "an SQLite file takes no parameters here",
		"u:secret1@tcp(h:3306)":               notGo,
		"u:secret1@tcp(h:3306/nova":           notGo,
		"u:p@tcp(h)/nova?tls=custom":          notGo,
		"u:p@tcp(h)/nova?parseTime=secret1":   notGo,
		"u:p@tcp(h)/nova?a=b&strict=true":     "has the parameter strict, which is no longer supported",
		"u:p@carrier(pigeon)/nova":            "its network is not known: it must be tcp or unix",
		"u:p@tcp(h)/":                         "names no database: it must end like /nova",
		"mysql://u:p@${DB_HOST}/nova":         placeholder,
		"mysql://u:${DB_PASSWORD}@h/nova":     placeholder,
		"mysql://u:p@h/${DB:-nova}":           placeholder,
		"postgresql://u@$(DB_HOST):5432/nova": placeholder,
		"host={{ db_host }} dbname=nova":      placeholder,
		"u:p@tcp(${DB_HOST}:3306)/nova":       placeholder,
		"sqlite:///${STATE}/members.db":       placeholder,
		"mysql://u:p@$DB_HOST/nova":           "its host is not valid: " + errEscapes.Error(),
		"mysql://u:p@<host>/nova":             "its host is not valid: " + errEscapes.Error(),
	} {
		_, err := parseDSN(dsn)
		require.EqualError(t, err, want, dsn)

		cfg := config(dsn)
		err = cfg.Validate()
		require.EqualError(t, err, "dsn: "+want)
		require.Equal(t, "dsn", drivers.FieldOf(err).Field)
	}
}

// Each parameter that is refused is named by the error and in the documentation's table of what is not supported.
func TestRefusedParameters(t *testing.T) {
	page, err := os.ReadFile("../../docs/security.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(page), "\n## What is not supported\n")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n## ")
	for _, name := range append(refusedParameters(), "ssl-capath") {
		require.Contains(t, table, "`"+name+"`")
		if name != "ssl-capath" { // of option files
			_, err := parseDSN("mysql://u:x@h/n?" + name + "=a")
			require.EqualError(t, err, "its parameter "+name+" is not supported: express it in the URL itself, or leave it out")
		}
	}
}

const placeholder = "has a placeholder for a value, as ${NAME} or {{ name }}, which is not replaced here: write the value itself; " +
	"in a password write $ as %24 and { as %7B"

const unknownMySQL = "has a parameter after the question mark that is not known; those with an effect are read_default_file, " +
	"read_default_group, ssl_ca, ssl_cert, ssl_check_hostname, ssl_disabled, ssl_key, ssl_mode, ssl_verify_cert, " +
	"ssl_verify_identity, unix_socket"

const notGo = "is neither a URL like mysql+pymysql://user:password@host/nova nor a Go DSN like " +
	"user:password@tcp(host:3306)/nova with known parameters"

// The parameters decide which checks of the server's certificate are made.
func TestParseTLS(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.Symlink(testserver.NewAuthority(t).File, ca))
	const nothing, chain, all = "nothing", "chain", "chain and name"
	for query, want := range map[string]string{
		"ssl_ca=" + ca:                              all,
		"ssl_verify_identity=true":                  all,
		"ssl_verify_cert=true":                      all,
		"ssl_mode=VERIFY_IDENTITY":                  all,
		"ssl_mode=VERIFY_CA&ssl_ca=" + ca:           chain,
		"ssl_check_hostname=false&ssl_ca=" + ca:     chain,
		"ssl_verify_identity=0&ssl_ca=" + ca:        chain,
		"ssl_verify_cert=false&ssl_ca=" + ca:        nothing,
		"ssl_mode=REQUIRED":                         nothing,
		"ssl_verify_cert=false&ssl_mode=PREFERRED":  nothing,
		"ssl_verify_cert=true&ssl_disabled=true":    "no encryption",
		"ssl_mode=DISABLED&ssl_ca=/does/not/matter": "no encryption",
	} {
		got, err := parseDSN("mysql://u:p@db.example/nova?" + query)
		require.NoError(t, err, query)
		require.Equal(t, want, checks(got.mysql.TLS), query)
	}
	for parameter, want := range map[string]string{"true": all, "skip-verify": nothing, "false": "no encryption"} {
		got, err := parseDSN("u:p@tcp(db.example)/nova?tls=" + parameter)
		require.NoError(t, err)
		require.Equal(t, want, checks(got.mysql.TLS), parameter)
	}
}

func checks(c *tls.Config) string {
	switch {
	case c == nil:
		return "no encryption"
	case !c.InsecureSkipVerify && c.ServerName == "db.example":
		return "chain and name"
	case c.VerifyConnection != nil:
		return "chain"
	}
	return "nothing"
}

// No text makes the parser panic, and no error shows a password, escaped or not.
func FuzzParseDSN(f *testing.F) {
	for _, seed := range [][3]string{
		{"mysql+pymysql://nova:", "correct horse", "@db:3306/nova?charset=utf8"},
		{"mysql://nova:", "battery@staple", "@db/nova?ssl_ca=/etc/ca.pem&unix_socket=/run/s"},
		{"mysql://nova:", "bat/te?ry&st=a@ple", "@[::1]:3306/nova"},
		{"sqlite:///", "x/y?z#", ""},
		{"postgresql://nova:", "12345678", "@h/d"},
		{"nova:", "p@ss:w/ord()", "@tcp(db:3306)/nova?parseTime=true&tls=skip-verify&strict=1"},
		{"nova:", "%zz%4", "@unix(/run/s)/nova?timeout=1"},
		{"", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, before, password, after string) {
		for _, written := range []string{password, url.QueryEscape(password)} {
			_, err := parseDSN(before + written + after)
			if err == nil || len(password) < 8 {
				continue // Shorter texts are parts of ordinary words.
			}
			for _, part := range append(strings.FieldsFunc(password, isDelimiter), password, written) {
				if len(part) >= 8 && !isOrdinary(part) && strings.Contains(err.Error(), part) {
					t.Errorf("%q is shown in %q", part, err)
				}
			}
		}
	})
}

// isDelimiter reports whether the parser may split a password that was not escaped at a character.
func isDelimiter(r rune) bool { return strings.ContainsRune("@:/?&=#()%+", r) }

// isOrdinary reports whether errors contain the text anyway: in their own words, or as the name of a parameter.
func isOrdinary(s string) bool {
	words := slices.Concat(ignoredParameters(), refusedParameters(), tlsParameters())
	for _, dsn := range []string{
		"", "oracle://", "postgresql://", "sqlite://x", "sqlite://", "sqlite:///a?b=c",
		"mysql://h", "mysql://[", "mysql://h:0/", "mysql://@@h/", "mysql://h/a/b", "mysql://h/a?b=c", "a@b(c)/d",
		"mysql://h/a?ssl_mode=b", "mysql://h/a?ssl_key=b", "mysql://h/a?ssl_ca=/", "mysql://h/a?db=b",
		"mysql://h/a?charset=1&charset=2", "/nova?strict=1",
	} {
		if _, err := parseDSN(dsn); err != nil {
			words = append(words, err.Error())
		}
	}
	return strings.Contains(strings.Join(words, " "), s)
}

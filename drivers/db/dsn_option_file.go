package db

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// maxOptionFile is the maximum size of an option file, in bytes.
const maxOptionFile = 1 << 20

// addDefaults adds what the option file that the URL names says, as PyMySQL does: a part of the URL comes first. It reports
// whether the file is missing, which PyMySQL ignores. Lines that include other files are ignored, as PyMySQL ignores them.
// No error quotes the file.
func (u *dsnURL) addDefaults() (missing bool, err error) {
	path, group := u.query.Get("read_default_file"), u.query.Get("read_default_group")
	switch {
	case path == "" && group == "":
		return false, nil
	case path == "":
		path = "/etc/my.cnf"
	case group == "":
		group = "client"
	}
	options, err := readOptionFile(path, group)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the file of read_default_file: %w", withoutPath(err))
	}
	if options["ssl-capath"] != "" {
		return false, errors.New("the file of read_default_file has ssl-capath, which is not supported: use ssl-ca")
	}
	for option, part := range map[string]*string{
		"host": &u.host, "port": &u.port, "user": &u.user, "password": &u.password, "database": &u.path,
	} {
		if *part == "" {
			*part = options[option]
		}
	}
	encrypted := false
	for option, parameter := range map[string]string{
		"socket": "unix_socket", "ssl-ca": "ssl_ca", "ssl-cert": "ssl_cert", "ssl-key": "ssl_key", "ssl-mode": "ssl_mode",
		"ssl-verify-server-cert": "ssl_verify_identity",
	} {
		if value := options[option]; value != "" && !u.query.Has(parameter) {
			u.query.Set(parameter, value)
			encrypted = encrypted || parameter != "unix_socket"
		}
	}
	// With ssl alone mysqlclient encrypts, and PyMySQL does not: the server decides.
	u.mayEncrypt = isTrue(options["ssl"]) && !encrypted
	return false, nil
}

// readOptionFile returns the options of one group of a MySQL option file, with dashes in their names. Later ones come first.
func readOptionFile(path, group string) (map[string]string, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		path = filepath.Join(home, rest)
	}
	// A cell mapping may name any path. Without O_NONBLOCK the opening of a named pipe would wait for a writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("it is not a regular file"))
	}
	text, err := io.ReadAll(io.LimitReader(f, maxOptionFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxOptionFile:
		return nil, fmt.Errorf("it is larger than %d bytes", maxOptionFile)
	}
	options, section := map[string]string{}, ""
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.ContainsRune("#;!", rune(line[0])):
		case line[0] == '[':
			section, _, _ = strings.Cut(line[1:], "]")
		case section == group:
			name, value, found := strings.Cut(line, "=")
			name = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), "_", "-")
			if options[name] = unquoteOption(strings.TrimSpace(value)); !found {
				options[name] = "1" // an option without a value is on
			}
		}
	}
	return options, nil
}

func unquoteOption(s string) string {
	if n := len(s); n > 1 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}

// sqlalchemyParameters are options of SQLAlchemy itself and of its pools, which never reach the database's client.
func sqlalchemyParameters() []string {
	return []string{
		"plugin", "echo", "echo_pool", "isolation_level", "max_overflow", "pool_pre_ping", "pool_recycle", "pool_reset_on_return",
		"pool_size", "pool_timeout", "pool_use_lifo",
	}
}

// cutSQLAlchemy removes the options of SQLAlchemy and of its plugins from parameters, and returns their names, sorted. The names of a
// plugin's options begin with its own name, as collectd_host.
func cutSQLAlchemy(query url.Values) (names []string) {
	known := sqlalchemyParameters()
	plugins := strings.Split(strings.Join(query["plugin"], ","), ",")
	for name := range query {
		ofPlugin := func(plugin string) bool { return plugin != "" && strings.HasPrefix(name, plugin+"_") }
		if slices.Contains(known, name) || slices.ContainsFunc(plugins, ofPlugin) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		query.Del(name)
	}
	return names
}

package db

import (
	"errors"

	"servicegroup_exporter/drivers"
)

// target reads where the database is and who we are, as the secrets and the files that they name say it now.
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

// A credentialsError says that there are no credentials to connect with at the moment.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return "reading the credentials: " + e.err.Error() }

func (e *credentialsError) Unwrap() error { return e.err }

// errMoved is for a DSN in a file that changes: users come and go, but members of another database are others.
var errMoved = errors.New("the DSN names another database than when it was first read; reload to go there")

// renewed reads the target again for a new connection: passwords, keys and certificates are replaced while the program runs.
func (c *Config) renewed(place string) (target, error) {
	t, err := c.target()
	if err == nil && t.place() != place {
		err = errMoved
	}
	if err != nil {
		return target{}, &credentialsError{err}
	}
	return t, nil
}

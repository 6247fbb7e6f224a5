// Package db is the driver for heartbeat tables in SQL databases, as OpenStack Nova's db servicegroup driver writes them:
// every member has a row, whose time it updates as long as it is alive.
//
// A database (database.go) is how a server is reached and how SQL is written for it: mysql.go for MySQL and MariaDB,
// postgres.go for PostgreSQL, sqlite.go for an SQLite file. A schema (schema.go) is the layout of a service's table and the
// rule by which a row is up: schemas.go has one function for each service, custom.go the schema that the configuration
// describes. All other files depend on neither the kind of database nor the schema.
//
// DSNs are accepted in four forms, with parsers of their own. SQLAlchemy URLs are what OpenStack's configuration files
// contain, with quoting that no Go library parses. Go's MySQL DSNs and libpq's keywords are what other exporters of these
// databases use, so that an operator can copy a DSN from there.
package db

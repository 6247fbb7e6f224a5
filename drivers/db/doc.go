// Package db is the driver for heartbeat tables in SQL databases, as OpenStack Nova's db servicegroup driver keeps them:
// every member has a row, and brings its time up to date as long as it lives.
//
// A database is reached, and its SQL written, by a store: mysql.go for MySQL and MariaDB, postgres.go for
// PostgreSQL, sqlite.go for the embedded store. What the table looks like, and which rule says that a row is up, is a
// schema: schemas.go with one entry a service, custom.go for one that the configuration
// describes. Everything else knows of neither.
package db

// Package nova reads what the databases of one Nova have in common: its API database, which lists the cells, and says in
// which availability zone a host is. Each cell has a database with a table of services of its own.
//
// A [Cloud] is what was read about one Nova. Its own driver reads the API database and has no members. Package db has the
// drivers of the cells; the cloud adds the zones.
package nova

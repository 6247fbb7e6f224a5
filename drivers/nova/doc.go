// Package nova knows what makes one Nova of many databases: its API database names the cells, each of which has a table
// of services, and says which availability zone a host is in.
//
// A [Cloud] is what is known of one Nova. Its own driver reads the API database and has no members; the drivers of the
// cells are those of package db, with zones.
package nova

// Package mysql8 tests the database driver against MySQL 8's protocol: its version string, the plugin caching_sha2_password, the
// collation utf8mb4_0900_ai_ci and the upper-case columns of its information schema. The server is go-mysql-server, a
// reimplementation in Go, not MySQL: what its storage and its optimizer do says nothing about MySQL.
//
// The package is a module of its own, so that other tests need not compile the server.
package mysql8

// Package session makes and keeps ZooKeeper sessions: one session is one TCP connection.
//
// The client library has no contexts and no time limits, reconnects without end, and can hang in several ways. So one of
// its connections is used for exactly one TCP connection and one session. When either ends, both are thrown away and the
// next session starts from nothing; the library's reconnecting, re-watching and re-authenticating code never runs. The
// bytes of the connection pass through this package. It cuts the connection when a call hangs, and refuses servers that
// don't speak ZooKeeper's protocol before the library allocates the memory that they ask for.
package session

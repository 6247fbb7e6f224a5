// Package zk is the ServiceGroup driver that keeps membership in ZooKeeper.
//
// What it writes and reads, below an optional chroot:
//
//	PREFIX                          persistent, empty
//	PREFIX/GROUP                    persistent, "ZKMembers" as evzookeeper writes it
//	PREFIX/GROUP/MEMBER             ephemeral: who is there (flat layout)
//	PREFIX/.roster/GROUP/MEMBER     persistent, JSON: who should be there
//
// The first three levels are those of OpenStack Nova's zk driver (2013.1 to 2014.2), so that either can read the
// other's groups. The roster is this program's own: a member with a record and no ephemeral znode is dead, and one
// without either has left. Nova 2015.1.0b2 nested one level more, with a persistent PREFIX/GROUP/HOST that says
// "ZKMembers" and an ephemeral child for each process; such nodes are read too.
//
// # Other systems
//
// What other systems keep is read in terms of paths, names and data: see [Custom], and the presets, which are declared in
// these terms. Every znode that may be a member is read once and watched; a poll asks for the directories only. Such
// layouts can't be joined.
//
// # Connections
//
// The client library has no contexts and no time limits, keeps trying for ever, and can hang or wedge in several ways.
// So one of its connections is used here for exactly one TCP connection and one session: when either ends, it is thrown
// away and the next one starts from nothing. Its reconnecting, re-watching and re-authenticating code never runs. The
// connection's bytes pass through this package, which cuts it when a call hangs, and refuses peers that don't speak
// ZooKeeper's protocol before the library allocates what they ask for.
//
// A session is never resumed over a new connection. A member whose connection breaks moves its znode to a new session in
// one transaction, before the old session expires, so that nobody sees it missing.
package zk

// Package mc is the driver for members that write heartbeats to memcached, as OpenStack Nova's mc servicegroup driver
// does: every member writes the time under a key of its own. Which members there should be is not in memcached: the
// driver takes it from a roster, which is another driver or a list.
//
// A poll reads the roster, reads every member's key from every server (read.go), and decides which members are up (verdict.go). A
// missing key alone does not prove a death: memcached drops items, and the members' clients spread the keys over several
// servers in ways that only they know.
//
// Values are pickles of Python objects. The driver finds the one time in them (pickle.go) and never unpickles anything; the
// known pickle library for Go builds arbitrary objects from what a server sends, and is larger. The bounds on answers
// (guard.go) stay until gomemcache has a maximum item size: docs/upstream offers it.
package mc

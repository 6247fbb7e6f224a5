// Package mc is the driver for members that keep a heartbeat in memcached, as OpenStack Nova's mc servicegroup driver
// does: every member writes the time under a key of its own, and who should be there is written elsewhere, in the roster.
//
// A poll reads the roster, asks every server for every member's key (read.go), and weighs what they say (evidence.go):
// memcached forgets, and several of them share the keys in ways that only their clients know, so that a key that is
// absent proves a death only if its servers can be trusted. Values are pickles of Python objects. Their one time is read
// (pickle.go); nothing is ever unpickled.
package mc

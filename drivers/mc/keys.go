package mc

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"servicegroup_exporter/drivers"
)

// The values of [Config.KeyFormat].
const (
	KeyFormatSHA1  = "sha1"
	KeyFormatPlain = "plain"
)

// A keyFormat says how members' heartbeats are stored.
type keyFormat interface {
	// key returns the key of a member's heartbeat.
	key(member drivers.Key) (string, error)
	// parse reads a heartbeat. It returns an error if the value is not one.
	parse(item *memcache.Item) (storedBeat, error)
	// alive returns the item that a live member writes.
	alive(key string, now time.Time, downTime time.Duration) *memcache.Item
	// dead returns the item that replaces the heartbeat of a member that died, or nil if the heartbeat is to be deleted.
	dead(key string, now time.Time, downTime time.Duration) *memcache.Item
}

// A storedBeat is a heartbeat that a server has. One without a time counts for as long as it exists.
type storedBeat struct{ at time.Time }

// isFresh reports whether the heartbeat proves that its member is alive, by the rule of Nova's mc driver
// (nova/servicegroup/drivers/mc.py:is_up): it is at most downTime old. A heartbeat from the future counts too.
func (h storedBeat) isFresh(now time.Time, downTime time.Duration) bool {
	return h.at.IsZero() || now.Sub(h.at) <= downTime
}

// keyText is Nova's own name for a member's key.
func keyText(member drivers.Key) string { return member.Group + ":" + member.Name }

func sha1Hex(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// leftKey is the key of the note by which [Driver.Leave] tells live processes that their member was removed. It differs
// from the keys of all members.
func leftKey(member drivers.Key) string {
	return sha1Hex("servicegroup_exporter:left:" + keyText(member))
}

// sha1Keys is the format of Nova since release 14, and of 13 with a [cache] section: the key is the SHA-1 that oslo.cache
// makes of its text, and the value never expires but contains the time at which it was written.
type sha1Keys struct{}

func (sha1Keys) key(member drivers.Key) (string, error) { return sha1Hex(keyText(member)), nil }

func (sha1Keys) parse(item *memcache.Item) (storedBeat, error) {
	at, err := valueTime(item)
	return storedBeat{at}, err
}

func (sha1Keys) alive(key string, now time.Time, _ time.Duration) *memcache.Item {
	return &memcache.Item{Key: key, Value: cachedValue(now), Flags: flagPickle}
}

// dead returns a heartbeat that is one second too old: a missing key could have been dropped by the server.
func (s sha1Keys) dead(key string, now time.Time, downTime time.Duration) *memcache.Item {
	return s.alive(key, now.Add(-downTime-time.Second), downTime)
}

// plainKeys is the format of older Novas: the key is its text. The value expires after service_down_time, or contains the
// time at which it was written, as in release 13 with memcached_servers in its first section.
type plainKeys struct{}

// maxKey is the length of the longest key that memcached allows, in bytes.
const maxKey = 250

var errKey = errors.New("memcached allows no key of more than 250 bytes or with spaces or control characters")

func (plainKeys) key(member drivers.Key) (string, error) {
	text := keyText(member)
	bad := func(c rune) bool { return c <= ' ' || c == 0x7f }
	if len(text) > maxKey || strings.ContainsFunc(text, bad) {
		return "", errKey
	}
	return text, nil
}

func (plainKeys) parse(item *memcache.Item) (storedBeat, error) {
	if at, err := valueTime(item); err == nil {
		return storedBeat{at}, nil
	}
	return storedBeat{}, nil
}

func (plainKeys) alive(key string, now time.Time, downTime time.Duration) *memcache.Item {
	return &memcache.Item{Key: key, Value: datetimeValue(now), Flags: flagPickle, Expiration: expiry(downTime)}
}

func (plainKeys) dead(string, time.Time, time.Duration) *memcache.Item { return nil }

// maxExpiry is the longest duration that memcached takes; it takes larger numbers for dates.
const maxExpiry = 30 * 24 * time.Hour

// expiry returns a duration in whole seconds, rounded up, as memcached takes it. It is never 0, by which memcached
// understands that the item does not expire.
func expiry(d time.Duration) int32 {
	return int32((min(max(d, 1), maxExpiry) + time.Second - 1) / time.Second)
}

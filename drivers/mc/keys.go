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

// The values of [Config.Keys].
const (
	KeysSHA1  = "sha1"
	KeysPlain = "plain"
)

// A scheme is how members are written.
type scheme interface {
	// key is where a member's heartbeat is.
	key(member drivers.Key) (string, error)
	// see reads a heartbeat. Its error says that the value is none.
	see(item *memcache.Item) (sighting, error)
	// heartbeat is what a member writes that is alive.
	heartbeat(key string, now time.Time, downTime time.Duration) *memcache.Item
	// death takes a heartbeat's place when the member has died, nil: the heartbeat is deleted.
	death(key string, now time.Time, downTime time.Duration) *memcache.Item
}

// A sighting is a heartbeat as a server had it. One without a time is true for as long as it is there.
type sighting struct{ at time.Time }

// live says whether the heartbeat proves that its member is alive, by Nova's rule: one-sided, so that a heartbeat from
// the future does, too.
func (s sighting) live(now time.Time, downTime time.Duration) bool {
	return s.at.IsZero() || now.Sub(s.at) <= downTime
}

// keyText is Nova's own name for a member's key.
func keyText(member drivers.Key) string { return member.Group + ":" + member.Name }

func sha1Hex(text string) string {
	sum := sha1.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// leftKey is where [Driver.Leave] says to the living that they were removed, out of everybody else's way.
func leftKey(member drivers.Key) string {
	return sha1Hex("servicegroup_exporter:left:" + keyText(member))
}

// hashed is the scheme of Nova since release 14, and of 13 with a [cache] section: the key is the SHA-1 that oslo.cache
// makes of its text, and the value never expires but says when it was written.
type hashed struct{}

func (hashed) key(member drivers.Key) (string, error) { return sha1Hex(keyText(member)), nil }

func (hashed) see(item *memcache.Item) (sighting, error) {
	at, err := valueTime(item)
	return sighting{at}, err
}

func (hashed) heartbeat(key string, now time.Time, _ time.Duration) *memcache.Item {
	return &memcache.Item{Key: key, Value: cachedValue(now), Flags: flagPickle}
}

// A death is a heartbeat that is a second too old. A key that is missing could have been lost in other ways.
func (s hashed) death(key string, now time.Time, downTime time.Duration) *memcache.Item {
	return s.heartbeat(key, now.Add(-downTime-time.Second), downTime)
}

// plain is the scheme of Nova before: the key is its text. The value expires after service_down_time, or is one that
// says when it was written, as release 13 had with memcached_servers in its first section.
type plain struct{}

// maxKey is how many bytes memcached allows.
const maxKey = 250

var errKey = errors.New("memcached allows no key of more than 250 bytes, or with blanks or control characters")

func (plain) key(member drivers.Key) (string, error) {
	text := keyText(member)
	bad := func(c rune) bool { return c <= ' ' || c == 0x7f }
	if len(text) > maxKey || strings.ContainsFunc(text, bad) {
		return "", errKey
	}
	return text, nil
}

func (plain) see(item *memcache.Item) (sighting, error) {
	if at, err := valueTime(item); err == nil {
		return sighting{at}, nil
	}
	return sighting{}, nil
}

func (plain) heartbeat(key string, now time.Time, downTime time.Duration) *memcache.Item {
	return &memcache.Item{Key: key, Value: datetimeValue(now), Flags: flagPickle, Expiration: expiry(downTime)}
}

func (plain) death(string, time.Time, time.Duration) *memcache.Item { return nil }

// maxExpiry is the longest time that memcached takes for a duration, and not for a date.
const maxExpiry = 30 * 24 * time.Hour

// expiry gives a duration as memcached wants it: in whole seconds, here rounded up, of which zero would be for ever.
func expiry(d time.Duration) int32 {
	return int32((min(max(d, 1), maxExpiry) + time.Second - 1) / time.Second)
}

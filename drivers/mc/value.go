package mc

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

// The flags of python-memcached, pymemcache and python-binary-memcached.
const (
	flagPickle     = 1 << 0
	flagCompressed = 1 << 3
)

// maxValue bounds a value after it was inflated. Nova's have some 120 to 240 bytes.
const maxValue = 64 << 10

var errNotPickled = errors.New("the value is no pickle")

// valueTime reads from a value the time at which its member wrote it, by that member's clock.
func valueTime(item *memcache.Item) (time.Time, error) {
	if item.Flags&flagPickle == 0 {
		return time.Time{}, errNotPickled
	}
	pickle := item.Value
	if item.Flags&flagCompressed != 0 {
		var err error
		if pickle, err = inflate(pickle); err != nil {
			return time.Time{}, fmt.Errorf("inflating a value: %w", err)
		}
	}
	seconds, err := creationTime(pickle)
	if err != nil {
		return time.Time{}, err
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
}

// inflate undoes zlib's compression, up to maxValue.
func inflate(compressed []byte) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxValue+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxValue {
		return nil, fmt.Errorf("it has more than %d bytes", maxValue)
	}
	return data, nil
}

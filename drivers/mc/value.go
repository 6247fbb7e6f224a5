package mc

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"

	"github.com/bradfitz/gomemcache/memcache"
)

// The flags of python-memcached, pymemcache and python-binary-memcached.
const (
	flagPickle     = 1 << 0
	flagCompressed = 1 << 3
)

// maxValue is the size of the largest value that is accepted, after decompression, in bytes. Nova's have 120 to 240.
const maxValue = 64 << 10

var errNotPickled = errors.New("the value is not a pickle")

// valueTime returns the time at which a member wrote a value, by the member's clock.
func valueTime(item *memcache.Item) (time.Time, error) {
	if item.Flags&flagPickle == 0 {
		return time.Time{}, errNotPickled
	}
	pickle := item.Value
	if item.Flags&flagCompressed != 0 {
		var err error
		if pickle, err = decompress(pickle); err != nil {
			return time.Time{}, fmt.Errorf("decompressing a value: %w", err)
		}
	}
	seconds, err := creationTime(pickle)
	if err != nil {
		return time.Time{}, err
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
}

// decompress decompresses zlib's format, up to maxValue.
func decompress(compressed []byte) ([]byte, error) {
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

// Values are written in pickle protocol 2, which every Python that Nova ever ran on reads, and as calls of constructors,
// which every release of dogpile.cache has.

// cachedValue returns what today's Nova writes: the pickle of dogpile's CachedValue(datetime, {"ct": seconds, "v": 2}).
func cachedValue(at time.Time) []byte {
	p := []byte("\x80\x02cdogpile.cache.api\nCachedValue\n")
	p = appendDatetime(p, at)
	p = append(p, '}', '(') // EMPTY_DICT, MARK
	p = appendText(p, timeKey)
	p = append(p, 'G') // BINFLOAT
	p = binary.BigEndian.AppendUint64(p, math.Float64bits(float64(at.UnixNano())/1e9))
	p = appendText(p, "v")
	return append(p, 'K', 2, 'u', 0x86, 'R', '.') // BININT1, SETITEMS, TUPLE2, REDUCE, STOP
}

// datetimeValue returns what Nova wrote until release 12: the pickle of a datetime.
func datetimeValue(at time.Time) []byte {
	return append(appendDatetime([]byte("\x80\x02"), at), '.')
}

// appendDatetime appends a datetime in UTC: the class, called with its ten bytes of state. Protocol 2 has no bytes:
// they are written as text, which the reader encodes as Latin-1.
func appendDatetime(p []byte, at time.Time) []byte {
	at = at.UTC()
	year, micros := at.Year(), at.Nanosecond()/1000
	state := []byte{
		byte(year >> 8), byte(year), byte(at.Month()), byte(at.Day()), byte(at.Hour()), byte(at.Minute()), byte(at.Second()),
		byte(micros >> 16), byte(micros >> 8), byte(micros),
	}
	var text []byte
	for _, b := range state {
		text = utf8.AppendRune(text, rune(b))
	}
	p = append(p, "cdatetime\ndatetime\nc_codecs\nencode\n"...)
	p = appendText(p, string(text))
	p = appendText(p, "latin1")
	return append(p, 0x86, 'R', 0x85, 'R') // TUPLE2, REDUCE, TUPLE1, REDUCE
}

// appendText appends a BINUNICODE.
func appendText(p []byte, text string) []byte {
	p = binary.LittleEndian.AppendUint32(append(p, 'X'), uint32(len(text)))
	return append(p, text...)
}

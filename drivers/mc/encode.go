package mc

import (
	"encoding/binary"
	"math"
	"time"
	"unicode/utf8"
)

// Values are written in pickle protocol 2, which every Python that Nova ever ran on reads, and by calls of constructors,
// which every release of dogpile.cache has.

// cachedValue is what today's Nova writes: the pickle of dogpile's CachedValue(datetime, {"ct": seconds, "v": 2}).
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

// datetimeValue is what Nova wrote until release 12: the pickle of a datetime.
func datetimeValue(at time.Time) []byte {
	return append(appendDatetime([]byte("\x80\x02"), at), '.')
}

// appendDatetime appends a datetime in UTC: the class, called with its ten bytes of state. Protocol 2 has no bytes, so
// that they are text that is encoded as Latin-1 when it is read.
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

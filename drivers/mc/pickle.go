package mc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// timeKey is dogpile.cache's name for the time at which a value was stored, in the dictionary beside the value.
const timeKey = "ct"

var (
	errNoTime    = errors.New("the pickle has no time")
	errTruncated = errors.New("the pickle ends too early")
)

// creationTime returns the float that follows the text "ct" in a pickle of any protocol from 0 to 5: the Unix time of a
// dogpile CachedValue, in seconds. It reads the instructions without running any, so a malicious value can only cause an
// error.
func creationTime(pickle []byte) (float64, error) {
	named := false
	for rest := pickle; len(rest) > 0; {
		code := rest[0]
		size, err := argument(code, rest[1:])
		if err != nil {
			return 0, err
		}
		arg := rest[1 : 1+size]
		rest = rest[1+size:]
		switch {
		case isMemo(code): // It copies the top of the stack, which stays there.
			continue
		case named && code == 'F':
			return parseTime(strconv.ParseFloat(string(bytes.TrimSuffix(arg, []byte("\n"))), 64))
		case named && code == 'G':
			return parseTime(math.Float64frombits(binary.BigEndian.Uint64(arg)), nil)
		case code == '.':
			return 0, errNoTime
		}
		named = isTimeKey(code, arg)
	}
	return 0, errTruncated
}

// maxTime is the end of the year 9999, in seconds since 1970.
const maxTime = 253402300800

// parseTime refuses floats that can't be the time of a heartbeat.
func parseTime(seconds float64, err error) (float64, error) {
	if err != nil || !(seconds > 0 && seconds < maxTime) {
		return 0, fmt.Errorf("the pickle's time is %v", seconds)
	}
	return seconds, nil
}

// isMemo reports whether an instruction only copies the value before it to the memo: PUT, BINPUT, LONG_BINPUT, MEMOIZE.
func isMemo(code byte) bool { return code == 'p' || code == 'q' || code == 'r' || code == 0x94 }

// isTimeKey reports whether an instruction pushes the text "ct". Python 2 writes it as bytes, and quoted in protocol 0.
func isTimeKey(code byte, arg []byte) bool {
	switch code {
	case 'V': // UNICODE
		return string(arg) == timeKey+"\n"
	case 'S': // STRING
		return string(arg) == "'"+timeKey+"'\n"
	case 'U', 0x8c: // SHORT_BINSTRING, SHORT_BINUNICODE
		return string(arg[1:]) == timeKey
	case 'T', 'X': // BINSTRING, BINUNICODE
		return string(arg[4:]) == timeKey
	case 0x8d: // BINUNICODE8
		return string(arg[8:]) == timeKey
	}
	return false
}

// argument returns the number of bytes that belong to an instruction after its code, as Python's pickletools documents:
// none, a fixed number, lines, or a length and as many bytes.
func argument(code byte, rest []byte) (int, error) {
	switch code {
	case '(', '.', '0', '1', '2', 'N', 'Q', 'R', 'a', 'b', 'd', 'e', 'l', 'o', 's', 't', 'u', '}', ']', ')',
		0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x97, 0x98:
		return 0, nil
	case 'K', 'h', 'q', 0x80, 0x82:
		return fixed(rest, 1)
	case 'M', 0x83:
		return fixed(rest, 2)
	case 'J', 'j', 'r', 0x84:
		return fixed(rest, 4)
	case 'G', 0x95:
		return fixed(rest, 8)
	case 'F', 'I', 'L', 'P', 'S', 'V', 'g', 'p':
		return lines(rest, 1)
	case 'c', 'i':
		return lines(rest, 2)
	case 'U', 'C', 0x8a, 0x8c:
		return counted(rest, 1)
	case 'T', 'X', 'B', 0x8b:
		return counted(rest, 4)
	case 0x8d, 0x8e, 0x96:
		return counted(rest, 8)
	}
	return 0, fmt.Errorf("the pickle has the unknown instruction %#02x", code)
}

func fixed(rest []byte, size int) (int, error) {
	if len(rest) < size {
		return 0, errTruncated
	}
	return size, nil
}

func lines(rest []byte, n int) (int, error) {
	size := 0
	for range n {
		end := bytes.IndexByte(rest[size:], '\n')
		if end < 0 {
			return 0, errTruncated
		}
		size += end + 1
	}
	return size, nil
}

// counted is for a little-endian length of width bytes, followed by that many bytes.
func counted(rest []byte, width int) (int, error) {
	if len(rest) < width {
		return 0, errTruncated
	}
	var length uint64
	for i := width - 1; i >= 0; i-- {
		length = length<<8 | uint64(rest[i])
	}
	if length > uint64(len(rest)-width) {
		return 0, errTruncated
	}
	return width + int(length), nil
}

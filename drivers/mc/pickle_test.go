package mc

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/stretchr/testify/require"
)

// A sample is a value that a real Nova wrote.
type sample struct {
	backend string
	item    *memcache.Item
	seconds float64
}

func samples(t testing.TB) []sample {
	t.Helper()
	f, err := os.Open("testdata/nova.txt")
	require.NoError(t, err)
	defer f.Close()
	var all []sample
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if fields[0] == "#" {
			continue
		}
		require.Len(t, fields, 4)
		flags, err := strconv.ParseUint(fields[1], 10, 32)
		require.NoError(t, err)
		seconds, err := strconv.ParseFloat(fields[2], 64)
		require.NoError(t, err)
		value, err := hex.DecodeString(fields[3])
		require.NoError(t, err)
		all = append(all, sample{fields[0], &memcache.Item{Value: value, Flags: uint32(flags)}, seconds})
	}
	require.Len(t, all, 4)
	return all
}

func TestValuesOfNova(t *testing.T) {
	for _, s := range samples(t) {
		at, err := valueTime(s.item)
		require.NoError(t, err, s.backend)
		require.WithinDuration(t, time.UnixMicro(int64(s.seconds*1e6)), at, 2*time.Microsecond, s.backend)

		for n := range s.item.Value {
			cut := *s.item
			cut.Value = cut.Value[:n]
			if at, err := valueTime(&cut); err == nil {
				require.Equal(t, int64(s.seconds), at.Unix(), "%s, cut after %d bytes", s.backend, n)
			}
		}
	}
}

func TestPickles(t *testing.T) {
	const float = "\x41\xda\xc0\xc3\xbf\x12\x5f\xe2" // 1795362556.287102
	for name, test := range map[string]struct {
		pickle string
		want   float64 // zero: none
	}{
		"Python 2, protocol 0":     {"(dp1\nS'ct'\np2\nF1384952019.12\nsS'v'\np3\nI1\ns.", 1384952019.12},
		"Python 2, protocol 1":     {"}q\x01(U\x02ctq\x02GA\xd4\xa3\x58\x54\xc0\x00\x00U\x01vq\x03K\x01u.", 1384997203},
		"Python 2, protocol 2":     {"\x80\x02}(T\x02\x00\x00\x00ctr\x07\x00\x00\x00G" + float + "u.", 1795362556.2871022},
		"long text":                {"\x80\x04\x8d\x02\x00\x00\x00\x00\x00\x00\x00ct\x94G" + float + ".", 1795362556.2871022},
		"second entry":             {"\x80\x03}(X\x01\x00\x00\x00vK\x02X\x02\x00\x00\x00ctG" + float + "u.", 1795362556.2871022},
		"name in the payload":      {"\x80\x03C\x0cX\x02\x00\x00\x00ctG" + float[:4] + "X\x02\x00\x00\x00ctG" + float + ".", 1795362556.2871022},
		"without the end":          {"VctxF1\nVct\nF2.5\n", 2.5},
		"empty":                    {"", 0},
		"only the end":             {".", 0},
		"after the end":            {".Vct\nF2.5\n", 0},
		"other text":               {"Vctx\nF2.5\n.", 0},
		"not the next":             {"Vct\nNF2.5\n.", 0},
		"an integer":               {"Vct\nI2\n.", 0},
		"not a number":             {"Vct\nFx\n.", 0},
		"NaN":                      {"Vct\nFnan\n.", 0},
		"infinite":                 {"Vct\nFinf\n.", 0},
		"negative":                 {"Vct\nF-1.0\n.", 0},
		"too far":                  {"Vct\nF253402300800.0\n.", 0},
		"binary NaN":               {"Vct\nG\x7f\xf8\x00\x00\x00\x00\x00\x00.", 0},
		"float cut":                {"Vct\nG\x41\xda", 0},
		"line cut":                 {"Vct\nF2.5", 0},
		"text longer than the end": {"X\xff\xff\xff\xffct", 0},
		"length overflows":         {"\x8d\xff\xff\xff\xff\xff\xff\xff\xffct", 0},
		"no such instruction":      {"\xffVct\nF2.5\n.", 0},
		"JSON":                     {`{"ct": 1795362556.287, "v": 2}|`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			seconds, err := creationTime([]byte(test.pickle))
			if test.want == 0 {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.InDelta(t, test.want, seconds, 1e-6)
		})
	}
}

func TestWrittenValuesCanBeRead(t *testing.T) {
	for _, at := range []time.Time{
		time.Date(2026, 11, 22, 15, 49, 16, 287030123, time.UTC), time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC), time.Now(),
	} {
		got, err := valueTime(sha1Keys{}.alive("key", at, time.Minute))
		require.NoError(t, err)
		require.WithinDuration(t, at, got, time.Microsecond)
	}
	_, err := valueTime(plainKeys{}.alive("key", time.Now(), time.Minute))
	require.ErrorIs(t, err, errNoTime)
}

func TestInvalidValues(t *testing.T) {
	deflate := func(data []byte) []byte {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, err := w.Write(data)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return b.Bytes()
	}
	value := cachedValue(time.Now())
	_, err := valueTime(&memcache.Item{Value: deflate(value), Flags: flagPickle | flagCompressed})
	require.NoError(t, err)
	padded := append(bytes.Repeat([]byte{'N'}, maxValue-len(value)), value[2:]...)
	_, err = valueTime(&memcache.Item{Value: deflate(padded), Flags: flagPickle | flagCompressed})
	require.NoError(t, err)

	for name, item := range map[string]*memcache.Item{
		"text":           {Value: value},
		"integer":        {Value: []byte("1"), Flags: 2},
		"not compressed": {Value: value, Flags: flagPickle | flagCompressed},
		"damaged":        {Value: deflate(value)[:60], Flags: flagPickle | flagCompressed},
		"bomb":           {Value: deflate(make([]byte, 100<<20)), Flags: flagPickle | flagCompressed},
		"just too long":  {Value: deflate(append(padded, make([]byte, 10)...)), Flags: flagPickle | flagCompressed},
	} {
		_, err := valueTime(item)
		require.Error(t, err, name)
	}
}

// Every value gives a plausible time or an error, and no panic.
func FuzzValue(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.item.Value, s.item.Flags)
	}
	f.Add(cachedValue(time.Unix(1795362556, 0)), uint32(flagPickle))
	f.Add(datetimeValue(time.Unix(1795362556, 0)), uint32(flagPickle))
	f.Add([]byte("(dp1\nS'ct'\np2\nF1384952019.12\ns."), uint32(flagPickle))
	f.Add([]byte("\x80\x04\x8d\x02\x00\x00\x00\x00\x00\x00\x00ct\x94GA\xda\xc0\xc3\xbf\x12\x5f\xe2.i\n\n"), uint32(flagPickle))
	f.Fuzz(func(t *testing.T, value []byte, flags uint32) {
		at, err := valueTime(&memcache.Item{Value: value, Flags: flags})
		if err != nil {
			require.True(t, at.IsZero())
			return
		}
		require.GreaterOrEqual(t, at.Unix(), int64(0))
		require.LessOrEqual(t, at.Year(), 9999)
	})
}

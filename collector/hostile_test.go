package collector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/collector/tracker"
	"servicegroup_exporter/drivers"
)

// FuzzRow polls a row of any texts beside a good row. The good member is always there, and every member that was not rejected
// has the same labels in every format of a scrape and in the state file.
func FuzzRow(f *testing.F) {
	f.Add("compute", "c1", "nova-compute", "AUTO: \"quoted\"\nand broken")
	f.Add("</script>", "\x1b]0;title\x07", "\u2028", "{{ $labels }}")
	f.Add("g\xff", "n\x00", "\xed\xa0\x80", strings.Repeat("ä", drivers.MaxText))
	f.Add("", strings.Repeat("x", drivers.MaxText), strings.Repeat("y", 10<<10), "\\")
	f.Add("g", strings.Repeat("x", drivers.MaxText+1), "", "")
	f.Fuzz(func(t *testing.T, group, name, binary, reason string) {
		odd := drivers.Member{Group: group, Name: name, Binary: binary, Zone: binary, DisabledReason: reason, UUID: reason, Version: reason, Up: true}
		c, err := New(Options{CompatOpenStackExporter: true})
		require.NoError(t, err)
		defer c.Close()
		good := drivers.Member{Group: "g", Name: "good", Up: true}
		cfg := config("a", giving(&drivers.Poll{Members: []drivers.Member{odd, good}, DownTime: mins}, nil))
		cfg.Service = "nova"
		require.NoError(t, c.Apply([]SourceConfig{cfg}))
		c.Poll(t.Context())
		want := []drivers.Key{good.Key()}
		if valid(group) && valid(name) && odd.Key() != good.Key() {
			want = append(want, odd.Key())
		}
		var got []drivers.Key
		for _, m := range c.Snapshots()[0].Members {
			got = append(got, m.Key())
			require.LessOrEqual(t, len(m.Binary)+len(m.DisabledReason), 2*drivers.MaxText)
			require.True(t, utf8.ValidString(m.Binary+m.DisabledReason))
		}
		require.ElementsMatch(t, want, got)
		for _, format := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeProtoDelim} {
			require.ElementsMatch(t, want, shownMembers(t, c, expfmt.NewFormat(format)))
		}
		data, err := json.Marshal((*c.sources.Load())[0].tracker.Save())
		require.NoError(t, err)
		m, err := tracker.ParseSaved(data, "a")
		require.NoError(t, err)
		require.Len(t, m.Members, len(want))
	})
}

// valid reports whether a group or member can be named in a label.
func valid(s string) bool { return s != "" && len(s) <= drivers.MaxText && utf8.ValidString(s) }

// giving returns a driver whose polls all return the same.
func giving(poll *drivers.Poll, err error) *fakeDriver {
	d := &fakeDriver{}
	d.do(func(context.Context) (*drivers.Poll, error) { return poll, err })
	return d
}

// shownMembers encodes service_up in a format, decodes it again, and returns the members that it has.
func shownMembers(t *testing.T, c *Collector, format expfmt.Format) []drivers.Key {
	t.Helper()
	var text bytes.Buffer
	encoder := exposition.NewEncoder(&text, format)
	for _, family := range c.Families() {
		if family.Name == "service_up" {
			require.NoError(t, encoder.Family(&family))
		}
	}
	require.NoError(t, encoder.Close())
	var read dto.MetricFamily
	require.NoError(t, expfmt.NewDecoder(&text, format).Decode(&read))
	var keys []drivers.Key
	for _, metric := range read.GetMetric() {
		labels := map[string]string{}
		for _, pair := range metric.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		keys = append(keys, drivers.Key{Group: labels["group"], Name: labels["member"]})
	}
	return keys
}

// A row that can't be used is left out and counted.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("x", drivers.MaxText)
	d := giving(&drivers.Poll{DownTime: mins, Members: []drivers.Member{
		{Group: "g", Name: long, Up: true},
		{Group: "g", Name: long + "x", Up: true},
		{Group: long + "x", Name: "a", Up: true},
		{Group: "g", Name: strings.Repeat("x", 1<<20), Up: true},
		{Group: "g", Name: "a", Zone: strings.Repeat("ä", 1<<20), DisabledReason: long, Up: true},
	}}, nil)
	b := newBench(t, Options{})
	b.apply(d)
	b.scrape(time.Second)
	text := b.text()
	require.Contains(t, text, `servicegroup_source_rejected_members_total{reason="name",source="a"} 3`)
	require.Less(t, len(text), 64<<10)
	members := b.only().Members
	require.Len(t, members, 2)
	require.Equal(t, strings.Repeat("ä", 510)+"…", members[0].Zone)
	require.Equal(t, long, members[0].DisabledReason)
	require.Contains(t, b.log.String(), `msg="Entries of the source can't be used" component=collector source=a entries=3 by_reason=map[name:3]`)
	require.NoError(t, b.Close())
}

// Labels are cut. A scrape with the same series twice would be refused.
func TestZonesThatDifferAtTheirEnd(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		zone := strings.Repeat("z", 200)
		d := answering("")
		b.apply(d)
		for _, end := range []string{"1", "2", "0"} {
			d.answer = answer(&drivers.Poll{Members: []drivers.Member{{Group: "g", Name: "a", Zone: zone + end}}})
			b.scrape(sec)
			text := b.text()
			require.Equal(t, 1, strings.Count(text, "servicegroup_member_down{"), text)
			require.Regexp(t, `(?m)^servicegroup_member_down\{.*member="a".*\} 1$`, text)
		}
	})
}

// A backend may put anything into an error.
func TestLongErrors(t *testing.T) {
	cause := errors.New(strings.Repeat("no ", 1<<20))
	d := giving(nil, drivers.Unavailable(drivers.ReasonAuth, fmt.Errorf("asking: %w", cause)))
	b := newBench(t, Options{})
	b.apply(d)
	b.scrape(time.Second)
	s := b.only()
	require.ErrorIs(t, s.Err, cause)
	require.Equal(t, drivers.ReasonAuth, s.Reason)
	require.Len(t, s.Err.Error(), maxError)
	require.Less(t, len(b.log.String()), 2*maxError)
	require.NoError(t, b.Close())
}

// Members whose names are too long for the labels of the scrape job are left out, one by one. Other texts are cut in labels,
// and whole elsewhere.
func TestLabelLimit(t *testing.T) {
	inTime(t, Options{CompatOpenStackExporter: true}, func(t *testing.T, b *bench) {
		long, reason := strings.Repeat("n", 80), strings.Repeat("ä", 200)
		good := drivers.Member{
			Group: "g", Name: "good", Zone: reason, Binary: reason, UUID: reason, Version: reason, DisabledReason: reason,
			Enabled: drivers.FlagNo, Rostered: true,
		}
		d := giving(&drivers.Poll{DownTime: mins, Backend: reason, Members: []drivers.Member{
			good, {Group: "g", Name: long, Rostered: true}, {Group: long, Name: "a", Rostered: true},
		}}, nil)
		cfg := config("a", d)
		cfg.Service, cfg.LabelLimit = "nova", 80
		longest := func() (longest int) {
			for _, value := range regexp.MustCompile(`="([^"]*)"`).FindAllStringSubmatch(b.text(), -1) {
				longest = max(longest, len(value[1]))
			}
			return longest
		}
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		b.scrape(sec)
		require.Equal(t, 80, longest())
		require.Contains(t, b.text(), `servicegroup_source_rejected_members_total{reason="name",source="a"} 0`)
		require.Regexp(t, `servicegroup_member_down\{[^}]*member="`+long+`"[^}]*\} 1`, b.text())
		require.Contains(t, b.text(), `_count{group="`+long)

		cfg.LabelLimit = 79
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		require.NotRegexp(t, `servicegroup_member[^{]*\{[^}]*nnn`, b.text(), "what is too long ends at once")
		b.scrape(sec)
		b.scrape(sec)
		require.NotContains(t, b.text(), "nnn")
		require.Equal(t, 79, longest())
		require.Contains(t, b.text(), `servicegroup_source_rejected_members_total{reason="name",source="a"} 4`)
		require.Equal(t, 1, strings.Count(b.log.String(), "longer than label_value_length_limit"), "it is said once")
		require.Len(t, b.only().Members, 1)
		require.Equal(t, reason, b.only().Members[0].DisabledReason)
		require.Equal(t, []GroupState{{Name: "g", Known: true, LastKnown: time.Now()}}, b.only().Groups)

		cfg.LabelLimit = 0
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		b.scrape(sec)
		require.Len(t, b.only().Members, 3)
	})
}

// A snapshot says how many entries the last successful poll could not use, and how many of them for the length of their names.
func TestSnapshotsCountRejectedEntries(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		cfg := config("a", d)
		cfg.LabelLimit = 100
		require.NoError(t, b.Apply([]SourceConfig{cfg}))
		named := func(names ...string) []drivers.Member {
			var members []drivers.Member
			for _, name := range names {
				members = append(members, drivers.Member{Group: "g", Name: name, Up: true})
			}
			return members
		}
		long := strings.Repeat("x", 101)
		for _, tt := range []struct {
			name            string
			members         []drivers.Member
			rejected, ofLen int
		}{
			{"all are good", named("a", "b"), 0, 0},
			{"a name is too long", named("a", long), 1, 1},
			{"two names are too long", named(long, "a", long+"y"), 2, 2},
			{"a name is empty", named("a", ""), 1, 0},
			{"a name occurs twice", named("a", "a"), 1, 0},
			{"all kinds", named("a", "a", "", long), 3, 1},
			{"all are good again", named("a"), 0, 0},
		} {
			d.answer = answer(&drivers.Poll{Members: tt.members})
			b.scrape(sec)
			rejected := 0
			for _, n := range b.only().Rejected {
				rejected += n
			}
			require.Equal(t, tt.rejected, rejected, tt.name)
			require.Equal(t, tt.ofLen, b.only().LongNames, tt.name)
		}
		d.answer = answer(&drivers.Poll{Members: named("a", long)})
		b.scrape(sec)
		d.fail("away")
		b.scrape(sec)
		require.Equal(t, 1, b.only().LongNames, "while the source can't be read, the last successful poll counts")
	})
}

// A source is stale when it was not read for three heartbeat timeouts, and for three minutes at least.
func TestStale(t *testing.T) {
	for _, tt := range []struct {
		timeout, fresh, stale time.Duration
	}{
		{0, 3 * mins, 3*mins + sec},
		{10 * sec, 3 * mins, 3*mins + sec},
		{mins, 3 * mins, 3*mins + sec},
		{5 * mins, 15 * mins, 15*mins + sec},
	} {
		inTime(t, Options{}, func(t *testing.T, b *bench) {
			d := answering("")
			d.answer = answer(&drivers.Poll{DownTime: tt.timeout, Members: []drivers.Member{{Group: "g", Name: "a", Up: true}}})
			b.apply(d)
			require.False(t, b.only().Stale, "it was never read")
			b.scrape(sec)
			time.Sleep(tt.fresh)
			require.False(t, b.only().Stale, "%v", tt)
			time.Sleep(tt.stale - tt.fresh)
			require.True(t, b.only().Stale, "%v", tt)
			b.scrape(sec)
			require.False(t, b.only().Stale, "it was read again")
			time.Sleep(tt.stale)
			d.fail("away")
			b.scrape(sec)
			require.False(t, b.only().Stale, "a source that can't be read is that, and not stale")
		})
	}
}

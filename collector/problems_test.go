package collector

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// suspect makes the driver return rows with problems, which are written as "kind" or "kind/group".
func (d *fakeDriver) suspect(words string, problems ...string) {
	poll := drivers.Poll{Members: rows(words), DownTime: time.Minute}
	for _, p := range problems {
		kind, group, _ := strings.Cut(p, "/")
		poll.Problems = append(poll.Problems, drivers.Problem{Kind: drivers.ProblemKind(kind), Group: group, Detail: "It is " + p + "."})
		if drivers.ProblemKind(kind) == drivers.ProblemUnreadable {
			poll.UnreadableGroups = append(poll.UnreadableGroups, group)
		}
	}
	d.do(func(context.Context) (*drivers.Poll, error) { return &poll, nil })
}

// problemSeries returns the kinds of problems whose series is 1, after a check that all series are there.
func (b *bench) problemSeries() string {
	b.t.Helper()
	text := b.text()
	var found []string
	for _, kind := range drivers.ProblemKinds() {
		series := fmt.Sprintf("\nservicegroup_source_problems{problem=%q,source=\"a\"} ", kind)
		require.Contains(b.t, text, series)
		if strings.Contains(text, series+"1\n") {
			found = append(found, string(kind))
		}
	}
	return strings.Join(found, " ")
}

// Each problem is logged when it begins and when it ends, and is in the metric meanwhile.
func TestProblems(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		b.apply(d)
		require.Empty(t, b.problemSeries(), "the series are there before the first poll")
		b.scrape(sec)
		require.Empty(t, b.problemSeries())
		require.NotContains(t, b.log.String(), "level=WARN", "an empty source is no problem")

		for range 3 {
			d.suspect("a:up", "unmatched", "absent/compute", "absent/cert", "absent/compute")
			b.scrape(sec)
			require.Equal(t, "absent unmatched", b.problemSeries())
		}
		require.Len(t, b.only().Problems, 3)
		require.Equal(t, 3, strings.Count(b.log.String(), "Source can be read but is probably not as it was meant"))
		require.Contains(t, b.log.String(), `problem=absent group=compute detail="It is absent/compute."`)

		d.suspect("a:up", "foreign", "absent/cert")
		b.scrape(sec)
		require.Equal(t, "absent foreign", b.problemSeries())
		require.Equal(t, 2, strings.Count(b.log.String(), "A problem of the source is gone"))

		d.fail(drivers.ReasonConnect)
		b.scrape(sec)
		require.Equal(t, "absent foreign", b.problemSeries(), "it is not known to have ended")
		d.say("a:up")
		b.scrape(sec)
		require.Empty(t, b.problemSeries())
		require.Equal(t, 4, strings.Count(b.log.String(), "A problem of the source is gone"))
		require.Equal(t, 4, strings.Count(b.log.String(), "Source can be read but is probably not as it was meant"))
	})
}

// A reload with and without changes of the source does not log the same problems again.
func TestProblemsOverReloads(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		for _, fingerprint := range []string{"1", "1", "2"} {
			d := answering("")
			d.suspect("", "absent", "unreadable/g")
			cfg := config("a", d)
			cfg.Fingerprint = fingerprint
			require.NoError(t, b.Apply([]SourceConfig{cfg}))
			b.scrape(sec)
			require.Equal(t, "absent unreadable", b.problemSeries())
		}
		require.Equal(t, 2, strings.Count(b.log.String(), "Source can be read but is probably not as it was meant"))
		require.NotContains(t, b.log.String(), "is gone")
	})
}

// A source of which no entry can be used does not look like one without members.
func TestNoEntryCanBeUsed(t *testing.T) {
	for name, poll := range map[string]drivers.Poll{
		"data":      {Rejected: []drivers.Rejection{{Group: "g", Name: "a", Reason: "data"}}},
		"names":     {Rejected: []drivers.Rejection{{Reason: "name"}, {Group: "g", Reason: "name"}}},
		"any word":  {Rejected: []drivers.Rejection{{Group: "g", Name: "a", Reason: "other"}}},
		"long name": {Members: rows(strings.Repeat("n", drivers.MaxText+1) + ":up")},
		"no name":   {Unknown: []drivers.Member{{Group: "g"}}},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, Options{}, func(t *testing.T, b *bench) {
				d := answering("")
				b.apply(d)
				d.do(func(context.Context) (*drivers.Poll, error) { return &poll, nil })
				b.scrape(sec)
				require.Equal(t, "unmatched", b.problemSeries())
				poll.Members = append(poll.Members, rows("a:up")...)
				b.scrape(sec)
				require.Empty(t, b.problemSeries())
			})
		})
	}
}

// A group that can't be read does not hide the others, and its members are not gone.
func TestUnreadableGroup(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		d.suspect("x/a:up x/b:down y/c:up")
		b.apply(d)
		b.scrape(sec)
		d.suspect("y/c:up", "unreadable/x", "unreadable/z")
		b.scrape(sec)
		require.Empty(t, b.happened())
		states := map[string]State{}
		for _, m := range b.only().Members {
			states[m.Group+"/"+m.Name] = m.State
		}
		require.Equal(t, map[string]State{"x/a": Unknown, "x/b": Unknown, "y/c": Up}, states)
		text := b.text()
		for series, value := range map[string]string{
			`servicegroup_group_known{group="x",source="a"}`:                        "0",
			`servicegroup_group_known{group="y",source="a"}`:                        "1",
			`servicegroup_group_known{group="z",source="a"}`:                        "0",
			`servicegroup_members{group="x",source="a",state="unknown"}`:            "2",
			`servicegroup_members_down{group="x",source="a"}`:                       "1",
			`servicegroup_members_in_service{group="x",source="a"}`:                 "2",
			`servicegroup_source_up{source="a"}`:                                    "1",
			`servicegroup_source_problems{problem="unreadable",source="a"}`:         "1",
			`servicegroup_source_unknown_members{source="a"}`:                       "2",
			`servicegroup_group_last_known_timestamp_seconds{group="z",source="a"}`: "0",
		} {
			require.Contains(t, text, "\n"+series+" "+value+"\n")
		}
		require.NotContains(t, text, `servicegroup_members_in_service{group="z"`, "nothing is known of it")
		require.Contains(t, text, `servicegroup_member_down{binary="",group="x",host="b",member="b",source="a",zone=""} 1`)
	})
}

// One poll with very many problems does not flood the log.
func TestManyProblems(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, b *bench) {
		d := answering("")
		var many []string
		for i := range 100 {
			many = append(many, fmt.Sprintf("unreadable/g%d", i))
		}
		d.suspect("", many...)
		b.apply(d)
		b.scrape(sec)
		require.Len(t, b.only().Problems, 100)
		require.Equal(t, logAtMost, strings.Count(b.log.String(), "probably not as it was meant"))
		require.Contains(t, b.log.String(), "not_shown=80")
	})
}

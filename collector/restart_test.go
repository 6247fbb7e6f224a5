package collector

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// lives runs one process after another with the same storage folder.
func lives(t *testing.T, processes ...func(t *testing.T, b *bench, d *fakeDriver)) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		for _, process := range processes {
			b := newBench(t, Options{StoragePath: folder})
			d := answering("x:up y:up")
			b.apply(d)
			process(t, b, d)
			require.NoError(t, b.Close())
			time.Sleep(mins)
		}
	})
}

func TestDeathsSeenAfterARestart(t *testing.T) {
	var start time.Time
	lives(t,
		func(_ *testing.T, b *bench, _ *fakeDriver) {
			b.scrape(sec)
			start = time.Now()
		},
		func(t *testing.T, b *bench, d *fakeDriver) {
			require.WithinDuration(t, start, b.only().LastSuccess, 0, "remembered")
			require.Len(t, b.only().Members, 2)
			require.NotContains(t, b.text(), "service_up{", "nothing is known yet")
			d.say("y:up")
			b.scrape(sec)
			e := <-b.events
			require.Equal(t, EventDeath, e.Type)
			require.Equal(t, 2*mins, e.Latency, "the time since the last poll that saw it, and a session timeout")
			require.Contains(t, b.text(), `service_up{binary="",group="g",member="x",source="a",zone=""} 0`)
			require.Contains(t, b.text(), `servicegroup_detection_latency_seconds_sum{group="g",source="a"} 120`)
		},
		func(t *testing.T, b *bench, d *fakeDriver) {
			d.say("y:up")
			b.scrape(sec)
			require.Empty(t, b.happened())
			x := b.only().Members[0]
			require.Equal(t, Down, x.State)
			require.WithinDuration(t, start.Add(mins), x.Since, 0)
			require.Equal(t, uint64(1), x.Transitions)
			d.say("x:up y:up")
			b.scrape(sec)
			e := <-b.events
			require.Equal(t, EventRecovery, e.Type)
			require.Equal(t, 3*mins, e.Latency)
		},
	)
}

func TestADamagedStateFileDoesNotPreventTheStart(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "members-a.json")
	require.NoError(t, os.WriteFile(file, []byte("{"), 0o644))
	inTime(t, Options{StoragePath: folder}, func(t *testing.T, b *bench) {
		b.apply(answering("x:up"))
		require.Contains(t, b.log.String(), "starting without it")
		require.Contains(t, b.text(), `servicegroup_state_load_failures_total{source="a"} 1`)
		b.scrape(sec)
		require.Empty(t, b.happened())
	})
	require.FileExists(t, file+".damaged")
	require.FileExists(t, file)
}

// A state file that can't be written is logged once, again for another reason, and once when it can be written again.
func TestAStateFileThatCannotBeWrittenIsNoFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "state")
		b := newBench(t, Options{StoragePath: folder})
		b.apply(watching("x:up"))
		stop := b.background()
		aside, file := folder+".aside", filepath.Join(folder, "members-a.json")
		for _, step := range []func(){
			func() { require.NoError(t, os.Rename(folder, aside)) },                                            // no such folder
			func() { require.NoError(t, os.WriteFile(folder, nil, 0o600)) },                                    // not a folder
			func() { require.NoError(t, errors.Join(os.Remove(folder), os.Rename(aside, folder))) },            // it is back
			func() { require.NoError(t, errors.Join(os.RemoveAll(file), os.MkdirAll(file+"/folder", 0o700))) }, // the file is a folder
			func() { require.NoError(t, os.RemoveAll(file)) },                                                  // it is back
		} {
			step()
			time.Sleep(2*saveAtLeast + 20*saveEvery)
			b.scrape(sec)
			time.Sleep(2*saveAtLeast + 20*saveEvery)
			synctest.Wait()
		}
		require.NoError(t, stop())
		var said []string
		for line := range strings.Lines(b.log.String()) {
			if _, message, saving := strings.Cut(line, `msg="Saving the state file `); saving {
				said = append(said, message[:6])
			}
		}
		require.Equal(t, []string{"failed", "failed", "succee", "failed", "succee"}, said, b.log.String())
	})
}

// written lets a test ask whether the state file was written since it last asked.
func written(t *testing.T, test func(b *bench, d *fakeWatcher, news func() bool)) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		b := newBench(t, Options{StoragePath: folder})
		d := watching("x:up")
		b.apply(d)
		stop := b.background()
		var last os.FileInfo
		test(b, d, func() bool {
			synctest.Wait()
			info, err := os.Stat(filepath.Join(folder, "members-a.json"))
			if err != nil {
				require.ErrorIs(t, err, os.ErrNotExist)
				return false
			}
			isNew := last == nil || !os.SameFile(last, info)
			last = info
			return isNew
		})
		require.NoError(t, stop())
	})
}

func TestTheStateFileIsWrittenSoonAfterAChangeAndSeldomOtherwise(t *testing.T) {
	written(t, func(b *bench, d *fakeWatcher, news func() bool) {
		require.False(t, news(), "not with every poll")
		time.Sleep(saveEvery)
		require.True(t, news(), "the first poll is a change")
		for range 20 {
			b.scrape(sec)
			time.Sleep(sec)
			require.False(t, news(), "nothing has changed")
		}
		time.Sleep(20 * sec)
		require.True(t, news(), "the times of the last poll have")
		time.Sleep(hour)
		require.False(t, news(), "there was no poll")
		d.say("")
		b.scrape(sec)
		require.False(t, news(), "not more than once a second")
		time.Sleep(saveEvery)
		require.True(t, news(), "a death")
		d.fail("timeout")
		b.scrape(sec)
		time.Sleep(mins)
		require.True(t, news(), "the loss of the source")
		b.scrape(sec)
		time.Sleep(mins)
		require.False(t, news(), "nothing has changed")
	})
}

func TestTheStateFileIsWrittenAtTheEnd(t *testing.T) {
	lives(t,
		func(_ *testing.T, b *bench, _ *fakeDriver) { b.scrape(sec) },
		func(t *testing.T, b *bench, _ *fakeDriver) {
			time.Sleep(10 * sec)
			b.scrape(sec)
			require.Empty(t, b.happened())
		},
		func(t *testing.T, b *bench, _ *fakeDriver) {
			require.WithinDuration(t, time.Now().Add(-mins), b.only().LastSuccess, 0)
		},
	)
}

func TestReadOnly(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, testFiles(t, folder).save(savedOf("a")))
	before, err := os.ReadFile(filepath.Join(folder, "members-a.json"))
	require.NoError(t, err)
	b := newBench(t, Options{StoragePath: folder, ReadOnly: true})
	cfg := config("a", answering("x:up"))
	cfg.ForgetAfter = 100 * 365 * 24 * hour
	require.NoError(t, b.Apply([]SourceConfig{cfg}))
	require.Len(t, b.only().Members, 2, "it reads")
	b.scrape(sec)
	require.NoError(t, b.Close())
	after, err := os.ReadFile(filepath.Join(folder, "members-a.json"))
	require.NoError(t, err)
	require.Equal(t, before, after, "and does not write")

	missing := filepath.Join(folder, "missing")
	require.NoError(t, newBench(t, Options{StoragePath: missing, ReadOnly: true}).Close())
	require.NoDirExists(t, missing)
}

func TestAStateThatCanNotBeSavedIsCountedAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		b := newBench(t, Options{StoragePath: folder})
		b.apply(answering("x:up"))
		inTheWay := filepath.Join(folder, "members-a.json")
		require.NoError(t, os.Mkdir(inTheWay, 0o755))
		stop := b.background()
		time.Sleep(2*sec + ms)
		require.Contains(t, b.text(), `servicegroup_state_save_failures_total{source="a"} 2`)
		require.Contains(t, b.log.String(), "Saving the state file failed")
		require.NoError(t, os.Remove(inTheWay))
		time.Sleep(sec)
		require.FileExists(t, inTheWay)
		require.NoError(t, stop())
	})
}

func TestAStorageFolderThatCanNotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := New(Options{StoragePath: filepath.Join(file, "folder")})
	require.ErrorContains(t, err, "making the storage folder")
}

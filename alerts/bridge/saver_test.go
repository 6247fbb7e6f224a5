package bridge

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/alerts"
	"servicegroup_exporter/config"
)

// A disk that can't be written delays no post, is told of once, and has everything when it can be again.
func TestTheDiskIsBad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder, f := filepath.Join(t.TempDir(), "data"), &receiver{}
		r := newRig(t, folder)
		r.transport = f
		r.watched.see(snapshot("s", "a:up b:up c:up"))
		r.configure(nil, am)
		defer r.run()()
		synctest.Wait()
		for _, members := range []string{"a:down b:up c:up", "a:up b:up c:up", "a:up b:down c:up"} {
			r.watched.see(snapshot("s", members))
			time.Sleep(time.Minute)
		}
		require.Contains(t, about(f.taken()), "MemberDown s/g/a")
		require.Equal(t, 1, strings.Count(r.log.String(), "\n"))
		require.Contains(t, r.log.String(), `level=WARN msg="what fires was not saved`)
		require.NoError(t, os.Mkdir(folder, 0o700))
		time.Sleep(saveAgain)
		require.Equal(t, 2, strings.Count(r.log.String(), "\n"))
		require.Contains(t, r.log.String(), `level=INFO msg="what fires is saved again"`)
		saved := r.saver.store.load()
		require.Len(t, saved, 1)
		require.Equal(t, "b", saved[0].Member)
	})
}

// Saving waits for no disk, and the newest is what is saved.
func TestSaver(t *testing.T) {
	s := newSaver(newStore(t.TempDir(), nil), nil)
	s.save(nil)
	s.save([]rememberedAlert{{Alert: alerts.Outage, Source: "old", Start: began}})
	newest := []rememberedAlert{{Alert: alerts.Outage, Source: "s", Start: began}}
	s.save(newest)
	s.close()
	s.run()
	require.Equal(t, newest, s.store.load())
}

func TestPrepareFails(t *testing.T) {
	r := newRig(t, "")
	before := r.series()
	c := config.DefaultAlerting()
	c.Alertmanagers = append(c.Alertmanagers, configOf(t, am), configOf(t, "http://other:9093"))
	c.Alertmanagers[1].TLSConfig.CAFile = "absent.pem"
	_, err := r.Prepare(&c)
	require.ErrorContains(t, err, "alerting.alertmanagers[1]: setting up HTTP for http://other:9093: ")
	require.Equal(t, before, r.series())
}

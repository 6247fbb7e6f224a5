package browser

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

var images = flag.String("images", "", "folder in which to keep the screenshots")

// TestCloud checks the pages of a small cloud with deaths, which the screenshots of the documentation show.
func TestCloud(t *testing.T) {
	t.Parallel()
	e := cloud(t)
	t.Run("screenshots", func(t *testing.T) { screenshots(t, e) })
	t.Run("accessibility", func(t *testing.T) { accessibility(t, e) })
}

// cloud starts an exporter with members that are up, died recently, are disabled, or recovered, and with a source that can't be
// read. It returns when the exporter has seen all events.
func cloud(t *testing.T) *exporter {
	t.Helper()
	nova := newTable(t)
	for i := range 48 {
		nova.add("compute", fmt.Sprintf("cmp-%02d", i+1), "nova-compute", []string{"az-east", "az-west"}[i%2])
	}
	for i := range 3 {
		nova.add("conductor", fmt.Sprintf("ctl-%d", i+1), "nova-conductor", "internal")
		nova.add("scheduler", fmt.Sprintf("ctl-%d", i+1), "nova-scheduler", "internal")
	}
	nova.run("UPDATE members SET off = 1, reason = 'disk swap, CHG-1182' WHERE host IN ('cmp-07', 'cmp-31')")
	nova.run("UPDATE members SET off = 1, reason = 'AUTO: libvirt: 1' WHERE host = 'cmp-18'")
	nova.beat()
	e := serve(t, configuration(nova.source("nova", 2*time.Second, 900*time.Millisecond), `
  - name: heat
    driver: zk
    poll_interval: 1s
    zk: {servers: ["127.0.0.1:9"]}
`)+alerting(testserver.Alertmanager(t, inhibiting).URL()))
	for _, hosts := range []string{"'cmp-12', 'cmp-13'", "'cmp-03'", "'cmp-07', 'cmp-40'"} {
		nova.run("UPDATE members SET alive = 0 WHERE host IN (" + hosts + ")")
		e.eventually("/api/v1/events?limit=2", hosts[1:7])
	}
	nova.run("UPDATE members SET alive = 1 WHERE host IN ('cmp-12', 'cmp-13')")
	e.eventually("/api/v1/events?limit=1", "recovery")
	return e
}

// screenshots takes the screenshots of the documentation. `make pictures` keeps them.
func screenshots(t *testing.T, e *exporter) {
	dir := *images
	if dir == "" {
		dir = t.TempDir()
	}
	b := openTab(t, 1280, 860)
	for _, shot := range []struct {
		name, scheme, path string
		width, height      int64
	}{
		{"page-light", "light", "/", 1280, 1200},
		{"page-dark", "dark", "/?source=nova&group=compute", 1280, 1200},
		{"page-phone", "light", "/", 360, 780},
		{"page-member", "light", memberPath("nova", "compute", "cmp-03"), 1100, 760},
	} {
		b.do(chromedp.EmulateViewport(shot.width, shot.height))
		b.scheme(shot.scheme)
		b.open(e.url(shot.path))
		b.eventually(`document.querySelector(".badge.down") !== null`)
		b.has("#alerts", "; not silenced")
		require.NoError(t, os.WriteFile(filepath.Join(dir, shot.name+".png"), b.screenshot(), 0o644))
		b.checkNoHorizontalScroll()
		b.checkNoCutNames(shot.name)
	}
	b.checkNoMessages()
}

// checkNoCutNames checks that names and table cells show all of their text.
func (b *tab) checkNoCutNames(where string) {
	b.t.Helper()
	cut := value[[]string](b, `[...document.querySelectorAll(".name, .row > *")].filter((e) => e.clientWidth && e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)`)
	require.Empty(b.t, cut, "%s: names that are cut", where)
}

// Long names are whole on screens of every width, in both color schemes.
func TestLongNames(t *testing.T) {
	t.Parallel()
	members := newTable(t)
	for _, name := range []string{
		"compute-0230.rack-17.region-east.cloud.example.com", strings.Repeat("no-place-to-break", 11),
		"volume-01@ceph-fast-replicated#pool-of-the-third-floor", "узел-с-длинным-именем-который-не-помещается-в-столбец.пример.рф",
	} {
		members.add("a-group-whose-name-is-longer-than-its-column-"+name[:4], name, "nova-compute-with-a-long-binary", "availability-zone-of-the-east")
	}
	members.run("UPDATE members SET beat = 0, off = length(host) % 2, reason = 'a reason of many words that a person typed, and that is shown whole'")
	e := serve(t, configuration(members.source("a-source-with-a-long-name-too", hour, quick)))
	b := openTab(t, 1280, 900)
	for _, width := range []int64{400, 1280, 1600} {
		b.do(chromedp.EmulateViewport(width, 900))
		for _, scheme := range []string{"light", "dark"} {
			b.scheme(scheme)
			b.open(e.url("/"))
			b.eventually(`document.querySelectorAll("#grid-body .row").length === 4`)
			b.checkNoCutNames(fmt.Sprint(width, scheme))
			b.checkNoHorizontalScroll()
		}
	}
	b.checkNoMessages()
}

// screenshot takes a screenshot of the viewport.
func (b *tab) screenshot() []byte {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, waitTimeout)
	defer cancel()
	taken, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(b.t, err)
	picture, err := png.Decode(bytes.NewReader(taken))
	require.NoError(b.t, err)
	var packed bytes.Buffer
	require.NoError(b.t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&packed, reduce(picture)))
	return packed.Bytes()
}

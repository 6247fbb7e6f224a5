package browser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// grafana is the folder of the page that draws dashboards with Grafana's panels.
const grafana = "grafana"

// Grafana's own panels draw the dashboards from a Prometheus that has scraped two clouds during an outage: `make test-dashboards`. There is
// no package with the state timeline and the heatmap, so these are drawn as rectangles, from the same data frames.
func TestDashboards(t *testing.T) {
	c := newClouds(t)
	c.outage()
	site := serveGrafana(t, c.pair[0].config, c.prom)
	for _, width := range []int64{1280, 1600} {
		for _, board := range []string{"overview", "group", "detection", "exporter"} {
			t.Run(fmt.Sprintf("%s at %d", board, width), func(t *testing.T) {
				d := openDashboard(t, site, board, width, c)
				if width == 1600 && *images != "" {
					require.NoError(t, os.WriteFile(filepath.Join(*images, "dashboard-"+board+".png"), d.picture(), 0o644))
				}
				require.Empty(t, value[[]string](d.tab, "errors"))
				d.checkWhole()
				d.checkCells()
				d.checkNotEmpty()
				if board == "overview" {
					d.checkNumbers(c)
				}
			})
		}
	}
}

// serveGrafana serves the page, the dashboards that the program prints for a configuration, and Prometheus. It returns its URL.
func serveGrafana(t *testing.T, config string, prom *testserver.Prom) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command(program, "dashboards", "--config.file="+config, "--output="+dir).CombinedOutput()
	require.NoError(t, err, string(out))
	bundle := filepath.Join(dir, "bundle.js")
	esbuild := filepath.Join(grafana, "node_modules", ".bin", "esbuild")
	out, err = exec.Command(esbuild, filepath.Join(grafana, "draw.jsx"), "--bundle", "--minify", "--loader:.ttf=empty", "--log-level=error",
		`--define:process.env.NODE_ENV="production"`, "--outfile="+bundle).CombinedOutput()
	require.NoError(t, err, "%s; if Grafana's packages are not installed: run `make dashboards`, or `npm ci` in e2e/browser/grafana", out)

	prometheus, err := url.Parse(prom.URL())
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(grafana, "page.html"))
	})
	mux.Handle("/bundle.js", http.FileServer(http.Dir(dir)))
	mux.Handle("/bundle.css", http.FileServer(http.Dir(dir)))
	mux.Handle("/boards/", http.StripPrefix("/boards/", http.FileServer(http.Dir(dir))))
	mux.Handle("/public/fonts/inter/", http.StripPrefix("/public/fonts/inter/", http.FileServer(http.Dir(filepath.Join(grafana, "node_modules/inter-ui/web")))))
	mux.Handle("/public/", http.StripPrefix("/public/", http.FileServer(http.Dir(filepath.Join(grafana, "node_modules/@grafana/ui/dist/public")))))
	mux.Handle("/prometheus/", http.StripPrefix("/prometheus", httputil.NewSingleHostReverseProxy(prometheus)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// A dashboard is the page on which one is drawn.
type dashboard struct {
	*tab
	width int64
}

// openDashboard draws a dashboard of the time since Prometheus had scraped the clouds, and waits until all panels are there.
func openDashboard(t *testing.T, site, board string, width int64, c *clouds) *dashboard {
	t.Helper()
	d := &dashboard{openTab(t, int(width), 900), width}
	picked := c.picked(board)
	picked.Set("board", board)
	picked.Set("from", strconv.FormatInt(c.began.Unix(), 10))
	picked.Set("to", strconv.FormatInt(time.Now().Unix(), 10))
	_, err := chromedp.Call(d.ctx, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true})
	require.NoError(t, err)
	d.do(chromedp.Navigate(site + "/?" + picked.Encode()))
	d.eventually(`document.querySelector("main") !== null`)
	d.do(chromedp.EmulateViewport(width, value[int64](d.tab, `document.documentElement.scrollHeight`)))
	d.eventually(`document.body.dataset.took !== undefined`)
	t.Logf("%s: %.1f s", board, value[float64](d.tab, `Number(document.body.dataset.took) / 1000`))
	return d
}

// picture takes a picture of the whole page, with few colours.
func (d *dashboard) picture() []byte {
	d.t.Helper()
	picture, err := png.Decode(bytes.NewReader(d.screenshot()))
	require.NoError(d.t, err)
	var packed bytes.Buffer
	require.NoError(d.t, (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&packed, picture))
	return packed.Bytes()
}

// checkWhole checks that titles of panels, columns and cells of tables, and legends are whole.
func (d *dashboard) checkWhole() {
	d.t.Helper()
	require.Empty(d.t, value[[]string](d.tab, `[...document.querySelectorAll("[data-title] h2, [data-title] [role=columnheader]")]
		.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)`), "titles that are cut")
	require.Empty(d.t, value[[]string](d.tab, tables+`.flatMap(({ title, right, headers }) =>
		headers.filter((header) => header.getBoundingClientRect().right > right).map((header) => title + ": " + header.innerText))`),
		"columns beyond the edge of their panel")
	require.Empty(d.t, value[[]string](d.tab, tables+`.flatMap(({ title, rows }) =>
		rows.flat().filter(cut).map((cell) => title + ": " + cell.innerText))`),
		"cells that are cut")
	require.Empty(d.t, value[[]string](d.tab, `[...document.querySelectorAll("[data-title]")].flatMap((panel) =>
		[...panel.querySelectorAll("[data-testid^='data-testid VizLegend series']")].filter((item) => {
			const at = item.getBoundingClientRect();
			const seen = document.elementFromPoint(at.left + at.width / 2, at.top + at.height / 2);
			return at.right > panel.getBoundingClientRect().right || at.bottom > panel.getBoundingClientRect().bottom || !item.contains(seen);
		}).map((item) => panel.dataset.title + ": " + item.innerText))`), "legends that are clipped")
}

// tables is the tables of the page: their names of columns, and the cells of their rows.
const tables = `(() => {
	window.cut = (cell) => [cell, ...cell.querySelectorAll("*")].some((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline");
	return [...document.querySelectorAll("[data-kind=table]")].map((panel) => ({
		title: panel.dataset.title,
		noValue: panel.dataset.novalue,
		right: panel.getBoundingClientRect().right,
		headers: [...panel.querySelectorAll("[role=columnheader]")],
		names: [...panel.querySelectorAll("[role=columnheader]")].map((e) => e.innerText.trim()),
		rows: [...panel.querySelectorAll("[role=row]")].map((row) => [...row.querySelectorAll("[role=gridcell]")]).filter((cells) => cells.length > 0),
	}));
})()`

// checkCells checks that no cell has the text of a panel without data.
func (d *dashboard) checkCells() {
	d.t.Helper()
	require.Empty(d.t, value[[]string](d.tab, tables+`.flatMap(({ title, noValue, rows }) =>
		rows.flat().filter((cell) => cell.innerText === noValue).map(() => title))`))
}

// checkNotEmpty checks that each panel with data shows something, and that none says that it has no data although it has.
func (d *dashboard) checkNotEmpty() {
	d.t.Helper()
	require.Empty(d.t, value[[]string](d.tab, `[...document.querySelectorAll("[data-title]")].filter((panel) => {
		const samples = Number(panel.dataset.samples);
		if (samples < 0) return true; // its queries failed
		const drawn = { stat: "[style*=background]", table: "[role=gridcell]", timeseries: "canvas", "state-timeline": "rect", heatmap: "svg" }[panel.dataset.kind];
		if (samples === 0) return !panel.innerText.includes(panel.dataset.novalue);
		return panel.querySelector(drawn) === null || panel.innerText.includes(panel.dataset.novalue);
	}).map((panel) => panel.dataset.title + ": " + panel.dataset.samples + " samples, " + panel.innerText)`))
}

// rows returns the texts of a table's rows, by its columns.
func (d *dashboard) rows(title string) []map[string]string {
	d.t.Helper()
	return value[[]map[string]string](d.tab, fmt.Sprintf(tables+`.filter((table) => table.title === %s).flatMap(({ names, rows }) =>
		rows.map((cells) => Object.fromEntries(cells.map((cell, i) => [names[i], cell.innerText.trim()]))))`, quote(title)))
}

// tile returns the text of a tile.
func (d *dashboard) tile(title string) string {
	d.t.Helper()
	return value[string](d.tab, fmt.Sprintf(`[...document.querySelectorAll("[data-kind=stat]")].find((e) => e.dataset.title === %s)
		.innerText.replace(%s, "").replace(/\s+/g, " ").trim()`, quote(title), quote(title)))
}

// checkNumbers compares the overview with the API of the exporters.
func (d *dashboard) checkNumbers(c *clouds) {
	d.t.Helper()
	want := map[string]string{}
	down := 0
	for cluster, e := range map[string]*exporter{"a": c.pair[0], "b": c.other} {
		for _, g := range groupsOf(d.t, e) {
			want[cluster+" "+g.Source+" "+g.Group] = strconv.Itoa(g.MembersDown)
			down += g.MembersDown
		}
	}
	require.Positive(d.t, down)
	require.Equal(d.t, strconv.Itoa(down), d.tile("Members down"))
	got := map[string]string{}
	for _, row := range d.rows("Groups") {
		got[row["Cluster"]+" "+row["Source"]+" "+row["Group"]] = row["Down"]
	}
	require.Equal(d.t, want, got)
	require.Len(d.t, d.rows("Members that are down"), down)
	require.Equal(d.t, "1 of 3", d.tile("Sources unreadable"))
	answers := map[string]string{}
	for _, row := range append(d.rows("Members that are down"), d.rows("Hosts that are down")...) {
		answers[row["Cluster"]+" "+row["Host"]+row["Member"]] = row["Host answers"]
	}
	require.Equal(d.t, map[string]string{
		"a compute-0007": "NO", "a compute-0007.cloud.example.com": "NO", "a compute-0101.cloud.example.com": "yes",
		"b controller-1.cloud.example.com": "–", "b controller-2.cloud.example.com": "–", "b controller-3.cloud.example.com": "–",
	}, answers)
}

// A groupAnswer is a group in the API.
type groupAnswer struct {
	Source      string `json:"source"`
	Group       string `json:"group"`
	MembersDown int    `json:"members_down"`
}

func groupsOf(t *testing.T, e *exporter) []groupAnswer {
	t.Helper()
	response, err := http.Get(e.url("/api/v1/groups"))
	require.NoError(t, err)
	defer response.Body.Close()
	var answer struct {
		Groups []groupAnswer `json:"groups"`
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	require.NotEmpty(t, answer.Groups)
	return answer.Groups
}

// await waits until an expression has a sample in Prometheus.
func await(t *testing.T, prom *testserver.Prom, expr string) {
	t.Helper()
	testserver.Eventually(t, func() bool { return len(prom.Query(expr)) > 0 }, waitTimeout, 200*time.Millisecond, "%s", expr)
}

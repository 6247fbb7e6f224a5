package dashboards

import (
	"flag"
	"fmt"
	"html/template"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Grafana does not run in the tests. Previews of the dashboards are drawn here from the same queries:
//
//	make preview
var preview = flag.String("preview", "", "folder to draw previews of the dashboards in, as dashboard-NAME.png")

// previewTime is how long members die and recover before the previews are drawn.
const previewTime = 90 * time.Second

// live lets members die and recover for previewTime.
func (env *environment) live() {
	for end := time.Now().Add(previewTime); time.Now().Before(end); {
		for _, m := range []string{"c2", "c6", "c3"} {
			env.kill(m)
			env.await(fmt.Sprintf(`max(service_up{member=%q}) == 0`, m))
			time.Sleep(2 * time.Second)
			env.join("nova", "compute", m)
			env.await(fmt.Sprintf(`max(service_up{member=%q}) == 1`, m))
		}
	}
}

// drawPreviews draws a picture of each dashboard.
func drawPreviews(t *testing.T, env *environment, all map[string]*board) {
	env.live()
	v := &view{t: t, prom: env.prom, start: env.started, end: time.Now()}
	page, err := template.ParseFiles("testdata/preview.html")
	require.NoError(t, err)
	for name, b := range all {
		drawing := struct {
			Board  *board
			Panels []*drawn
		}{Board: b}
		bottom := 0
		for _, p := range b.Panels {
			drawing.Panels = append(drawing.Panels, v.draw(b, p))
			bottom = max(bottom, p.GridPos.Y+p.GridPos.H)
		}
		file := filepath.Join(env.dir, name+".html")
		f, err := os.Create(file)
		require.NoError(t, err)
		require.NoError(t, page.Execute(f, drawing))
		require.NoError(t, f.Close())
		image := filepath.Join(*preview, "dashboard-"+strings.TrimSuffix(name, ".json")+".png")
		shot := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
			"--user-data-dir="+filepath.Join(env.dir, "chromium"), "--screenshot="+image, fmt.Sprintf("--window-size=1600,%d", 100+38*bottom),
			"file://"+file)
		text, err := shot.CombinedOutput()
		require.NoError(t, err, string(text))
	}
}

// drawn is a panel of the preview: a tile, a table, or a picture.
type drawn struct {
	panel

	Place, Style  template.CSS
	Empty, Tile   string
	Columns       []string
	Rows          [][]cell
	Width, Height float64
	Rects         []rect
	Lines         []line
	Texts         []label
	Legend        []cell
}

type (
	cell struct {
		Text  string
		Style template.CSS
	}
	rect struct {
		X, Y, W, H float64
		Color      string
	}
	line struct {
		Points, Color string
		Dashed        bool
	}
	label struct {
		X, Y float64
		Text string
		End  bool
	}
)

func (v *view) draw(b *board, p panel) *drawn {
	g := p.GridPos
	d := &drawn{panel: p, Place: template.CSS(fmt.Sprintf("grid-area: %d / %d / span %d / span %d", g.Y+1, g.X+1, g.H, g.W))}
	d.Width, d.Height = float64(g.W)*65-10, float64(g.H)*38-75
	switch p.Type {
	case "row":
	case "stat":
		d.tile(v.run(b, p.Targets[0]))
	case "table":
		d.table(v.rows(b, p), v.end)
	default:
		var all []named
		for _, q := range p.Targets {
			for _, s := range v.run(b, q) {
				all = append(all, named{s, legend(q.Legend, s.labels)})
			}
		}
		d.picture(all, v)
	}
	return d
}

// named is a series with the text of its legend.
type named struct {
	series
	name string
}

// legend replaces placeholders by labels.
func legend(format string, labels map[string]string) string {
	return regexp.MustCompile(`\{\{(\w+)\}\}`).ReplaceAllStringFunc(format, func(name string) string {
		return labels[strings.Trim(name, "{}")]
	})
}

func (d *drawn) tile(got []series) {
	f := d.FieldConfig.Defaults
	if len(got) == 0 {
		d.Empty, d.Tile, d.Style = f.NoValue, f.NoValue, background("purple")
		return
	}
	text, color := f.look(got[0].values[0], time.Now())
	d.Tile, d.Style = text, background(color)
}

func (d *drawn) table(rows []row, now time.Time) {
	if len(rows) == 0 {
		d.Empty = d.FieldConfig.Defaults.NoValue
		return
	}
	d.Columns = d.columns()
	for _, r := range rows[:min(len(rows), d.GridPos.H-1)] {
		var cells []cell
		for _, column := range d.Columns {
			cells = append(cells, d.cell(column, r[column], now))
		}
		d.Rows = append(d.Rows, cells)
	}
}

func (d *drawn) cell(column string, value any, now time.Time) cell {
	number, isNumber := value.(float64)
	if !isNumber {
		text, _ := value.(string)
		return cell{Text: text}
	}
	f := d.field(column)
	text, color := f.look(number, now)
	if color == "" {
		return cell{Text: text}
	}
	return cell{text, template.CSS("color: " + hue(color))}
}

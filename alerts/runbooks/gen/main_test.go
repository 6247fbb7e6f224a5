package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

const example = `# Fire

## Meaning

It burns, see [Smoke](Smoke.md) & <https://example.com/x.md>.

## Impact

<script>alert(1)</script> Heat. <b>Really.</b> [bad](javascript:alert(1))

| what | how |
| --- | --- |
| a | ` + "`b < c`" + ` |

` + "```sh\necho \"<i>\" | cat\n```\n"

// The committed HTML is what the Markdown files render to.
func TestPagesAreUpToDate(t *testing.T) {
	pages, err := render(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join("..", "html", name+".html"))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s.html is not up to date (%v): run make generate", name, err)
		}
	}
}

func TestRender(t *testing.T) {
	folder := t.TempDir()
	err := writeAll(fstest.MapFS{
		"README.md": {Data: []byte("# Runbooks\n\nBefore you start.\n")},
		"Fire.md":   {Data: []byte(example)},
		"Smoke.md":  {Data: []byte("# Smoke\n\n## Meaning\n\nIt **smells**.\n\nBadly.\n")},
	}, folder)
	if err != nil {
		t.Fatal(err)
	}
	for file, test := range map[string]struct{ has, hasNot []string }{
		"Fire.html": {
			has: []string{
				"<title>Fire</title>", "<h2>Meaning</h2>", "<td><code>b &lt; c</code></td>",
				`see <a href="Smoke">Smoke</a> &amp; <a href="https://example.com/x.md">`,
				`<pre><code class="language-sh">echo &quot;&lt;i&gt;&quot; | cat`,
			},
			hasNot: []string{"<script", "<b>", "javascript:"},
		},
		"index.html": {
			has: []string{
				"Before you start.", `<a href="Fire">Fire</a>`, `<a href="Smoke">Smoke</a>`, "<p>It <strong>smells</strong>.</p>",
			},
			hasNot: []string{"Badly"},
		},
	} {
		html, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range test.has {
			if !strings.Contains(string(html), text) {
				t.Errorf("%s does not have %s", file, text)
			}
		}
		for _, text := range test.hasNot {
			if strings.Contains(string(html), text) {
				t.Errorf("%s has %s", file, text)
			}
		}
	}
}

func TestUnreadableFile(t *testing.T) {
	err := writeAll(fstest.MapFS{"Fire.md": {Mode: fs.ModeDir}}, t.TempDir())
	if err == nil || !strings.HasPrefix(err.Error(), "rendering the runbooks: ") || !strings.Contains(err.Error(), "Fire.md") {
		t.Fatal(err)
	}
}

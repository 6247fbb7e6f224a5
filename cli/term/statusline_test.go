package term

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// Where the output is no terminal, a line is printed each ten seconds, and nothing is printed for a short wait.
func TestStatusLineOfAPipe(t *testing.T) {
	for name, c := range map[string]struct {
		seconds int
		want    string
	}{
		"short":            {9, "begins\n"},
		"ten seconds":      {10, "begins\n10\n"},
		"half a minute":    {35, "begins\n10\n20\n30\n"},
		"no status at all": {0, "begins\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				p := NewStatusLine(&out)
				p.Step("begins")
				for i := range c.seconds {
					time.Sleep(time.Second)
					p.Status(strconv.Itoa(i + 1))
				}
				p.Done()
				require.Equal(t, c.want, out.String())
			})
		})
	}
}

// On a terminal the status is one line, which any other output replaces.
func TestStatusLineOfATerminal(t *testing.T) {
	var out bytes.Buffer
	p := NewStatusLine(&out)
	p.shown = true
	fmt.Fprintln(p, "a log line")
	require.Equal(t, "\r\x1b[Ka log line\n", out.String())
	p.Done()
	require.Equal(t, "\r\x1b[Ka log line\n", out.String())
}

// On a terminal the status is replaced, fits, and is gone at the end.
func TestStatusFitsTheTerminal(t *testing.T) {
	control, terminal, err := pty.Open()
	require.NoError(t, err)
	defer control.Close()
	require.NoError(t, pty.Setsize(control, &pty.Winsize{Rows: 24, Cols: 20}))
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(control) // A pseudoterminal ends with an error.
		read <- string(text)
	}()
	p := NewStatusLine(terminal)
	p.Status("Waiting for a")
	p.Status("Waiting for a source with a long name")
	p.Done()
	require.NoError(t, terminal.Close())
	require.Equal(t, "Waiting for a"+clearLine+"Waiting for a sour…"+clearLine, <-read)
}

package term

import (
	"bytes"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

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

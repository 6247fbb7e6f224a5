package term

import (
	"bytes"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// progressOf runs a progress until it has asked for its text a few times.
func progressOf(s *Screen) {
	texts, enough := []string{"Waiting for a", "", "Waiting for a source with a long name"}, make(chan struct{})
	var asked atomic.Int32
	p := startProgress(s, time.Millisecond, func() string {
		n := int(asked.Add(1))
		if n == len(texts)+1 {
			close(enough)
		}
		return texts[min(n, len(texts))-1]
	})
	<-enough
	p.Stop()
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	progressOf(New(&out, "never"))
	require.True(t, strings.HasPrefix(out.String(), "Waiting for a\nWaiting for a source with a long name\n"), out.String())
}

// On a terminal the line is replaced, fits, and is gone at the end.
func TestProgressOnATerminal(t *testing.T) {
	control, terminal, err := pty.Open()
	require.NoError(t, err)
	defer control.Close()
	require.NoError(t, pty.Setsize(control, &pty.Winsize{Rows: 24, Cols: 20}))
	read := make(chan string)
	go func() {
		text, _ := io.ReadAll(control) // A pseudoterminal ends with an error.
		read <- string(text)
	}()
	progressOf(New(terminal, "never"))
	require.NoError(t, terminal.Close())
	text := <-read
	require.True(t, strings.HasPrefix(text, clearLine+"Waiting for a"+clearLine+"Waiting for a sour…"), "%q", text)
	require.True(t, strings.HasSuffix(text, clearLine), "%q", text)
	require.NotContains(t, text, "\n")
}

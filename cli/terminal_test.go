package cli

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/mattn/go-runewidth"
	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/testserver"
	"servicegroup_exporter/sources"
)

const (
	longName = "overcloud-novacompute-production-rack17-012.dc1.example.org"
	wideName = "日本語のホスト"
	accented = "cafe\u0301-01" // with a combining character
	reason   = `maintenance: "rack 7" is moved to the other hall, back on Monday (ticket OPS-12345)`
)

// storeWithMembers creates an embedded store with twenty members, some of which need long lines. It returns its folder and a
// function to change it.
func storeWithMembers(t *testing.T) (dir string, change func(statement string, args ...any)) {
	t.Helper()
	dir = t.TempDir()
	driver, err := sources.New(sources.Embedded(dir), nil, slog.New(slog.DiscardHandler)).Sources()[0].Open(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer driver.Close()
	members := newDemoMembers(driver.(drivers.Joiner))
	require.NoError(t, members.joinAll(t.Context()))
	for _, m := range members {
		m.Kill()
	}

	db, err := sql.Open("sqlite", filepath.Join(dir, "servicegroups.db")+"?_busy_timeout=10000")
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	change = func(statement string, args ...any) {
		t.Helper()
		_, err := db.Exec(statement, args...)
		require.NoError(t, err)
	}
	// No member sends heartbeats. They are up during the test because their last heartbeat is in the future, or down.
	change("UPDATE services SET last_seen_up = strftime('%Y-%m-%d %H:%M:%f', 'now', '+50 seconds')")
	for _, rename := range [][2]string{
		{"compute-03", longName},
		{"compute-04", wideName},
		{"compute-05", accented},
		{"compute-06", "bad\x1b[31mname"},
	} {
		change("UPDATE services SET host = ? WHERE host = ?", rename[1], rename[0])
	}
	change("UPDATE services SET disabled = 1, disabled_reason = ? WHERE host = 'compute-01'", reason)
	change("UPDATE services SET forced_down = 1 WHERE host = 'compute-02'")
	change("UPDATE services SET last_seen_up = '2026-01-01 00:00:00.000' WHERE host = ?", longName)
	return dir, change
}

// A session is the program on a terminal of its own.
type session struct {
	cmd  *exec.Cmd
	text testserver.Log
	read chan struct{} // closed when the program has closed the terminal
}

// onTerminal starts the program on a terminal with this number of columns.
func onTerminal(t *testing.T, columns int, env []string, args ...string) *session {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	s := &session{cmd: exec.CommandContext(ctx, name, args...), read: make(chan struct{})}
	s.cmd.Env = append(os.Environ(), append([]string{"TERM=xterm", "NO_COLOR=", "LC_ALL=C.UTF-8"}, env...)...)
	control, err := pty.StartWithSize(s.cmd, &pty.Winsize{Rows: 24, Cols: uint16(columns)})
	require.NoError(t, err)
	go func() {
		defer close(s.read)
		defer control.Close()
		_, _ = io.Copy(&s.text, control) // It ends with an error when the program has closed its side.
	}()
	return s
}

func (s *session) soFar() string {
	return strings.ReplaceAll(s.text.String(), "\r\n", "\n")
}

func (s *session) end(t *testing.T) string {
	t.Helper()
	<-s.read
	require.NoError(t, s.cmd.Wait(), s.soFar())
	return s.soFar()
}

// requireFits requires that no line is too wide, and that escape sequences only set colours.
func requireFits(t *testing.T, columns int, text string) {
	t.Helper()
	chars := &runewidth.Condition{}
	bare := withoutEscapes(text)
	require.NotContains(t, bare, "\x1b")
	for line := range strings.Lines(bare) {
		require.LessOrEqual(t, chars.StringWidth(strings.TrimSuffix(line, "\n")), columns, line)
	}
}

func TestListOnATerminal(t *testing.T) {
	dir, _ := storeWithMembers(t)
	flag := "--storage.path=" + dir
	for _, columns := range []int{40, 80, 120, 200} {
		text := onTerminal(t, columns, nil, flag, "list").end(t)
		requireFits(t, columns, text)
		require.Equal(t, 22, strings.Count(text, "\n"), text)
		require.Contains(t, text, "\x1b[1mSOURCE\x1b[0m")
		require.True(t, strings.HasSuffix(text, "20 members: \x1b[32m18 up\x1b[0m, \x1b[1;31m2 down\x1b[0m\n"), text)
	}

	narrow := withoutEscapes(onTerminal(t, 80, nil, flag, "list").end(t))
	require.Regexp(t, `(?m)^SOURCE  GROUP    MEMBER +STATE      SEEN +ADMIN$`, narrow)
	require.Regexp(t, `(?m)^local   compute  overcloud-novacompute-pro\S*…  down [0-9]+d  [0-9]+d ago +enabled$`, narrow)
	require.Regexp(t, `(?m)^local   compute  日本語のホスト +up         \d+s ahead`, narrow)
	require.Regexp(t, `(?m)^local   compute  "bad\\x1b\[31mname" +up `, narrow)
	require.Regexp(t, `(?m) disabled: .*…$`, narrow)
	require.Regexp(t, `(?m) down .* forced down$`, narrow)

	wide := onTerminal(t, 210, nil, flag, "list").end(t)
	require.Contains(t, wide, longName)
	require.Contains(t, wide, "\x1b[33mdisabled: "+reason)
	require.NotContains(t, wide, "ZONE", "no member has a zone")

	// Columns are where they are said to be, whatever is in them.
	column := -1
	for line := range strings.Lines(withoutEscapes(wide)) {
		at := strings.Index(strings.ReplaceAll(line, "STATE", "up   "), "  up   ")
		if at < 0 {
			continue
		}
		width := runewidth.StringWidth(line[:at])
		require.True(t, column < 0 || column == width, line)
		column = width
	}
	require.Positive(t, column)

	require.NotContains(t, onTerminal(t, 80, []string{"NO_COLOR=1"}, flag, "list").end(t), "\x1b")
	require.NotContains(t, onTerminal(t, 80, []string{"TERM=dumb"}, flag, "list").end(t), "\x1b")
	require.NotContains(t, onTerminal(t, 80, nil, flag, "list", "--color=never").end(t), "\x1b")
	require.NotContains(t, onTerminal(t, 80, nil, flag, "list", "--format=json").end(t), "\x1b")
}

// The output in a pipe is complete, also if the program runs on a terminal.
func TestListIntoAPipe(t *testing.T) {
	dir, _ := storeWithMembers(t)
	text, err := exec.Command(name, "--storage.path="+dir, "list").Output()
	require.NoError(t, err)
	require.NotContains(t, string(text), "\x1b")
	require.Equal(t, 21, bytes.Count(text, []byte("\n")), "no summary")
	require.Regexp(t, `(?m)^SOURCE  GROUP    MEMBER +STATE  LAST HEARTBEAT            BINARY   ZONE  ADMIN$`, string(text))
	require.Regexp(t, longName+`  down   2026-01-01T00:00:00.000Z  `, string(text))
	require.Contains(t, string(text), "disabled: "+reason+"\n")
}

func TestWatchOnATerminal(t *testing.T) {
	for _, columns := range []int{30, 80, 200} {
		dir, change := storeWithMembers(t)
		s := onTerminal(t, columns, nil, "--storage.path="+dir, "watch", "--interval=50ms")
		shows := func(words ...string) {
			t.Helper()
			require.Eventually(t, func() bool {
				for _, word := range words {
					if !strings.Contains(s.soFar(), word) {
						return false
					}
				}
				return true
			}, patience, 10*time.Millisecond, s.soFar)
		}
		shows(" watching", "source=local")
		change("UPDATE services SET last_seen_up = '2026-01-01 00:00:00.000' WHERE host IN ('compute-07', ?)", wideName)
		shows("\x1b[1;31mdeath\x1b[0m       compute/")
		change("UPDATE services SET last_seen_up = strftime('%Y-%m-%d %H:%M:%f', 'now', '+50 seconds') WHERE host = ?", longName)
		shows("\x1b[32mrecovery\x1b[0m    compute/")
		change("DELETE FROM services WHERE host = 'storage-01'")
		shows("\x1b[36mleave\x1b[0m       storage/")
		change("ALTER TABLE services RENAME TO lost")
		shows("\x1b[1;31msource_lost\x1b[0m", "no such")
		require.NoError(t, s.cmd.Process.Signal(os.Interrupt))
		requireFits(t, columns, s.end(t))
	}
}

// A command that waits for a source shows on a terminal each second for which, in one line that its end removes.
func TestWaitingOnATerminal(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { silent.Close() })
	file := filepath.Join(t.TempDir(), "a.yml")
	config := fmt.Sprintf("sources: [{name: silent, driver: db, db: {dsn: 'mysql://u@%s/nova'}}]", silent.Addr())
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	for command, shows := range map[string]string{
		"list": "waiting for silent: 1s of at most 3s", "get-one g": "waiting for silent: 1s of at most 3s",
		"is-up g m": "waiting for silent: 1s of at most 3s", "leave g m": "removing g/m: 1s of at most 3s",
		"join g m": "joining group g as m: 1s of at most 3s",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			s := onTerminal(t, 80, nil, append(strings.Fields(command), "--config.file="+file, "--timeout=3s")...)
			<-s.read
			require.Error(t, s.cmd.Wait())
			require.Contains(t, s.soFar(), shows)
			require.Regexp(t, `\r\x1b\[K[^\r]*servicegroup_exporter: `, s.soFar(), "the error has a line of its own")
		})
	}
}

// withoutEscapes removes the escape sequences of colours.
func withoutEscapes(s string) string {
	var text strings.Builder
	for s != "" {
		before, escape, found := strings.Cut(s, "\x1b[")
		text.WriteString(before)
		if !found {
			break
		}
		_, s, _ = strings.Cut(escape, "m")
	}
	return text.String()
}

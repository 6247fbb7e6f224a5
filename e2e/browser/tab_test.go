package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// isLive is true in a page that is loaded and live.
const isLive = `document.body?.className === "live"`

// A tab is a page in its own browser with an empty profile.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	messages []string // errors and warnings of the browser
}

// openTab starts a browser. It records errors and warnings in the console, which include violations of the
// Content-Security-Policy. See checkNoMessages.
func openTab(t *testing.T, width, height int) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "chromium is not installed: run `make deps`, or `apt-get install chromium`")
	options := slices.Concat(chromedp.DefaultExecAllocatorOptions[:], []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // Chromium does not run as root with a sandbox.
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", false), // Hidden scrollbars take no space, which hides overflows.
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(width, height),
		chromedp.WSURLReadTimeout(waitTimeout),
	})
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(int64(width), int64(height))))
	go b.listen()
	return b
}

func (b *tab) listen() {
	for message, err := range chromedp.Console(b.ctx) {
		if err != nil {
			return
		}
		switch message.Type {
		case chromedp.ConsoleError, chromedp.ConsoleWarning, chromedp.ConsoleException:
			b.mu.Lock()
			b.messages = append(b.messages, message.String())
			b.mu.Unlock()
		default:
		}
	}
}

// clearMessages returns the errors and warnings since the last call.
func (b *tab) clearMessages() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	messages := b.messages
	b.messages = nil
	return messages
}

// checkNoMessages fails if there were errors or warnings since the last call.
func (b *tab) checkNoMessages() {
	b.t.Helper()
	require.Empty(b.t, b.clearMessages())
}

// do runs steps in the page.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, waitTimeout)
	defer cancel()
	require.NoError(b.t, chromedp.Do(ctx, steps...))
}

// open opens a URL and waits until the page is live.
func (b *tab) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
	b.eventually(isLive)
}

// runFirst makes a script run in each page before all other scripts.
func (b *tab) runFirst(statement string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: statement})
	require.NoError(b.t, err)
}

// value returns the value of an expression in the page. It awaits a promise.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := evaluate[T](b, expression)
	require.NoError(b.t, err, expression)
	return v
}

func evaluate[T any](b *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, waitTimeout)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// script runs a statement in the page.
func script(statement string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](statement)
}

// choose selects an option of a form field, as a user does.
func choose(field, option string) chromedp.Action[chromedp.Void] {
	return script(fmt.Sprintf(`(() => {
		const field = document.forms[0].elements[%s];
		field.value = %s;
		field.dispatchEvent(new Event("input", { bubbles: true }));
	})()`, quote(field), quote(option)))
}

// text returns the text of an element.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return value[string](b, fmt.Sprintf(`document.querySelector(%s)?.innerText ?? "(no element)"`, quote(selector)))
}

// texts returns the texts of all matching elements.
func (b *tab) texts(selector string) []string {
	b.t.Helper()
	return value[[]string](b, fmt.Sprintf(`[...document.querySelectorAll(%s)].map((e) => e.innerText)`, quote(selector)))
}

// eventually waits until an expression is true in the page. It is not true in a page that another replaces meanwhile.
func (b *tab) eventually(expression string) {
	b.t.Helper()
	holds := func() bool {
		ok, err := evaluate[bool](b, expression)
		if err != nil && strings.Contains(err.Error(), "Inspected target navigated") {
			return false
		}
		require.NoError(b.t, err, expression)
		return ok
	}
	for end := time.Now().Add(waitTimeout); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("this did not become true: %s\nthe page shows:\n%s\nmessages: %q",
				expression, b.text("body"), b.clearMessages())
		}
	}
}

// press presses keys.
func (b *tab) press(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.do(chromedp.KeyEvent(key))
	}
}

// scheme sets the preferred color scheme, "light" or "dark".
func (b *tab) scheme(name string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	require.NoError(b.t, err)
}

// noScripts makes the browser run no scripts of pages that it opens from now on. The scripts of the test still run.
func (b *tab) noScripts() {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	require.NoError(b.t, err)
}

// has waits until the text of an element contains a part.
func (b *tab) has(selector, part string) {
	b.t.Helper()
	b.eventually(fmt.Sprintf(`document.querySelector(%s)?.innerText.replace(/\s+/g, " ").includes(%s) ?? false`, quote(selector), quote(part)))
}

// quote returns a text as a JavaScript string literal.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // Strings can always be encoded.
	}
	return strings.ReplaceAll(string(quoted), "\u2028", `\u2028`)
}

package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// The page about the API is found from the status page, fits into a narrow window, and needs no scripts.
func TestAPIPage(t *testing.T) {
	t.Parallel()
	_, e := serveMembers(t, 1)
	b := openTab(t, 360, 800)
	b.noScripts()
	b.do(chromedp.Navigate(e.url("/?q=c")))
	b.do(chromedp.Click(chromedp.CSS(`footer a[href$="api/"]`)))
	b.eventually(`location.pathname === "/api/" && document.title === "API" && document.readyState === "complete"`)
	b.checkNoHorizontalScroll()
	b.checkNoMessages()
	b.do(chromedp.Click(chromedp.CSS(`a[href="#Delivery"]`)))
	require.Equal(t, "Delivery", value[string](b, `document.querySelector(":target").textContent`))
	require.True(t, value[bool](b, `document.querySelector('nav a[href="v1/openapi.yaml"]') !== null`))
}

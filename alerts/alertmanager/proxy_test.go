package alertmanager

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// Servers between this program and Alertmanager may answer in its place. Nothing that they say counts as Alertmanager's word: no
// alert counts as accepted, and none is dropped.
func TestProxiesThatAnswer(t *testing.T) {
	t.Parallel()
	server := alertmanager(t)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) { t.Errorf("%s went to another host", q.URL) }))
	t.Cleanup(elsewhere.Close)
	page := func(code int, kind, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(code)
			_, _ = fmt.Fprint(w, text)
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		reason string
	}{
		"a login page":                  {page(200, "text/html; charset=utf-8", "<form>Please log in"), "rejected"},
		"a login page in XHTML":         {page(201, "application/xhtml+xml", "<form>Please log in"), "rejected"},
		"a page that asks for patience": {page(503, "text/html", "come back in a day"), "server"},
		"too many requests":             {page(429, "application/json", `{"message": "slow down"}`), "server"},
		"a refusal of a firewall":       {page(403, "text/html", "blocked"), "auth"},
		"a gateway's own 400":           {page(400, "application/json", `{"message": "Bad Request"}`), "rejected"},
		"a framework's own 400":         {page(400, "application/json", `{"status": 400, "error": {"code": "X"}}`), "rejected"},
		"a 400 with a broken body":      {page(400, "application/json", `{"code": 400, "mess`), "rejected"},
		"a gateway's own 422":           {page(422, "application/json", `[]`), "rejected"},
		"each request is too large":     {page(413, "text/html", "too large"), "rejected"},
		"a redirect to another host": {func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)+q.URL.Path, http.StatusPermanentRedirect)
		}, "rejected"},
		"a redirect to a login page": {func(w http.ResponseWriter, q *http.Request) {
			http.Redirect(w, q, "/login", http.StatusSeeOther)
		}, "rejected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var closed atomic.Bool
			closed.Store(true)
			proxy := httputil.NewSingleHostReverseProxy(parse(t, server.URL()))
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				if closed.Load() {
					test.answer(w, q)
				} else {
					proxy.ServeHTTP(w, q)
				}
			}))
			t.Cleanup(front.Close)
			r := startClient(t, front.URL, nil)
			a := alertOf(name)
			r.Send(a)
			eventually(t, "a failure", func() bool { return r.value("notifications_errors_total", "reason", test.reason) > 0 })
			require.InDelta(t, 0, r.value("notifications_sent_total"), 0)
			require.InDelta(t, 0, r.value("notifications_dropped_total"), 0)
			require.InDelta(t, 0, r.value("notifications_alertmanager_up"), 0)
			closed.Store(false)
			eventually(t, "the alert", func() bool { return r.value("notifications_sent_total") == 1 }) // long before the time in Retry-After
		})
	}
}

// Lists that a proxy has damaged end no retained alert, and each is an error with its reason.
func TestListsThatAreNotAlertmanagers(t *testing.T) {
	t.Parallel()
	answer := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, text)
		}
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		reason reason
	}{
		"an object":      {answer(`{}`), reasonRejected},
		"null":           {answer(`null`), reasonRejected},
		"a text":         {answer(`"alerts"`), reasonRejected},
		"nothing":        {answer(``), reasonRejected},
		"an open list":   {answer(`[{"labels": {}}`), reasonRejected},
		"not JSON":       {answer(`<html>`), reasonRejected},
		"other elements": {answer(`[1, 2]`), reasonRejected},
		"an endless one": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			zipped := gzip.NewWriter(w)
			block := []byte(`"` + strings.Repeat(" ", 1<<20))
			for range 2 * maxAnswer >> 20 {
				_, _ = zipped.Write(block)
			}
		}, reasonRejected},
		"zipped, but not labelled": {func(w http.ResponseWriter, _ *http.Request) {
			zipped := gzip.NewWriter(w)
			_, _ = zipped.Write([]byte(`[]`))
			_ = zipped.Close()
		}, reasonRejected},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = fmt.Fprint(w, `[{"labels": {}}, {"labels": {"a": "`)
		}, reasonConnect},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			front := httptest.NewServer(test.answer)
			t.Cleanup(front.Close)
			r := newTestClient(t, nil, func(o *Options) { o.Config.URL = configOf(t, front.URL).URL })
			f := r.fetchActive(t.Context(), map[string]string{"source": "nova"}, func(*receivedAlert) {})
			require.NotNil(t, f)
			require.Equal(t, test.reason, f.reason, f.Error())
			require.Nil(t, r.activeKeys(t.Context(), map[string]string{"source": "nova"}))
		})
	}
}

// Answers that Alertmanager gives are told from answers of proxies.
func TestRefusals(t *testing.T) {
	for text, want := range map[string]bool{
		`"bad label"`: true, `{"code": 602, "message": "alerts.0.labels is required"}`: true,
		`{"code": "602", "message": "x"}`: false, `{"message": "x"}`: false, `{"code": 1}`: false, `[]`: false, `null`: false, ``: false, `<html>`: false,
	} {
		require.Equal(t, want, isRefusal(strings.NewReader(text)), text)
	}
}

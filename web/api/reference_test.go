package api

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The page about the API has everything of the OpenAPI file that a reader needs, and each of its links leads somewhere.
func TestReference(t *testing.T) {
	b := newBench(t)
	get := func(method, path string) *httptest.ResponseRecorder { // No page is in the OpenAPI file.
		w := httptest.NewRecorder()
		b.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
		return w
	}
	answer := get(http.MethodGet, "/api/")
	require.Equal(t, http.StatusOK, answer.Code)
	require.Equal(t, "text/html; charset=utf-8", answer.Header().Get("Content-Type"))
	page := answer.Body.String()
	require.NotRegexp(t, `<script|<style|\sstyle=|\son[a-z]+=|(src|href)="/`, page)

	doc, err := loadSpecification()
	require.NoError(t, err)
	for path, item := range doc.Paths.Map() {
		section := regexp.MustCompile(`(?s)<h2 id="` + item.Get.OperationID + `">` + regexp.QuoteMeta(path) + `</h2>.*?<h2`).FindString(page)
		require.NotEmpty(t, section, path)
		for _, p := range item.Get.Parameters {
			require.Contains(t, section, "<li><code>"+p.Value.Name+"</code>", path)
		}
	}
	for name, s := range doc.Components.Schemas {
		section := regexp.MustCompile(`(?s)<h3 id="` + name + `">.*?<(h3|/main)`).FindString(page)
		require.NotEmpty(t, section, name)
		for property := range s.Value.Properties {
			require.Contains(t, section, "<li><code>"+property+"</code>", name)
		}
	}
	for _, link := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		require.Regexp(t, `id="`+regexp.QuoteMeta(link[1])+`"`, page)
	}
	require.Contains(t, page, `<li><code>up</code>: boolean or null. null: unknown</li>`)
	require.Contains(t, page, `<p>application/json: <a href="#IsUp">IsUp</a> or <a href="#Error">Error</a></p>`)
	require.Contains(t, page, `<li><code>source</code>: string. Only this source.`)
	require.Contains(t, page, `<li><code>group</code>, needed: string. The group.`)
	require.Contains(t, page, `<li><code>buckets.le</code>: number. Seconds.</li>`)
	require.Contains(t, page, `<li><code>error</code>, may be left out: string.`)

	require.Equal(t, http.StatusOK, get(http.MethodGet, "/api/v1/openapi.yaml").Code, "the page links to it")
	require.Equal(t, http.StatusMethodNotAllowed, get(http.MethodPost, "/api/").Code)
	require.Equal(t, http.StatusBadRequest, get(http.MethodGet, "/api/?x=1").Code)
}

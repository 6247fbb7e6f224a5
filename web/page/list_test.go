package page

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Names that do not exist are answered with 404, in a page with a way back. What may exist is not.
func TestUnknownNames(t *testing.T) {
	h := newPages(t, Options{MetricsPath: "/metrics"})
	for path, want := range map[string]string{
		"/?source=gone":                             "There is no source gone.",
		"/?source=%3Cscript%3E":                     "There is no source <script>.",
		"/?source=a&group=gone":                     "There is no group gone of source a.",
		"/member":                                   "The address names no member: it needs the parameters group and member.",
		"/member?group=b":                           "The address names no member: it needs the parameters group and member.",
		"/member?source=gone&group=b&member=c":      "There is no source gone.",
		"/member?source=a&group=gone&member=c":      "There is no group gone of source a.",
		"/member?source=a&group=b&member=gone":      "Group b of source a has no member gone.",
		"/member?source=a&group=big&member=c":       "Group big of source a has no member c.",
		"/nothing":                                  "There is no such page.",
		"/a/b/c":                                    "There is no such page.",
		"/assets/none.js":                           "There is no such page.",
		"/member/x":                                 "There is no such page.",
		"/?source=a&group=b":                        "",
		"/?source=lost&group=any":                   "",
		"/?group=any":                               "", // The source that can't be read may have it.
		"/member?group=any&member=any":              "",
		"/member?source=cell&group=any&member=any":  "",
		"/?source=cell":                             "",
		"/?q=nothing&zone=nowhere&state=down&sort=": "",
	} {
		answer := get(t, h, path, nil)
		if want == "" {
			require.Equal(t, http.StatusOK, answer.Code, path)
			continue
		}
		require.Equal(t, http.StatusNotFound, answer.Code, path)
		require.Equal(t, "text/html; charset=utf-8", answer.Header().Get("Content-Type"), path)
		text := answer.Body.String()
		require.Contains(t, text, html.EscapeString(want), path)
		root := "./" + strings.Repeat("../", strings.Count(strings.Split(path, "?")[0], "/")-1)
		require.Contains(t, text, `<a href="`+root+`">All members</a>`, path)
		require.Contains(t, text, `<a class="name" href="`+root+`?source=lost">Source lost</a>`, path)
		require.Contains(t, text, `href="`+root+`assets/app.css"`, path)
	}
}

var (
	rowName = regexp.MustCompile(`<td><a class="name" href="member\?[^"]*">([^<]*)</a></td>`)
	anyLink = regexp.MustCompile(`<a href="(\./\?[^"]*)">([A-Za-z]+)</a>`)
)

// list returns the names on a page of the list without JavaScript, and its links.
func list(t *testing.T, h http.Handler, path string) (names []string, links map[string]string) {
	t.Helper()
	text := get(t, h, path, nil).Body.String()
	for _, match := range rowName.FindAllStringSubmatch(text, -1) {
		names = append(names, html.UnescapeString(match[1]))
	}
	links = map[string]string{}
	for _, match := range anyLink.FindAllStringSubmatch(text, -1) {
		links[match[2]] = strings.TrimPrefix(html.UnescapeString(match[1]), ".")
	}
	return names, links
}

// Without JavaScript, links lead through all members in every order.
func TestListWithoutJavaScript(t *testing.T) {
	h := newPages(t, Options{MetricsPath: "/metrics"})
	for order, want := range map[string]string{
		"":           "<m002> <m005>", // the latest deaths
		"-state":     "<m118> <m117>",
		"member":     "<m000> <m001>",
		"-member":    "c <m119>",
		"since":      "<m000> <m001>",
		"-since":     "<m119> <m118>",
		"heartbeat":  "<m000> <m001>",
		"-heartbeat": "<m119> <m118>",
		"nonsense":   "<m002> <m005>",
	} {
		names, _ := list(t, h, "/?sort="+url.QueryEscape(order))
		require.Len(t, names, pageSize)
		require.Equal(t, want, strings.Join(names[:2], " "), order)
	}

	seen := map[string]bool{}
	names, links := list(t, h, "/?source=a&sort=-member")
	require.NotContains(t, links, "Previous")
	for pages := 1; ; pages++ {
		for _, name := range names {
			require.False(t, seen[name], name)
			seen[name] = true
		}
		next, ok := links["Next"]
		if !ok {
			require.Equal(t, 3, pages)
			break
		}
		require.Contains(t, next, "source=a", "the filter stays")
		names, links = list(t, h, next)
	}
	require.Len(t, seen, 121)
	require.Contains(t, links, "First")
	_, links = list(t, h, "/?sort=since&page=2")
	require.NotContains(t, links["Since"], "page=", "another order begins at its first page")
	require.Contains(t, links["Since"], "sort=-since", "the same link again turns the order")

	for query, want := range map[string]int{"state=down": 40, "state=up": 50, "q=M01": 10, "group=b": 1, "page=99": 21, "page=x": 50, "zone=z": 0} {
		names, _ = list(t, h, "/?"+query)
		require.Len(t, names, want, query)
	}
}

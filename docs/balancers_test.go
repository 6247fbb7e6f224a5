package docs_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// The page about load balancers is followed. Its configuration lets a real HAProxy lead to the servers that are up, to those that are
// unknown, and to all without an exporter.
func TestBalancers(t *testing.T) {
	s := newSite(t)
	front := fmt.Sprintf("127.0.0.1:%d", testserver.Port(t))
	s.others = append(s.others, "127.0.0.1:8080", front, "127.0.0.1 port 10199", strings.Replace(s.address, ":", " port ", 1), "inter 2s", "inter 50ms")
	for _, name := range []string{"web-1", "web-2"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) }))
		t.Cleanup(server.Close)
		s.others = append(s.others, "127.0.0.1:808"+name[len("web-"):], server.Listener.Addr().String())
		s.member(t, "web", name, 0)
	}
	s.serve(t, s.source())
	testserver.Eventually(t, func() bool { return get("http://"+s.address+"/api/v1/get-all?group=web") != "" }, patience, 50*time.Millisecond, "a poll")
	s.follow(t, "balancers.md", 3)

	testserver.Program(t, "haproxy", []string{"haproxy", "-db", "-f", filepath.Join(s.dir, "haproxy.cfg")}, func() error {
		_, err := http.Get("http://" + front)
		return err
	})
	leadsTo := func(why string, want ...string) {
		t.Helper()
		testserver.Eventually(t, func() bool {
			seen := map[string]bool{}
			for range 8 { // HAProxy takes the servers in turn.
				seen[get("http://"+front)] = true
			}
			for _, name := range want {
				if !seen[name] {
					return false
				}
			}
			return len(seen) == len(want)
		}, patience, 100*time.Millisecond, "%s: HAProxy leads to %v", why, want)
	}
	leadsTo("both are up", "web-1", "web-2")
	s.member(t, "web", "web-2", 2*time.Hour)
	leadsTo("web-2 is down", "web-1")
	s.database.Stop()
	leadsTo("the database is away", "web-1", "web-2")
	s.database.Start()
	leadsTo("the database is back", "web-1")
	s.sql(t, "UPDATE services SET deleted = id WHERE host = 'web-1'")
	s.member(t, "web", "web-2", 0)
	leadsTo("web-1 has left", "web-2")
	s.exporter.Stop()
	leadsTo("the exporter is away", "web-1", "web-2")
	require.NotEmpty(t, get("http://"+front))
}

// get returns the body of an answer; empty: there is none with status 200.
func get(url string) string {
	response, err := http.Get(url)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return string(text)
}

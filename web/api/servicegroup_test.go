package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The ServiceGroup calls, while two sources are read, one of them is lost, and before anything was read.
func TestServiceGroupCalls(t *testing.T) {
	inTime(t, func(t *testing.T) {
		b := newBench(t, "a", "b")
		unpolled := `{"error": "source a has not been polled yet"}`
		for _, path := range []string{
			"/api/v1/get-all?group=web", "/api/v1/get-one?group=web", "/api/v1/is-up?group=web&member=w1", "/sd/web",
		} {
			status, body := b.get(path)
			require.Equal(t, http.StatusServiceUnavailable, status, path)
			require.JSONEq(t, unpolled, body)
		}

		b.sources["a"].has(up("web", "w1"), down("web", "w2"), up("db", "d1"))
		b.sources["b"].has(up("web", "w1"), up("web", "w3"))
		b.pollIn(0)
		time.Sleep(90 * time.Second)
		age := `"last_success": "2000-01-01T00:00:00Z", "age_seconds": 90}`
		require.JSONEq(t, `{"members": ["w1", "w3"], `+age, b.ok("/api/v1/get-all?group=web"))
		require.JSONEq(t, `{"members": ["w1"], `+age, b.ok("/api/v1/get-all?group=web&source=a"))
		require.JSONEq(t, `{"members": [], `+age, b.ok("/api/v1/get-all?group=none"))
		require.JSONEq(t, `{"member": "d1", `+age, b.ok("/api/v1/get-one?group=db"))
		require.JSONEq(t, `{"up": true, `+age, b.ok("/api/v1/is-up?group=web&member=w1&source=b"))
		require.JSONEq(t, `{"up": false, `+age, b.ok("/api/v1/is-up?group=web&member=w2"))

		b.sources["b"].fail()
		b.pollIn(0)
		require.JSONEq(t, `{"up": null, `+age, b.ok("/api/v1/is-up?group=web&member=w3"))
		fresh := `"last_success": "2000-01-01T00:01:30Z", "age_seconds": 0}`
		require.JSONEq(t, `{"member": "d1", `+fresh, b.ok("/api/v1/get-one?group=db"), "d1 is up, regardless of the other source")
		require.JSONEq(t, `{"members": ["w1"], `+fresh, b.ok("/api/v1/get-all?group=web&source=a"))
		for _, path := range []string{
			"/api/v1/get-all?group=web", "/api/v1/get-one?group=none", "/api/v1/is-up?group=web&member=w9", "/sd/web", "/sd/db?source=b",
		} {
			status, body := b.get(path)
			require.Equal(t, http.StatusServiceUnavailable, status, path)
			require.JSONEq(t, `{"error": "source b can't be read (connect): connection refused"}`, body)
		}
	})
}

// With status=http, the status alone says whether a member is up, and no status of an answer that says nothing of the member is one that
// means down.
func TestIsUpByStatus(t *testing.T) {
	b := newBench(t, "a", "b")
	isUp := func(member, source string) (int, string) {
		return b.get("/api/v1/is-up?status=http&group=web&member=" + member + "&source=" + source)
	}
	status, body := isUp("w1", "")
	require.Equal(t, http.StatusFailedDependency, status)
	require.JSONEq(t, `{"error": "source a has not been polled yet"}`, body)

	b.sources["a"].has(up("web", "w1"), down("web", "w2"))
	b.sources["b"].has(up("web", "w3"))
	b.poll()
	b.sources["b"].fail()
	b.poll()
	for _, want := range []struct {
		member, source string
		status         int
		body           string
	}{
		{"w1", "", http.StatusOK, `"up":true`},
		{"w2", "", http.StatusServiceUnavailable, `"up":false`},
		{"w3", "", http.StatusFailedDependency, `"up":null`},
		{"w9", "", http.StatusFailedDependency, `source b can't be read`},
		{"w9", "a", http.StatusNotFound, `no such member`},
		{"w1", "c", http.StatusNotFound, `there is no source`},
	} {
		status, body := isUp(want.member, want.source)
		require.Equal(t, want.status, status, "%s: %s", want.member, body)
		require.Contains(t, body, want.body)
	}
	status, body = b.get("/api/v1/is-up?status=text&group=web&member=w1")
	require.Equal(t, http.StatusBadRequest, status, body)

	for range maxAnswers {
		b.api.answers <- struct{}{}
	}
	status, body = isUp("w1", "")
	require.Equal(t, http.StatusFailedDependency, status)
	require.Contains(t, body, "100 answers are in progress already")
}

func TestGetOneIsRandom(t *testing.T) {
	b := newBench(t, "a")
	b.sources["a"].has(up("web", "w1"), up("web", "w2"), down("web", "w3"))
	b.poll()
	given := make(map[string]int)
	for range 200 { // The odds that one of two is never given are 2 to 2^200.
		var one getOneAnswer
		decode(t, b.ok("/api/v1/get-one?group=web"), &one)
		given[one.Member]++
	}
	require.Len(t, given, 2)
	require.NotContains(t, given, "w3")
}

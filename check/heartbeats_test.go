package check

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// Whether a backend keeps heartbeats shows in its members that are up.
func TestHeartbeatsOfABackendWithoutThem(t *testing.T) {
	for text, members := range map[string][]drivers.Member{
		"a member is down 4s after its session was last heard; the backend keeps no heartbeats": {{Name: "a", Up: true}, {Name: "b"}},
		"heartbeat timeout 4s; the reporting interval is not known, because no member is up":    {{Name: "a"}},
	} {
		poll := &drivers.Poll{Members: members, DownTime: 4 * time.Second}
		require.Equal(t, text, (&sourceResult{}).heartbeats(t.Context(), nil, poll).Text)
	}
}

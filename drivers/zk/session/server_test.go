package session

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseServer(t *testing.T) {
	for text, want := range map[string]string{
		"zk1": "zk1:2181", "zk1:2182": "zk1:2182", "10.0.0.1": "10.0.0.1:2181",
		"::1": "[::1]:2181", "[::1]": "[::1]:2181", "[::1]:2182": "[::1]:2182", "fe80::1%eth0": "[fe80::1%eth0]:2181",
	} {
		s, err := ParseServer(text)
		require.NoError(t, err, text)
		require.Equal(t, want, s.String(), text)
	}
}

package session

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// A server that requires SASL is named as such, with the reason auth. Other unknown errors keep their text.
func TestSASLIsNamed(t *testing.T) {
	err := Unavailable("reading /a", errors.New("unknown error: -124"))
	require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
	require.ErrorContains(t, err, "reading /a: the server requires SASL (sessionRequireClientSASLAuth or enforce.auth), which is not supported")
	for _, text := range []string{"unknown error: -125", "unknown error: -12", "zk: unknown error"} {
		err := Unavailable("reading /a", errors.New(text))
		require.Equal(t, drivers.ReasonQuery, drivers.ReasonOf(err), text)
		require.ErrorContains(t, err, text)
	}
}

package session

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

// A server's answer that it requires SASL is named as such, with the reason auth, and no next session is tried. Other unknown errors
// end no session.
func TestSASLIsNamed(t *testing.T) {
	for _, code := range []int32{saslRequired, -125, -12, 0} {
		for _, xid := range []int32{1, -4} { // a request, and a digest
			var r reply
			r.begin(headerSize)
			header := make([]byte, headerSize)
			binary.BigEndian.PutUint32(header, uint32(xid))
			binary.BigEndian.PutUint32(header[12:], uint32(code))
			err := r.check(header, &requests{})
			if code != saslRequired {
				require.NoError(t, err, code)
				continue
			}
			lost := &lostError{"zk1:2181", err}
			require.False(t, Lost(lost))
			for _, err := range []error{Unavailable("reading /a", lost), lostReason(lost)} {
				require.Equal(t, drivers.ReasonAuth, drivers.ReasonOf(err))
				require.ErrorContains(t, err, "the server requires SASL (sessionRequireClientSASLAuth or enforce.auth), which is not supported")
			}
		}
	}
	require.True(t, Lost(&lostError{"zk1:2181", errors.New("x")}))
	require.Equal(t, drivers.ReasonSession, drivers.ReasonOf(lostReason(errors.New("x"))))
}

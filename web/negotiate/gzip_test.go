package negotiate

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGzip(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                     false,
		"gzip":                 true,
		"GZIP":                 true,
		",gzip":                true, // Here promhttp is stricter than the standard.
		"gzip,, br":            true,
		"br;q=1.0, gzip;q=0.8": true,
		"br, gzip ; q=0.5":     true,
		"gzip;q=0":             false,
		"gzip; q=0.000":        false,
		"gzip;q=x":             false,
		"br, x-gzip":           false,
		"x-gzip":               false,
		"identity":             false,
	} {
		require.Equal(t, want, Gzip(http.Header{"Accept-Encoding": {accept}}), accept)
	}
}

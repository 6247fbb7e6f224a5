package drivers

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLastingError(t *testing.T) {
	for name, c := range map[string]struct {
		errs []string // of the attempts; empty: success
		want string   // for each attempt: E the error is logged, S the success, - nothing
	}{
		"success":              {[]string{"", ""}, "--"},
		"one error lasts":      {[]string{"full", "full", "full", "", ""}, "E--S-"},
		"another error":        {[]string{"full", "read-only", "read-only", ""}, "EE-S"},
		"errors alternate":     {[]string{"full", "read-only", "full", "read-only", "", "full"}, "EE--SE"},
		"numbers change":       {[]string{"port 1: reset", "port 2: reset", "port 3: no answer within 1.5s", "port 3: no answer within 2s"}, "E-E-"},
		"begins again":         {[]string{"full", "", "full", "", "full"}, "ESESE"},
		"an error without end": {[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", ""}, "EEEEEEEEEE---S"},
	} {
		t.Run(name, func(t *testing.T) {
			var e LastingError
			got := ""
			for _, text := range c.errs {
				var err error
				if text != "" {
					err = errors.New(text)
				}
				logError, logEnd := e.Update(err)
				require.Equal(t, err != nil, e.Lasts())
				switch {
				case logError:
					got += "E"
				case logEnd:
					got += "S"
				default:
					got += "-"
				}
			}
			require.Equal(t, c.want, got, fmt.Sprint(c.errs))
		})
	}
}

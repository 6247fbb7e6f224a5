package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The bridge posts an alert without times as long as it does not know Alertmanager's clock. Such an alert fires, as in Alertmanager.
func TestDemoAlertWithoutTimes(t *testing.T) {
	m := &demoAlertmanager{changed: make(chan demoAlert, 2)}
	m.keep(&demoAlert{Labels: map[string]string{"alertname": "A"}})
	require.True(t, m.alerts[0].Fires())
	m.keep(&demoAlert{Labels: map[string]string{"alertname": "A"}})
	require.True(t, m.alerts[0].Fires())
	require.Len(t, m.changed, 1)
}

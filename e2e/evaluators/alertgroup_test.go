package evaluators

import (
	"testing"
	"time"

	"servicegroup_exporter/internal/testserver"

	"github.com/stretchr/testify/require"
)

// Without -disableAlertgroupLabel, vmalert adds a label that the bridge does not know, so that each death notifies twice. An
// alert says so, and names the flag.
func TestAlertgroupLabel(t *testing.T) {
	t.Parallel() // It waits for most of its time.
	alertmanager := testserver.Alertmanager(t, "{route: {receiver: none}, receivers: [{name: none}]}")
	c := newCloud(t, testserver.MariaDB(t), "a", alertmanager.URL())
	newVictoriaMetrics(t, printRules(t, c), "{targets: ['"+c.web+"']}", alertmanager.URL())
	c.setDead(true, "c1")

	find := func(name string) *testserver.StoredAlert {
		for _, a := range alertmanager.Alerts() {
			if a.Labels["alertname"] == name {
				return &a
			}
		}
		return nil
	}
	const mismatch = "ServiceGroupBridgeLabelMismatch"
	testserver.Eventually(t, func() bool { return find(mismatch) != nil }, patience, time.Second, "%s fires", mismatch)
	a := find(mismatch)
	require.Equal(t, "alertgroup", a.Labels["label"])
	require.Contains(t, a.Annotations["description"], "-disableAlertgroupLabel")
}

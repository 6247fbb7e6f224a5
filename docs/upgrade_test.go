package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/internal/testserver"
)

// The page about upgrades is followed, beside a Prometheus and an Alertmanager. The restart forgets no dead member, and neither does the
// backup, though the member's row is gone by then.
func TestUpgrade(t *testing.T) {
	s := newSite(t)
	rules := filepath.Join(s.dir, "etc/prometheus/servicegroup.rules.yml")
	require.NoError(t, os.MkdirAll(filepath.Dir(rules), 0o755))
	require.NoError(t, os.WriteFile(rules, []byte("groups: []\n"), 0o600))
	prometheus := testserver.Prometheus(t, fmt.Sprintf("rule_files: [%s]\n", rules))
	alertmanager := testserver.Alertmanager(t, "route: {receiver: none}\nreceivers: [{name: none}]\n")
	t.Setenv("PROMETHEUS", prometheus.Addr()) // for systemctl
	s.others = append(s.others, "/etc/prometheus", filepath.Dir(rules), "localhost:9093", alertmanager.Addr())
	s.member(t, "compute", "compute-1", 0)
	s.member(t, "compute", "compute-2", 2*time.Hour)
	s.configure(t, s.source())
	s.take(t, "    $ sudo systemctl start servicegroup_exporter\n    $ until curl -sf http://localhost:10199/-/ready >ready.txt; do sleep 1; done\n", 2)

	page := parts(t, "upgrade.md")
	s.take(t, page["What the state is"], 1)
	s.take(t, page["Upgrade"], 9)
	loaded, err := os.ReadFile(rules)
	require.NoError(t, err)
	require.Contains(t, string(loaded), "ServiceGroupMemberDown")
	s.take(t, page["Rollback"], 4)
	require.Contains(t, get("http://"+s.address+"/metrics"), `member="compute-2",source="nova",zone=""} 1`)
	require.FileExists(t, filepath.Join(s.path("var/lib"), "members-nova.json"))
}

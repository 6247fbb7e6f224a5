package docs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"servicegroup_exporter/internal/testserver"
)

// openstack stands for OpenStack's client: it changes the row of a compute as Nova's API does.
const openstack = `#!/bin/sh
set -eu
case "$*" in
"compute service set --disable --disable-reason rack 7 "*" nova-compute") set="disabled = 1, disabled_reason = '$6'" host=$7 ;;
"compute service set --enable "*" nova-compute") set="disabled = 0, disabled_reason = NULL" host=$5 ;;
*) echo "no such command: $*" >&2; exit 2 ;;
esac
sudo mariadb -e "UPDATE services SET $set WHERE host = '$host'" nova
`

// The page about maintenance is followed. While the computes are disabled all of them die, and no alert fires. The silences
// silence what they should. The death of a compute that is enabled again is told.
func TestMaintenance(t *testing.T) {
	s := newSite(t)
	s.command(t, "openstack", openstack)
	alertmanager := testserver.Alertmanager(t, "route: {receiver: none}\nreceivers: [{name: none}]\n")
	for i := range 60 {
		s.member(t, "compute", fmt.Sprintf("compute-%02d", i+1), 0)
	}
	s.serve(t, s.source()+fmt.Sprintf("alerting: {alertmanagers: [{url: %q}]}\n", "http://"+alertmanager.Addr()))
	s.others = append(s.others, "localhost:9093", alertmanager.Addr())

	page := parts(t, "maintenance.md")
	s.take(t, page["Maintenance of many computes"]+page["Before"], 5)
	s.sql(t, "UPDATE services SET last_seen_up = last_seen_up - INTERVAL 2 HOUR WHERE disabled = 1 OR host = 'compute-60'")
	alertmanager.Post(testserver.Alert{Labels: map[string]string{"alertname": "ServiceGroupMemberDisabledLong", "member": "compute-07"}},
		testserver.Alert{Labels: map[string]string{"alertname": "ServiceGroupMemberDisabledLong", "member": "compute-55"}},
		testserver.Alert{Labels: map[string]string{"alertname": "ServiceGroupMemberDown", "host": "compute-50", "group": "L3 agent"}})
	told := func(want ...string) {
		t.Helper()
		testserver.Eventually(t, func() bool {
			return slices.Equal(notSilenced(alertmanager), want)
		}, patience, 100*time.Millisecond, "these alerts and no others are active: %v", want)
	}
	told("ServiceGroupMemberDisabledLong compute-55", "ServiceGroupMemberDown compute-60")

	s.sql(t, "UPDATE services SET last_seen_up = UTC_TIMESTAMP() WHERE disabled = 1")
	s.take(t, page["After"], 3)
	s.sql(t, "UPDATE services SET last_seen_up = last_seen_up - INTERVAL 2 HOUR WHERE host = 'compute-20'")
	told("ServiceGroupMemberDisabledLong compute-07", "ServiceGroupMemberDisabledLong compute-55", "ServiceGroupMemberDown",
		"ServiceGroupMemberDown compute-20", "ServiceGroupMemberDown compute-60")
}

// notSilenced returns the alerts that no silence matches, each with its member.
func notSilenced(alertmanager *testserver.AM) []string {
	var all []string
	for _, a := range alertmanager.Alerts() {
		if len(a.Status.SilencedBy) == 0 {
			all = append(all, strings.TrimSpace(a.Labels["alertname"]+" "+a.Labels["member"]))
		}
	}
	slices.Sort(all)
	return all
}

package tracker

import (
	"strings"

	"servicegroup_exporter/drivers"
)

// This file decides who is in service and who is down. Metrics, rules, the bridge to Alertmanager, the status page and the
// dashboards show these decisions. None of them decides again.

// autoDisabled begins the reason of a service that was disabled by itself and not by an operator: Nova's libvirt driver does
// that when its hypervisor is gone.
const autoDisabled = "AUTO:"

// InService reports whether a member is meant to be up. A member that an operator has disabled is not. Neither is one that
// is forced down, unless it is fenced: a fencing agent forces down members that are dead already.
func InService(m *drivers.Member, fenced bool) bool {
	disabled := m.Enabled == drivers.FlagNo && !strings.HasPrefix(m.DisabledReason, autoDisabled)
	return !disabled && (m.ForcedDown != drivers.FlagYes || fenced)
}

// InService reports whether the member is meant to be up: see [InService].
func (m *Member) InService() bool { return InService(&m.Member, m.Fenced) }

// DecidedDown reports whether the member is in service and down by the last verdict on it. The verdict stays while its source,
// its group or its row can't be read. A member in grace was up.
func (m *Member) DecidedDown() bool { return m.state == Down && m.InService() }

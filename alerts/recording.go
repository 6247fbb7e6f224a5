package alerts

import (
	"fmt"
	"strings"
)

// A recording is a recording rule. Several alerts and the dashboards use its result.
type recording struct{ record, expr string }

// recordings returns the recording rules, which are evaluated in this order and before the alerts.
//
// A member is down only if every exporter that can read its source reports it as down, therefore max. A dead member stays dead
// while its source can't be read, while its exporter can't be scraped, or while its own entry can't be used. The numbers of
// a group stay the same while the states of some members are unknown. The rules that retain a value refer to their own
// result at the last evaluation; when they return nothing, the value is gone.
func (c alerting) recordings() []recording {
	return []recording{
		{"servicegroup:service_up:max", "max by (source, group, member) (service_up)"},
		{"servicegroup:out_of_service", `(
  max by (source, group, member) (servicegroup_member_enabled) == 0
  unless on (source, group, member) servicegroup_member_info{disabled_reason=~"(?s)AUTO:.*"}
) * 0 + 1
or
(
  max by (source, group, member) (servicegroup_member_forced_down) == 1
  unless on (source, group, member) servicegroup_member_fenced == 1
)`},
		{"servicegroup:service_up:in_service", `servicegroup:service_up:max
unless on (source, group, member) servicegroup:out_of_service`},
		{"servicegroup:member_state", `servicegroup:service_up:in_service
or
servicegroup:service_up:max * 0 + 2`},
		{"servicegroup:group_unknown", fmt.Sprintf(`group by (source, group) (
  (servicegroup:member_down or servicegroup:members_in_service:count)
  and on (source) max by (source) (servicegroup_source_up) == 0
)
or
group by (source, group) (
  (servicegroup:member_down or servicegroup:members_in_service:count)
  unless on (source) servicegroup_source_up
  and on () (count(up{job=%[1]q} == 0) or absent(up{job=%[1]q}))
)
or
group by (source, group) (
  servicegroup_members{state="unknown"}
  unless on (source, group) servicegroup_members{state="up"}
)`, c.Job)},
		{"servicegroup:member_down", `(servicegroup:service_up:in_service == 0) + 1
or
(
  servicegroup:member_down and on (source, group) servicegroup:group_unknown
  or
  servicegroup:member_down and on (source, group, member) servicegroup_member_info
)
unless on (source, group, member) servicegroup:service_up:max`},
		{"servicegroup:members_in_service:count", fmt.Sprintf(`(
  count by (source, group) (servicegroup:service_up:in_service or servicegroup:member_down)
  or
  0 * group by (source, group) (servicegroup:service_up:max)%s
)
unless on (source, group) servicegroup:group_unknown
or
servicegroup:members_in_service:count
  and on (source, group) servicegroup:group_unknown`, c.expected())},
		{"servicegroup:members_down:count", `(count by (source, group) (servicegroup:member_down) or servicegroup:members_in_service:count * 0)
  unless on (source, group) servicegroup:group_unknown
or
servicegroup:members_down:count
  and on (source, group) servicegroup:group_unknown`},
	}
}

// expected returns an expression that is zero for each group that must exist because its settings name its source and a
// minimum of members. Such a group has too few members also when it does not exist, as long as its source can be read. See
// [Builder.ExpectedGroups].
func (c alerting) expected() string {
	var zeros strings.Builder
	for i := range c.Groups {
		if g := &c.Groups[i]; g.Source != "" && g.MinMembers > 0 {
			fmt.Fprintf(&zeros, `
  or
  label_replace(
    0 * (max by (source) (servicegroup_source_up{source=%[1]q}) == 1)
    unless on (source) servicegroup_source_info{schema="nova_api"},
    "group", %[2]q, "", ""
  )`, g.Source, strings.ReplaceAll(g.Group, "$", "$$"))
		}
	}
	return zeros.String()
}

package collector

import (
	"servicegroup_exporter/collector/exposition"
	"servicegroup_exporter/collector/hosts"
)

// zoneSeries are the series of a zone of a source as a scrape shows them.
type zoneSeries struct {
	hosts.Zone
	labels *exposition.Labels
}

// renderZones returns the series of all zones, which are those before if no member has changed.
func (s *source) renderZones(members []hosts.Member, before *rendered) []zoneSeries {
	if sameSlice(members, before.hosts) {
		return before.zones
	}
	var series []zoneSeries
	for _, z := range hosts.Zones(members) {
		series = append(series, zoneSeries{z, exposition.NewLabels(s.env.descs.zoneDown.labels, s.cfg.Name, z.Name)})
	}
	return series
}

// sameSlice reports whether two slices are one.
func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func (d *descs) describeZones() {
	labels := []string{"source", "zone"}
	d.zoneInService = metric{
		"servicegroup_zone_members_in_service",
		"This many members of the zone are in service, up or down, as of the last poll. The number stays while the source can't be read.", labels,
	}
	d.zoneDown = metric{
		"servicegroup_zone_members_down",
		"This many members of the zone are in service and down or suspected. The number stays while the source can't be read. Alert " +
			"when it equals servicegroup_zone_members_in_service on at least two hosts.", labels,
	}
	d.zoneHosts = metric{
		"servicegroup_zone_hosts", "The members of the zone that are in service run on this many hosts.", labels,
	}
}

// zoneFamilies returns the metrics of zones.
func (d *descs) zoneFamilies(sources []*rendered) []exposition.Family {
	zones := func(s *rendered) []zoneSeries { return s.zones }
	series := func(value func(*hosts.Zone) int) seriesFunc {
		return seriesOf(sources, zones, func(z *zoneSeries, yield yieldFunc) bool { return yield(z.labels, float64(value(&z.Zone))) })
	}
	return []exposition.Family{
		d.zoneInService.family(series(func(z *hosts.Zone) int { return z.InService })),
		d.zoneDown.family(series(func(z *hosts.Zone) int { return z.Down })),
		d.zoneHosts.family(series(func(z *hosts.Zone) int { return z.Hosts })),
	}
}

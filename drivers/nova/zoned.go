package nova

import (
	"context"
	"slices"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
)

// computeGroup is the topic whose hosts can be in zones of their own.
const computeGroup = "compute"

// zoned is the driver of a cell, with availability zones, which the cell's own database does not have.
type zoned struct {
	*db.Driver
	cloud *Cloud
}

// Zoned returns a cell's driver whose members have their availability zones, by the rule of nova/availability_zones.py: a
// host of the group "compute" is in the zones of its aggregates, or else in the default zone; members of other groups
// are in the internal zone. Hosts have no zone until the aggregates were read for the first time. If they can't be read
// again later, the zones stay as they were.
func (c *Cloud) Zoned(cell *db.Driver) drivers.Driver { return &zoned{cell, c} }

// Members reads the cell.
func (z *zoned) Members(ctx context.Context) (*drivers.Poll, error) {
	poll, err := z.Driver.Members(ctx)
	if err != nil {
		return nil, err
	}
	zones := z.cloud.zonesByHost()
	with := *poll
	with.Members = slices.Clone(poll.Members) // The driver reads its last poll again.
	for i := range with.Members {
		m := &with.Members[i]
		m.Zone = z.cloud.zone(zones, m)
	}
	return &with, nil
}

func (c *Cloud) zone(zones map[string]string, m *drivers.Member) string {
	zone, found := zones[m.Name]
	switch {
	case m.Group != computeGroup:
		return c.cfg.InternalZone
	case zones == nil || found:
		return zone
	default:
		return c.cfg.DefaultZone
	}
}

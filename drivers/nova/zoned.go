package nova

import (
	"context"
	"slices"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/db"
)

// computeGroup is the topic whose hosts are in zones of their own.
const computeGroup = "compute"

// zoned is the driver of a cell, with the zones that the cell's own database does not know.
type zoned struct {
	*db.Driver
	cloud *Cloud
}

// Zoned gives the members of a cell their availability zones, by the rule of nova/availability_zones.py: hosts of the
// group "compute" are in the zones of their aggregates, or else in the default zone, and everybody else is in the internal
// one. Hosts have no zone until the aggregates were read once; when they can't be read again, zones stay as they were.
func (c *Cloud) Zoned(cell *db.Driver) drivers.Driver { return &zoned{cell, c} }

// Members reads the cell.
func (z *zoned) Members(ctx context.Context) (*drivers.Poll, error) {
	poll, err := z.Driver.Members(ctx)
	if err != nil {
		return nil, err
	}
	zones := z.cloud.zoneMap()
	with := *poll
	with.Members = slices.Clone(poll.Members) // The driver reads its own again.
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

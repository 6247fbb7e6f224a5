package nova

import (
	"context"

	"servicegroup_exporter/drivers"
)

// unusable is the driver of a cell whose database nobody can be asked for.
type unusable struct{ err error }

// Unusable makes a driver that can never read anything, for a cell whose DSN is wrong: that is no fault of the
// configuration, and no reason to lose the other cells.
func Unusable(err error) drivers.Driver {
	return unusable{drivers.Unavailable(drivers.ReasonSchema, err)}
}

func (u unusable) Members(context.Context) (*drivers.Poll, error) { return nil, u.err }

func (u unusable) Close() error { return nil }

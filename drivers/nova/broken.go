package nova

import (
	"context"

	"servicegroup_exporter/drivers"
)

// broken is the driver of a cell whose DSN is wrong.
type broken struct{ err error }

// Broken returns a driver that always fails with an error. It stands for a cell whose DSN in Nova's API database is wrong:
// the configuration of this program is right then, and the other cells can be read.
func Broken(err error) drivers.Driver {
	return broken{drivers.Unavailable(drivers.ReasonSchema, err)}
}

func (b broken) Members(context.Context) (*drivers.Poll, error) { return nil, b.err }

func (b broken) Close() error { return nil }

package cli

import (
	"servicegroup_exporter/cli/sidecar"
	"servicegroup_exporter/drivers"
)

// checkUnit checks the flag --unit and returns the full name of the unit.
func checkUnit(unit string, argv []string) (string, error) {
	if len(argv) > 0 {
		return "", usageError("--unit and a command exclude each other: a member lives as long as the unit %s is active, or as long as "+
			"the command %s runs", unit, argv[0])
	}
	full, err := sidecar.UnitName(unit)
	if err != nil {
		return "", usageError("--unit: %w", err)
	}
	return full, nil
}

// joinForUnit is a member of a group whenever a unit is active, until the process is asked to stop.
func (a *cli) joinForUnit(req drivers.JoinRequest, unit string, argv []string, flags *sourceFlags) error {
	unit, err := checkUnit(unit, argv)
	if err != nil {
		return err
	}
	ctx, stop := a.untilStopped()
	defer stop()
	driver, joiner, err := a.joiner(ctx, flags)
	if err != nil {
		return err
	}
	defer driver.Close()
	m := &sidecar.Member{
		Unit: unit, Request: req, Joiner: joiner, Timeout: flags.timeout,
		Logger: a.logger.With("group", req.Group, "member", req.Name, "unit", unit),
		System: sidecar.System{Connect: sidecar.Connect, WatchProcess: sidecar.WatchProcess},
	}
	return m.Run(ctx)
}

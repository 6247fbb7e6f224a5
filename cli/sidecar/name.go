package sidecar

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The rules of a unit's name, see systemd.unit(5).
const maxUnitName = 255

//nolint:gochecknoglobals // Constants in all but name.
var (
	unitName     = regexp.MustCompile(`^[a-zA-Z0-9:_.\\@-]+$`)
	unitSuffixes = []string{"service", "socket", "target", "mount", "automount", "swap", "timer", "path", "slice", "scope", "device"}
)

// UnitName returns the full name of a unit. As systemctl does, it takes a name without a suffix for that of a service.
func UnitName(name string) (string, error) {
	full := name
	if i := strings.LastIndexByte(name, '.'); i < 0 || !slices.Contains(unitSuffixes, name[i+1:]) {
		full += ".service"
	}
	prefix := full[:strings.LastIndexByte(full, '.')]
	switch {
	case !unitName.MatchString(prefix) || len(full) > maxUnitName || strings.HasPrefix(prefix, "@"):
		return "", fmt.Errorf("%q is not the name of a unit: give one such as nova-compute.service", name)
	case strings.HasSuffix(prefix, "@"):
		return "", fmt.Errorf("%q is a template: give the name of an instance, such as %sNAME%s", name, prefix, full[len(prefix):])
	}
	return full, nil
}

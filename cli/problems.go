package cli

import (
	"fmt"

	"servicegroup_exporter/cli/term"
	"servicegroup_exporter/collector"
)

// warnAbout prints what is probably not as it was meant, although the sources can be read. It goes to the standard error output,
// so that programs can read the answer.
func (a *cli) warnAbout(snapshots []collector.Snapshot) {
	members := 0
	for i := range snapshots {
		s := &snapshots[i]
		members += len(s.Members)
		for _, p := range s.Problems {
			a.warn("source %s: %s", s.Source, p.Detail)
		}
	}
	if a.configFile == "" && members == 0 {
		a.warn("no configuration was given with --config.file, and there is no %s: only the embedded store in the folder %s was read, and it has "+
			"no members", SystemConfigFile, a.storagePath)
	}
}

func (a *cli) warn(format string, args ...any) {
	fmt.Fprintf(a.Stderr, "%s: warning: %s\n", name, term.PrintableLines(fmt.Sprintf(format, args...)))
}

package check

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"servicegroup_exporter/config"
	"servicegroup_exporter/drivers"
	"servicegroup_exporter/internal/storagelock"
)

// stateFolder returns the lines about the folder with the state. It writes nothing there.
func stateFolder(folder string) []Line {
	const subject = "state"
	path, err := filepath.Abs(folder)
	if err != nil {
		path = folder
	}
	existing, missing := path, false
	for {
		info, err := os.Stat(existing)
		if errors.Is(err, fs.ErrNotExist) && existing != "/" {
			existing, missing = filepath.Dir(existing), true
			continue
		}
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is not a folder", existing)
		}
		if err == nil {
			err = unix.Access(existing, unix.W_OK|unix.X_OK)
		}
		if err != nil {
			return linesOf(program, []drivers.Finding{drivers.Failure(subject, fmt.Sprintf("state can't be saved in %s: %v", path, err),
				"give the program's user a folder that it may write, with --storage.path; without it a restart forgets which members were down")})
		}
		break
	}
	text := "state can be saved in " + path
	if missing {
		text += ", which the first start makes"
	}
	if os.Getuid() == 0 {
		text += "; that was checked as root, so run check as the user of the service too"
	}
	return linesOf(program, []drivers.Finding{drivers.OK(subject, "%s", text), lock(path)})
}

// lock returns the finding about the lock of the folder.
func lock(folder string) drivers.Finding {
	const subject = "lock"
	holder, err := storagelock.Test(folder)
	switch {
	case err != nil:
		return drivers.Warning(subject, "whether another instance uses the folder is not known: "+err.Error(), "use a local file system for --storage.path")
	case holder != nil:
		return drivers.Warning(subject, "the folder is in use by "+holder.String()+": a second instance with it refuses to start",
			"nothing, if that is the instance that you check; otherwise give each its own --storage.path")
	}
	return drivers.OK(subject, "no running instance uses the folder")
}

// seriesLabels are the labels of a member's series. Prometheus adds external labels only where an alert has none of that name.
func seriesLabels() []string {
	return []string{"source", "group", "member", "binary", "zone", "host", "job", "instance"}
}

// labels returns the line about configured labels that alerts or series have themselves. Names that break alerts are refused by
// the configuration.
func labels(c *config.Alerting) Line {
	var conflicts []string
	for _, set := range []struct {
		key    string
		labels map[string]string
	}{{"external_labels", c.ExternalLabels}, {"labels", c.Labels}} {
		for name := range set.labels {
			if slices.Contains(seriesLabels(), name) || strings.HasPrefix(name, "exported_") {
				conflicts = append(conflicts, "alerting."+set.key+"."+name)
			}
		}
	}
	slices.Sort(conflicts)
	f := drivers.OK("labels", "no configured label has the name of a label of the series")
	if len(conflicts) > 0 {
		f = drivers.Warning("labels", "labels of the series have the same names as "+strings.Join(conflicts, ", ")+
			": alerts of rules and of this program can then differ, and notify twice", "choose other names, in prometheus.yml too")
	}
	return linesOf(program, []drivers.Finding{f})[0]
}

package cli

import (
	"time"

	"github.com/alecthomas/kingpin/v2"

	"servicegroup_exporter/app"
	"servicegroup_exporter/config"
)

// loadConfig reads the configuration file. Without one it returns the configuration of the embedded store.
func (a *cli) loadConfig() (*config.Config, error) {
	return app.LoadConfig(a.configFile, a.configBasePath, a.storagePath)
}

// sourceFlags are the flags of commands that read or change sources.
type sourceFlags struct {
	source  string
	timeout time.Duration
}

func addSourceFlags(c *kingpin.CmdClause) *sourceFlags {
	f := new(sourceFlags)
	c.Flag("source", "Name of the source to use, if the configuration has several.").StringVar(&f.source)
	c.Flag("timeout", "Maximum time to wait for an answer from a source.").Default("10s").DurationVar(&f.timeout)
	return f
}

// addColorFlag declares --color, see [term.New].
func addColorFlag(c *kingpin.CmdClause) *string {
	return c.Flag("color", "When to print colours: always, never, or auto (on a terminal, unless NO_COLOR is set).").
		Default("auto").Enum("auto", "always", "never")
}

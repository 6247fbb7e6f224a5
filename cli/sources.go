package cli

import (
	"time"

	"github.com/alecthomas/kingpin/v2"

	"servicegroup_exporter/app"
	"servicegroup_exporter/config"
)

// loadConfig reads the configuration file, or makes the configuration of the embedded store.
func (a *cli) loadConfig() (*config.Config, error) {
	return app.LoadConfig(a.configFile, a.storagePath)
}

// sourceFlags are those of commands that read or write one or more sources.
type sourceFlags struct {
	source  string
	timeout time.Duration
}

func addSourceFlags(c *kingpin.CmdClause) *sourceFlags {
	f := new(sourceFlags)
	c.Flag("source", "Name of the source, where the configuration has several.").StringVar(&f.source)
	c.Flag("timeout", "How long to wait for a source's answer.").Default("10s").DurationVar(&f.timeout)
	return f
}

// addColorFlag declares --color, see [term.New].
func addColorFlag(c *kingpin.CmdClause) *string {
	return c.Flag("color", "Colours: auto (on a terminal, unless $NO_COLOR is set), always or never.").
		Default("auto").Enum("auto", "always", "never")
}

package sources

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChangedValues(t *testing.T) {
	const roster = "roster: {members: {g: [m]}}"
	for name, c := range map[string]struct{ source, want string }{
		"shorter than the default interval": {
			`{name: a, driver: db, db: {dsn: "sqlite:///x", service_down_time: 8s}}`,
			"source a: service_down_time is 25s and not 8s, because it is not longer than report_interval (10s): Nova itself then uses 2.5 report intervals",
		},
		"equal to the interval": {
			`{name: a, driver: db, db: {dsn: "sqlite:///x", service_down_time: 30s, report_interval: 30s}}`,
			"source a: service_down_time is 1m15s and not 30s, because it is not longer than report_interval (30s): Nova itself then uses 2.5 report intervals",
		},
		"below a second": {
			`{name: a, driver: db, db: {dsn: "sqlite:///x", service_down_time: 100ms, report_interval: 200ms}}`,
			"source a: service_down_time is 500ms and not 100ms, because it is not longer than report_interval (200ms): Nova itself then uses 2.5 report intervals",
		},
		"the default beside a longer interval": {
			`{name: a, driver: db, db: {dsn: "sqlite:///x", report_interval: 2m}}`,
			"source a: service_down_time is 5m0s and not 1m0s, because it is not longer than report_interval (2m0s): Nova itself then uses 2.5 report intervals",
		},
		"memcached": {
			`{name: a, driver: mc, mc: {servers: [m:11211], service_down_time: 5s}, ` + roster + `}`,
			"source a: service_down_time is 25s and not 5s, because it is not longer than report_interval (10s): Nova itself then uses 2.5 report intervals",
		},
		"longer":                          {`{name: a, driver: db, db: {dsn: "sqlite:///x", service_down_time: 11s}}`, ""},
		"defaults":                        {`{name: a, driver: db, db: {dsn: "sqlite:///x"}}`, ""},
		"a service that has no such rule": {`{name: a, driver: db, db: {dsn: "mysql://h/cinder", schema: cinder, service_down_time: 8s}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := Parse("a.yml", []byte("sources:\n  - "+c.source+"\n"))
			require.NoError(t, err)
			changed := ChangedValues(cfg)
			if c.want == "" {
				require.Empty(t, changed)
				return
			}
			require.Len(t, changed, 1)
			require.Equal(t, c.want, changed[0].String())
		})
	}
}

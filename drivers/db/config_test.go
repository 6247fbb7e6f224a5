package db

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"servicegroup_exporter/drivers"
)

func TestDefaultConfig(t *testing.T) {
	cfg := DefaultConfig()
	require.Equal(t, Config{
		Schema: "nova", ServiceDownTime: drivers.Duration(time.Minute), ReportInterval: drivers.Duration(10 * time.Second),
		Timeout: drivers.Duration(5 * time.Second),
	}, cfg)
	cfg.DSN = drivers.SecretText("mysql+pymysql://reader@db/nova")
	require.NoError(t, cfg.Validate())
}

func TestValidate(t *testing.T) {
	cfg := Config{DSN: drivers.SecretText("sqlite:////members.db"), Password: drivers.SecretText("sesame"), Schema: "glance", ReportInterval: 1}
	err := cfg.Validate()
	require.EqualError(t, err, `password: an SQLite file has no password
schema: "glance" is not known; known are cinder, designate, heat, ironic, magnum, manila, neutron, nova, octavia, custom
service_down_time: is 0s, must be positive
timeout: is 0s, must be positive`)
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		require.NotNil(t, drivers.FieldOf(err))
	}
	_, err = Open(cfg, slog.New(slog.DiscardHandler))
	require.Error(t, err)
}

// Nova replaces a service_down_time that is not longer than the report interval, and counts in whole seconds.
func TestDownTime(t *testing.T) {
	for _, test := range []struct{ down, interval, want time.Duration }{
		{60 * time.Second, 10 * time.Second, 60 * time.Second},
		{11 * time.Second, 10 * time.Second, 11 * time.Second},
		{10 * time.Second, 10 * time.Second, 25 * time.Second},
		{10 * time.Second, 25 * time.Second, 62 * time.Second},
		{time.Second, time.Second, 2 * time.Second},
		{2 * time.Second, 500 * time.Millisecond, 2 * time.Second},
		{100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond},
	} {
		cfg := Config{ServiceDownTime: drivers.Duration(test.down), ReportInterval: drivers.Duration(test.interval)}
		require.Equal(t, test.want, cfg.downTime(), "%+v", test)
	}
}

package drivers

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// A Duration is a time.Duration that is written as text with a unit, such as "500ms", "60s" or "1h30m".
type Duration time.Duration

// Unset is a duration that the configuration leaves to the driver. No file can contain it, because it is negative.
const Unset Duration = -1

// UnmarshalText parses text like "60s". A number without a unit is an error, because its unit would have to be guessed.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if _, err := strconv.ParseFloat(s, 64); err == nil && s != "0" {
		return fmt.Errorf("%q has no unit: write %[1]ss for seconds", s)
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a duration like 500ms, 60s or 1h30m", s)
	}
	if v < 0 {
		return fmt.Errorf("%q is negative", s)
	}
	*d = Duration(v)
	return nil
}

// MarshalText returns the text that UnmarshalText parses.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the duration with its unit.
func (d Duration) String() string { return time.Duration(d).String() }

// DownTime returns the service_down_time in effect, with the correction that Nova's servicegroup API has made for all of its
// drivers since 2014.1: it is int(report_interval * 2.5) if it is not larger than report_interval. Nova counts whole
// seconds; times below one second, which Nova does not have, are not truncated.
func DownTime(serviceDownTime, reportInterval time.Duration) time.Duration {
	if serviceDownTime > reportInterval {
		return serviceDownTime
	}
	down := reportInterval * 5 / 2
	if down < time.Second {
		return down
	}
	return down.Truncate(time.Second)
}

// Paths are files and folders. In a configuration file a single path may replace a list of one, and relative paths start at
// the file's folder.
type Paths []string

// A FieldError is an error about one setting of a driver's configuration. Package config adds its line in the file.
type FieldError struct {
	// Field is the setting's name in the file, such as "service_down_time"; parts of a path are joined with dots.
	Field string
	Err   error
}

// Field returns a FieldError.
func Field(name, format string, args ...any) error {
	return &FieldError{Field: name, Err: fmt.Errorf(format, args...)}
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Error() }

func (e *FieldError) Unwrap() error { return e.Err }

// CheckPositive returns a FieldError if a duration is not positive.
func CheckPositive(name string, d Duration) error {
	if d <= 0 {
		return Field(name, "is %v, must be positive", d)
	}
	return nil
}

// FieldOf returns the FieldError in err, or nil if there is none.
func FieldOf(err error) *FieldError {
	e, _ := errors.AsType[*FieldError](err)
	return e
}

package alerts

import "servicegroup_exporter/drivers"

// A Patience is a duration, or [Never].
type Patience drivers.Duration

// Never is the patience that does not end.
const Never Patience = -1

// UnmarshalText parses a duration or the word never.
func (p *Patience) UnmarshalText(text []byte) error {
	if string(text) == "never" {
		*p = Never
		return nil
	}
	return (*drivers.Duration)(p).UnmarshalText(text)
}

// MarshalText is the opposite of UnmarshalText.
func (p Patience) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String gives the duration with its unit, or never.
func (p Patience) String() string {
	if p == Never {
		return "never"
	}
	return drivers.Duration(p).String()
}

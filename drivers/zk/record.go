package zk

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"servicegroup_exporter/drivers"
)

// A record is what a member says of itself. The same JSON is the value of its ephemeral znode, where it tells who holds
// the name, and of its znode in the roster, which outlives it.
type record struct {
	// ID is made anew for each membership. It tells one's own znodes from those of others who took the name.
	ID string `json:"id"`
	// JoinedAt is a time of the member's clock.
	JoinedAt time.Time `json:"joined_at"`
	// SessionTimeout is what the server granted.
	SessionTimeout drivers.Duration `json:"session_timeout"`
	Process        process          `json:"process"`
	Binary         string           `json:"binary,omitempty"`
	// DiedAt is when the member's agent saw it die, by the same clock; zero while it lives and where nobody saw it.
	DiedAt time.Time `json:"died_at,omitzero"`
}

// maxRecord bounds what is read as a record, in bytes. What is written has a few hundred.
const maxRecord = 16 << 10

// encode gives the record's JSON.
func (r *record) encode() ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding the record: %w", err)
	}
	return data, nil
}

// decodeRecord reads what encode wrote. Whoever else writes to the tree may have written anything.
func decodeRecord(data []byte) (record, error) {
	var r record
	if len(data) > maxRecord {
		return record{}, fmt.Errorf("decoding a record: it has %d bytes, more than %d", len(data), maxRecord)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return record{}, fmt.Errorf("decoding a record: %w", err)
	}
	if r.ID == "" {
		return record{}, errors.New("decoding a record: it has no id")
	}
	for _, at := range []*time.Time{&r.JoinedAt, &r.DiedAt} {
		*at = at.UTC() // Zones of 24 hours and more can be read, and not be written.
		if year := at.Year(); year < 0 || year > 9999 {
			return record{}, fmt.Errorf("decoding a record: the year %d can't be written", year)
		}
	}
	return r, nil
}

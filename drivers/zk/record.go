package zk

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"servicegroup_exporter/drivers"
)

// A record describes a membership. Its JSON is the data of the member's ephemeral znode, where it tells which process has
// the name, and of the member's znode in the roster, which stays after the member's death.
type record struct {
	// ID is new for each membership. It tells the znodes of two memberships with the same name apart.
	ID string `json:"id"`
	// JoinedAt is a time of the member's clock.
	JoinedAt time.Time `json:"joined_at"`
	// SessionTimeout is what the server granted. In a decoded record it is at most maxSessionTimeout.
	SessionTimeout drivers.Duration `json:"session_timeout"`
	Process        process          `json:"process"`
	Binary         string           `json:"binary,omitempty"`
	// DiedAt is when the process that joined for the member saw it die, by the same clock. It is zero while the member
	// lives, and if no process saw its death.
	DiedAt time.Time `json:"died_at,omitzero"`
	// Cause is why it died, as that process saw it.
	Cause string `json:"cause,omitempty"`
}

// maxRecord bounds the length of a record in bytes. The records of this program have a few hundred bytes.
const maxRecord = 16 << 10

// encode returns the record's JSON.
func (r *record) encode() ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding the record: %w", err)
	}
	return data, nil
}

// decodeRecord decodes what encode returned. The data may be anything, since other programs may write to the znodes.
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
	// A member is excused for an outage for as long as its session may last.
	r.SessionTimeout = min(r.SessionTimeout, drivers.Duration(maxSessionTimeout))
	for _, at := range []*time.Time{&r.JoinedAt, &r.DiedAt} {
		*at = at.UTC() // A zone of 24 hours or more can be decoded but not encoded.
		if year := at.Year(); year < 0 || year > 9999 {
			return record{}, fmt.Errorf("decoding a record: the year %d is not between 0 and 9999", year)
		}
	}
	return r, nil
}

package tracker

import (
	"encoding/json"
	"errors"
	"fmt"

	"servicegroup_exporter/drivers"
)

// laterState is what this version needs of the state that a later version has saved, and what it may understand. A later
// version only adds to the format: it gives no other meaning to a key or a value that is here.
type laterState struct {
	Saved

	// These are decoded one by one, see [decodeEach].
	Outages   json.RawMessage   `json:"gaps"`
	Members   []json.RawMessage `json:"members"`
	Groups    json.RawMessage   `json:"groups"`
	Ended     json.RawMessage   `json:"were_down"`
	Suspected json.RawMessage   `json:"were_suspected"`
	Events    json.RawMessage   `json:"events"`
}

// parseLater decodes the state of a later version, without what this version does not understand. Where nothing of the
// members is understood, it returns an error.
func parseLater(data []byte, source string) (*Saved, error) {
	var later laterState
	err := json.Unmarshal(data, &later)
	s := &later.Saved
	if err == nil {
		err = s.checkHead(source)
	}
	if err == nil && later.Members == nil {
		err = errors.New("it has no list of members")
	}
	if err != nil {
		return nil, fmt.Errorf("it is of the later version %d: %w", s.Version, err)
	}
	members := make(map[drivers.Key]bool, len(later.Members))
	groups := map[string]bool{}
	s.Members, s.Skipped = keepUnderstood(later.Members, func(m *savedMember) bool { return m.understood() && isNew(members, m.key()) })
	if len(s.Members) == 0 && s.Skipped > 0 {
		return nil, fmt.Errorf("it is of the later version %d: none of its %d members is understood", s.Version, s.Skipped)
	}
	s.Outages = decodeEach(s, later.Outages, func(*savedOutage) bool { return true })
	s.Groups = decodeEach(s, later.Groups, func(g *savedGroup) bool { return g.valid() && isNew(groups, g.Name) })
	s.Ended = decodeEach(s, later.Ended, (*savedEnded).valid)
	s.Suspected = decodeEach(s, later.Suspected, (*savedEnded).valid)
	s.Events = decodeEach(s, later.Events, (*SavedEvent).valid)
	return s, nil
}

// decodeEach decodes the elements of a list, without those that are not understood, which it counts in s. A list that is not
// there has none.
func decodeEach[T any](s *Saved, list json.RawMessage, understood func(*T) bool) []T {
	var elements []json.RawMessage
	if len(list) > 0 && json.Unmarshal(list, &elements) != nil {
		s.Skipped++
		return nil
	}
	kept, skipped := keepUnderstood(elements, understood)
	s.Skipped += skipped
	return kept
}

func keepUnderstood[T any](elements []json.RawMessage, understood func(*T) bool) (kept []T, skipped int) {
	for _, element := range elements {
		var decoded T
		if json.Unmarshal(element, &decoded) == nil && understood(&decoded) {
			kept = append(kept, decoded)
		} else {
			skipped++
		}
	}
	return kept, skipped
}

// understood is valid for a member of a later version. What was learned from its heartbeats is left out if it is not
// understood, because it is learned again.
func (s *savedMember) understood() bool {
	if s.Beats != nil && !s.Beats.valid(stateOf(s.State)) {
		s.Beats = nil
	}
	return s.valid()
}

// isNew reports whether a set did not have an element, and adds it.
func isNew[T comparable](set map[T]bool, element T) bool {
	known := set[element]
	set[element] = true
	return !known
}

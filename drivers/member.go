package drivers

import "time"

// MaxText bounds a member's name, its group's and each of its attributes, in bytes: all become labels, and Nova's columns
// hold 255 characters, which are 1020 bytes at most. A name that is longer is rejected, an attribute is cut.
const MaxText = 1 << 10

// A Member is one name in a group, as one poll found it.
type Member struct {
	// Group is Nova's topic, or the directory in ZooKeeper.
	Group string
	// Name is Nova's host. Group and Name together identify a member within a source.
	Name string
	// Binary and Zone are attributes, empty where the backend has none.
	Binary, Zone string

	// Up is the verdict by the backend's own rule, forced_down first.
	Up bool

	// LastHeartbeat is the last proof of life by the backend's clock, zero where the backend keeps no heartbeats or
	// the member never gave one.
	LastHeartbeat time.Time

	// Died is when the member's own agent saw it die, zero where nobody recorded it.
	Died time.Time

	// SessionTimeout is how long presence outlives the last proof of life in backends that keep no heartbeats; zero:
	// the poll's DownTime.
	SessionTimeout time.Duration

	// Rostered says that the backend itself remembers the member when it is dead, so that its absence from a later
	// poll means that it left. Absence of a member that is not rostered means that it died.
	Rostered bool

	// Enabled and ForcedDown are what an operator decided, where the backend knows such a thing.
	Enabled, ForcedDown Flag

	// UUID, Version and DisabledReason are shown on the info series only.
	UUID, Version, DisabledReason string
}

// Key identifies a member within a source.
type Key struct{ Group, Name string }

// Key returns what identifies the member within its source.
func (m *Member) Key() Key { return Key{m.Group, m.Name} }

// A Flag is a yes or no that a backend may not have. The zero value is "does not have it".
type Flag uint8

// The values of a Flag.
const (
	FlagNone Flag = iota
	FlagNo
	FlagYes
)

// FlagOf turns a bool into a Flag.
func FlagOf(yes bool) Flag {
	if yes {
		return FlagYes
	}
	return FlagNo
}

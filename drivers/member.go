package drivers

import "time"

// MaxText is the maximum length of a member's name, its group's name and each of its attributes, in bytes: all become labels,
// and Nova's columns have 255 characters, which are at most 1020 bytes. A longer name is rejected, a longer attribute is cut.
const MaxText = 1 << 10

// A Member is one name in a group, as one poll found it.
type Member struct {
	// Group is Nova's topic, or the directory in ZooKeeper.
	Group string
	// Name is Nova's host. Group and Name together identify a member within a source.
	Name string
	// Binary and Zone are attributes, empty where the backend has none.
	Binary, Zone string

	// Up is the verdict by the backend's own rule. A member that is forced down is not up.
	Up bool

	// LastHeartbeat is the last proof of life by the backend's clock, zero if the backend has no heartbeats or the member never
	// sent one.
	LastHeartbeat time.Time

	// ReportCount is how many heartbeats the member has tried to send since its row was made, where the backend counts them
	// (HasReportCount). It can begin again at a lower number.
	ReportCount    uint64
	HasReportCount bool

	// Died is when the member's own agent saw it die, zero if it was not recorded.
	Died time.Time

	// SessionTimeout is how long the member stays up after its last proof of life in backends without heartbeats; zero means
	// the poll's DownTime.
	SessionTimeout time.Duration

	// Rostered means that the backend still lists the member when it is down: if it is missing in a later poll, it left. A
	// member that is not rostered and is missing in a later poll died.
	Rostered bool

	// Enabled and ForcedDown are an operator's decisions, if the backend has them.
	Enabled, ForcedDown Flag

	// UUID, Version and DisabledReason are shown on the info series only.
	UUID, Version, DisabledReason string
}

// Key identifies a member within a source.
type Key struct{ Group, Name string }

// Key returns the member's key.
func (m *Member) Key() Key { return Key{m.Group, m.Name} }

// A Flag is a yes or no that a backend may not have. The zero value is [FlagNone].
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

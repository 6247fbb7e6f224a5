package config

import (
	"time"

	"servicegroup_exporter/drivers"
)

// ZK is the section "zk" of a source: znodes in ZooKeeper.
type ZK struct {
	// Servers are the ensemble's servers, each as host:port or host.
	Servers []string `yaml:"servers"`
	// Chroot is a path that all others are below, empty for none.
	Chroot string `yaml:"chroot"`
	// Prefix is the path that the layout begins at, as Nova's sg_prefix. Empty: /servicegroups, or what is usual for the
	// layout.
	Prefix string `yaml:"prefix"`
	// Layout is how members are laid out in the tree: "auto", "flat", "nested", the name of another system, or "custom".
	Layout string `yaml:"layout"`
	// Custom describes the layout "custom".
	Custom *ZKCustom `yaml:"custom"`
	// Groups are the groups to read; empty: all.
	Groups []string `yaml:"groups"`
	// SessionTimeout is the session timeout to ask the servers for: how long they keep an ephemeral znode whose owner is
	// silent.
	SessionTimeout drivers.Duration `yaml:"session_timeout"`
	// MemberTimeout is the session timeout of members whose data does not contain theirs. 0: what is usual for the layout,
	// else SessionTimeout.
	MemberTimeout drivers.Duration `yaml:"member_timeout"`
	// Auth is the identity to connect with.
	Auth ZKAuth `yaml:"auth"`
	// ACL is the ACL of znodes that join makes, each entry as scheme:id:permissions. Empty: everyone may do everything, or,
	// with Auth, only that identity may write.
	ACL []string `yaml:"acl"`
	// TLS encrypts connections; nil: they are in the clear.
	TLS *drivers.TLS `yaml:"tls"`
}

// ZKAuth is an identity of ZooKeeper's digest scheme; the zero value is none.
type ZKAuth struct {
	User     string         `yaml:"user"`
	Password drivers.Secret `yaml:"password"`
}

// ZKCustom declares a layout: where the processes of another system are in the tree, and how their members are named.
type ZKCustom struct {
	// Paths are patterns of the znodes whose existence means that a member is alive, below chroot and prefix.
	Paths []string `yaml:"paths"`
	// Roster are patterns of znodes that stay when a member dies and are deleted when it is removed on purpose.
	Roster []string `yaml:"roster"`
	// Group is the group's name where the patterns have no {group}.
	Group string `yaml:"group"`
	// Match is a regular expression for the whole name of the znode at {member}; empty for any name.
	Match string `yaml:"match"`
	// Name is a template of the member's name; empty: the first group of Match, or the znode's name.
	Name string `yaml:"name"`
	// Persistent means that persistent znodes are members, too.
	Persistent bool `yaml:"persistent"`
	// Status is what the data of a member must contain for it to be up; nil: the znode's existence is enough.
	Status *ZKCheck `yaml:"status"`
	// Enabled is what the data of a member contains unless an operator has disabled it; nil: the data does not tell.
	Enabled *ZKCheck `yaml:"enabled"`
}

// ZKCheck is a condition on the JSON in a znode.
type ZKCheck struct {
	// Field is a key, or keys joined with dots.
	Field string `yaml:"field"`
	// Is are the values that fulfil the condition, as a missing field does.
	Is []string `yaml:"is"`
}

// DefaultZK returns what Nova used: its layouts and its recv_timeout.
func DefaultZK() ZK {
	return ZK{Layout: "auto", SessionTimeout: drivers.Duration(4 * time.Second)}
}

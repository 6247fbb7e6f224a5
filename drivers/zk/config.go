package zk

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/layout"
	"servicegroup_exporter/drivers/zk/session"
)

// The layouts that [Config] knows.
const (
	// LayoutAuto tells flat and nested members apart node by node.
	LayoutAuto = "auto"
	// LayoutFlat counts ephemeral children of a group.
	LayoutFlat = "flat"
	// LayoutNested counts persistent children of a group that say "ZKMembers"; they are up while they have a child.
	LayoutNested = "nested"
)

// LayoutCustom is the layout that the section "custom" describes.
const LayoutCustom = "custom"

const defaultPrefix = "/servicegroups"

// The bounds of a session timeout. Servers raise or lower what is asked for to 2 to 20 of their ticks.
const (
	minSessionTimeout = 100 * time.Millisecond
	maxSessionTimeout = 10 * time.Minute
)

// Config is the section "zk" of a source.
type Config struct {
	// Servers are the ensemble's servers, as host or host:port.
	Servers []string `yaml:"servers"`
	// Chroot is a path that all others are below, empty for none.
	Chroot string `yaml:"chroot"`
	// Prefix is the path that the layout begins at: for this program's own layouts that which groups are children of,
	// Nova's sg_prefix. Empty: /servicegroups, or what is usual for the layout.
	Prefix string `yaml:"prefix"`
	// Layout says which children of a group are members when no record of the roster says so, or how the members of other
	// systems are found: the name of one, or custom.
	Layout string `yaml:"layout"`
	// Custom describes the layout custom.
	Custom *layout.Custom `yaml:"custom"`
	// Groups are the groups to read; empty: all that there are.
	Groups []string `yaml:"groups"`
	// SessionTimeout is what is asked of the server: how long it keeps an ephemeral znode whose owner has fallen silent.
	SessionTimeout drivers.Duration `yaml:"session_timeout"`
	// MemberTimeout is the session timeout of members that don't say theirs, which tells how long one was silent when its
	// znode goes. 0: what is usual for the layout, else SessionTimeout.
	MemberTimeout drivers.Duration `yaml:"member_timeout"`
	// Auth is who to be.
	Auth Auth `yaml:"auth"`
	// ACL is what znodes that Join makes get, each entry as scheme:id:permissions, like auth::cdrwa. Empty: everybody may do
	// everything, or, with Auth, the identity everything and everybody else read.
	ACL []string `yaml:"acl"`
	// TLS encrypts connections; nil: they are in the clear.
	TLS *drivers.TLS `yaml:"tls"`

	// Dial makes the connections; nil: the network does.
	Dial drivers.Dialer
}

// Auth is an identity of ZooKeeper's digest scheme; the zero value is nobody.
type Auth struct {
	User     string         `yaml:"user"`
	Password drivers.Secret `yaml:"password"`
}

// DefaultConfig returns what Nova used: its layouts and its recv_timeout.
func DefaultConfig() Config {
	return Config{Layout: LayoutAuto, SessionTimeout: drivers.Duration(4 * time.Second)}
}

// Validate checks the section and returns one error, a [drivers.FieldError], for each setting that is wrong, joined.
func (c *Config) Validate() error {
	errs := []error{
		checkPath("chroot", c.Chroot, "empty, or a path like /team"),
		checkPath("prefix", c.Prefix, "a path like /servicegroups"),
	}
	if len(c.Servers) == 0 {
		errs = append(errs, drivers.Field("servers", "is empty: name at least one server, as [zk1:2181, zk2:2181]"))
	}
	for _, s := range c.Servers {
		if _, err := session.ParseServer(s); err != nil {
			errs = append(errs, drivers.Field("servers", "%w", err))
		}
	}
	for _, g := range c.Groups {
		if err := checkGroup(g); err != nil && c.own() {
			errs = append(errs, drivers.Field("groups", "%w", err))
		}
	}
	errs = append(errs, c.validateLayout())
	if t := time.Duration(c.SessionTimeout); t < minSessionTimeout || t > maxSessionTimeout {
		errs = append(errs, drivers.Field("session_timeout", "%v is not between %v and %v; most servers allow 4s to 40s",
			t, minSessionTimeout, maxSessionTimeout))
	}
	return errors.Join(append(errs, c.Auth.validate(), c.checkACL(), c.TLS.Validate())...)
}

func (a *Auth) validate() error {
	switch {
	case a.User == "" && !a.Password.IsZero():
		return drivers.Field("auth.user", "is empty although a password is set")
	case a.User != "" && a.Password.IsZero():
		return drivers.Field("auth.password", "is empty although a user is set")
	case strings.Contains(a.User, ":"):
		return drivers.Field("auth.user", "%q contains a colon, which separates user and password", a.User)
	}
	return nil
}

// root is the path of the prefix on the server, without a slash at its end: empty where it is the root itself.
func (c *Config) root() string {
	return strings.TrimSuffix(c.Chroot, "/") + strings.TrimSuffix(c.prefix(), "/")
}

// checkPath accepts the empty path and "/"; who needs more asks for it.
func checkPath(field, path, want string) error {
	if path == "" || path == "/" {
		return nil
	}
	if !strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
		return drivers.Field(field, "%q must begin and not end with a slash: %s", path, want)
	}
	for part := range strings.SplitSeq(path[1:], "/") {
		if err := layout.CheckName(part); err != nil {
			return drivers.Field(field, "%q: a part of it %w", path, err)
		}
	}
	return nil
}

// validateLayout checks the layout and what is only for some of them.
func (c *Config) validateLayout() error {
	declared := c.declared()
	switch {
	case !slices.Contains(layouts(), c.Layout):
		return drivers.Field("layout", "%q is none of %s", c.Layout, strings.Join(layouts(), ", "))
	case c.Layout == LayoutCustom && declared == nil:
		return drivers.Field("custom", "is missing: layout custom needs at least custom.paths")
	case c.Layout != LayoutCustom && c.Custom != nil:
		return drivers.Field("custom", "is read with layout custom only, and the layout is %s", c.Layout)
	case declared == nil:
		return nil
	}
	_, err := declared.Compile("", nil)
	return err
}

// layouts lists all layouts, this program's own first.
func layouts() []string {
	return append([]string{LayoutAuto, LayoutFlat, LayoutNested, LayoutCustom}, slices.Sorted(maps.Keys(layout.Presets()))...)
}

// declared gives the declaration of the layout, nil where it is one of this program's own.
func (c *Config) declared() *layout.Custom {
	if c.Layout == LayoutCustom {
		return c.Custom
	}
	if p, known := layout.Presets()[c.Layout]; known {
		return &p.Custom
	}
	return nil
}

// own says whether the layout is one that this program writes.
func (c *Config) own() bool {
	return c.Layout == LayoutAuto || c.Layout == LayoutFlat || c.Layout == LayoutNested
}

// prefix is the path that the layout begins at.
func (c *Config) prefix() string {
	if c.own() {
		return cmp.Or(c.Prefix, defaultPrefix)
	}
	return cmp.Or(c.Prefix, layout.Presets()[c.Layout].Prefix)
}

// memberTimeout is the session timeout of members that don't say theirs.
func (c *Config) memberTimeout() time.Duration {
	return time.Duration(cmp.Or(c.MemberTimeout, drivers.Duration(layout.Presets()[c.Layout].Timeout), c.SessionTimeout))
}

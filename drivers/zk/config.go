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
	"servicegroup_exporter/internal/suggest"
)

// The layouts of [Config], beside the presets of package layout.
const (
	// LayoutAuto reads flat and nested members.
	LayoutAuto = "auto"
	// LayoutFlat reads flat members: ephemeral children of a group. A member is up while its znode exists.
	LayoutFlat = "flat"
	// LayoutNested reads nested members: persistent children of a group with the data "ZKMembers". A member is up while its
	// znode has a child.
	LayoutNested = "nested"
	// LayoutCustom is the layout that Config.Custom declares.
	LayoutCustom = "custom"
)

const defaultPrefix = "/servicegroups"

// The limits of a session timeout. A server raises or lowers the requested timeout to between 2 and 20 of its ticks.
const (
	minSessionTimeout = 100 * time.Millisecond
	maxSessionTimeout = 10 * time.Minute
)

// Config configures a driver.
type Config struct {
	// Servers are the servers of the ensemble, as host or host:port.
	Servers []string
	// Chroot is the path above all other paths; empty for none.
	Chroot string
	// Prefix is the path below which the layout begins. For this program's own layouts it is the parent of the groups,
	// Nova's sg_prefix. Empty: /servicegroups, or the default of the layout.
	Prefix string
	// Layout is the name of the layout, or custom. One of this program's own layouts decides which children of a group are
	// members if they have no record in the roster.
	Layout string
	// Custom declares the layout custom.
	Custom *layout.Custom
	// Groups are the groups to read; empty: all groups.
	Groups []string
	// SessionTimeout is the requested session timeout: how long the server keeps an ephemeral znode after it has last heard
	// from the session's client.
	SessionTimeout drivers.Duration
	// MemberTimeout is the session timeout of members whose records don't tell it. It says how long a member was silent
	// before its znode was deleted. 0: the default of the layout, or SessionTimeout if the layout has none.
	MemberTimeout drivers.Duration
	// Auth is the identity to authenticate as.
	Auth Auth
	// ACL is the ACL of the znodes that Join creates, with entries of the form scheme:id:permissions, for example
	// auth::cdrwa. Empty: everyone has all permissions, or, with Auth, the identity has all and everyone else may read.
	ACL []string
	// TLS encrypts the connections; nil: they are in clear text.
	TLS *drivers.TLS

	// Dial makes the connections; nil: over the network.
	Dial drivers.Dialer
}

// Auth is an identity of ZooKeeper's digest scheme; the zero value is no identity.
type Auth struct {
	User     string
	Password drivers.Secret
}

// DefaultConfig returns Nova's layouts and its recv_timeout.
func DefaultConfig() Config {
	return Config{Layout: LayoutAuto, SessionTimeout: drivers.Duration(4 * time.Second)}
}

// Validate checks the configuration. The error joins one [drivers.FieldError] for each invalid setting.
func (c *Config) Validate() error {
	errs := []error{
		checkPath("chroot", c.Chroot, "empty, or a path such as /team"),
		checkPath("prefix", c.Prefix, "a path such as /servicegroups"),
	}
	if len(c.Servers) == 0 {
		errs = append(errs, drivers.Field("servers", "is empty: list at least one server, for example [zk1:2181, zk2:2181]"))
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

// validateLayout checks Layout and Custom.
func (c *Config) validateLayout() error {
	declared := c.declared()
	switch {
	case !slices.Contains(layouts(), c.Layout):
		return drivers.Field("layout", "%w", suggest.NotOneOf(c.Layout, layouts()))
	case c.Layout == LayoutCustom && declared == nil:
		return drivers.Field("custom", "is missing: the layout custom needs at least custom.paths")
	case c.Layout != LayoutCustom && c.Custom != nil:
		return drivers.Field("custom", "is only allowed with the layout custom, and the layout is %s", c.Layout)
	case declared == nil:
		return nil
	}
	_, err := declared.Compile("", nil)
	return err
}

// checkPath checks a path. The empty path and "/" are valid.
func checkPath(field, path, want string) error {
	if path == "" || path == "/" {
		return nil
	}
	if !strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
		return drivers.Field(field, "%q must begin with a slash and must not end with one: use %s", path, want)
	}
	for part := range strings.SplitSeq(path[1:], "/") {
		if err := layout.CheckName(part); err != nil {
			return drivers.Field(field, "%q: a part of it %w", path, err)
		}
	}
	return nil
}

// layouts returns the names of all layouts, this program's own first.
func layouts() []string {
	return append([]string{LayoutAuto, LayoutFlat, LayoutNested, LayoutCustom}, slices.Sorted(maps.Keys(layout.Presets()))...)
}

// declared returns the declaration of the layout, nil for this program's own layouts.
func (c *Config) declared() *layout.Custom {
	if c.Layout == LayoutCustom {
		return c.Custom
	}
	if p, known := layout.Presets()[c.Layout]; known {
		return &p.Custom
	}
	return nil
}

// own reports whether the layout is one of this program's own, which members can join.
func (c *Config) own() bool {
	return c.Layout == LayoutAuto || c.Layout == LayoutFlat || c.Layout == LayoutNested
}

// prefix returns the path below which the layout begins.
func (c *Config) prefix() string {
	if c.own() {
		return cmp.Or(c.Prefix, defaultPrefix)
	}
	return cmp.Or(c.Prefix, layout.Presets()[c.Layout].Prefix)
}

// root returns the prefix's path on the server without a slash at its end, so it is empty for the root.
func (c *Config) root() string {
	return strings.TrimSuffix(c.Chroot, "/") + strings.TrimSuffix(c.prefix(), "/")
}

// memberTimeout returns the session timeout of members whose records don't tell it.
func (c *Config) memberTimeout() time.Duration {
	return time.Duration(cmp.Or(c.MemberTimeout, drivers.Duration(layout.Presets()[c.Layout].Timeout), c.SessionTimeout))
}

// privateDir is the child of the prefix below which the groups of [Config.Private] are. Its name begins with a dot, so it
// is never a group.
const privateDir = "/.private"

// Private returns the configuration of one group on the same servers that no other source reads. The group is below the
// prefix, or below /servicegroups if the prefix belongs to another system.
func (c Config) Private(group string) Config {
	prefix := defaultPrefix
	if c.own() {
		prefix = cmp.Or(c.Prefix, defaultPrefix)
	}
	c.Prefix = strings.TrimSuffix(prefix, "/") + privateDir
	c.Layout, c.Custom, c.MemberTimeout = LayoutFlat, nil, 0
	c.Groups = []string{group}
	return c
}

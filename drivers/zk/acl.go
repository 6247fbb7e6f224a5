package zk

import (
	"fmt"
	"strings"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
)

// permissions are the letters of ZooKeeper's permissions, as its own tools use them, in the order of the bits.
const permissions = "rwcda"

// acl returns the ACL of new znodes: the configured one, or one that gives everything to everyone, as Nova's does, or, with
// auth, one that gives everything to the identity and read permission to everyone.
func (c *Config) acl() ([]zkclient.ACL, error) {
	switch {
	case len(c.ACL) > 0:
	case c.Auth.User == "":
		return zkclient.WorldACL(zkclient.PermAll), nil
	default:
		return append(zkclient.AuthACL(zkclient.PermAll), zkclient.WorldACL(zkclient.PermRead)...), nil
	}
	acl := make([]zkclient.ACL, 0, len(c.ACL))
	for _, text := range c.ACL {
		entry, err := parseACL(text)
		if err == nil && entry.Scheme == "auth" && c.Auth.User == "" && (c.TLS == nil || c.TLS.CertFile == "") {
			err = fmt.Errorf("%q needs an identity: set auth, or a certificate in tls", text)
		}
		if err != nil {
			return nil, err
		}
		acl = append(acl, entry)
	}
	return acl, nil
}

// parseACL parses one entry as zkCli does: scheme:id:permissions. An id may have colons.
func parseACL(text string) (zkclient.ACL, error) {
	scheme, rest, _ := strings.Cut(text, ":")
	last := strings.LastIndexByte(rest, ':')
	if scheme == "" || last < 0 {
		return zkclient.ACL{}, fmt.Errorf("%q is not scheme:id:permissions, for example auth::cdrwa or world:anyone:r", text)
	}
	entry := zkclient.ACL{Scheme: scheme, ID: rest[:last]}
	for _, letter := range rest[last+1:] {
		bit := strings.IndexRune(permissions, letter)
		if bit < 0 {
			return zkclient.ACL{}, fmt.Errorf("%q has other permissions than c, d, r, w and a", text)
		}
		entry.Perms |= 1 << bit
	}
	switch {
	case entry.Perms == 0:
		return zkclient.ACL{}, fmt.Errorf("%q gives no permission: it must end with some of the letters cdrwa", text)
	case scheme == "world" && entry.ID != "anyone":
		return zkclient.ACL{}, fmt.Errorf("%q: the only id of world is anyone", text)
	case scheme == "auth" && entry.ID != "":
		return zkclient.ACL{}, fmt.Errorf("%q: auth has no id; write auth::cdrwa for the identity of this program", text)
	case scheme != "auth" && entry.ID == "":
		return zkclient.ACL{}, fmt.Errorf("%q has no id", text)
	}
	return entry, nil
}

func (c *Config) checkACL() error {
	if _, err := c.acl(); err != nil {
		return drivers.Field("acl", "%w", err)
	}
	return nil
}

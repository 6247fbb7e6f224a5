package zk

import (
	"fmt"
	"strings"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
)

// permissions are ZooKeeper's, by the letters that its own tools use.
const permissions = "rwcda"

// acl is what new znodes get: what the configuration says, else open to everybody, as Nova's are, unless an identity is
// configured. Then only it may write, and everybody may read.
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
			err = fmt.Errorf("%q is for who has an identity: set auth, or a certificate in tls", text)
		}
		if err != nil {
			return nil, err
		}
		acl = append(acl, entry)
	}
	return acl, nil
}

// parseACL reads one entry as zkCli takes it: scheme:id:permissions. An id may have colons.
func parseACL(text string) (zkclient.ACL, error) {
	scheme, rest, _ := strings.Cut(text, ":")
	last := strings.LastIndexByte(rest, ':')
	if scheme == "" || last < 0 {
		return zkclient.ACL{}, fmt.Errorf("%q is not scheme:id:permissions, as auth::cdrwa or world:anyone:r", text)
	}
	entry := zkclient.ACL{Scheme: scheme, ID: rest[:last]}
	for _, letter := range rest[last+1:] {
		bit := strings.IndexRune(permissions, letter)
		if bit < 0 {
			return zkclient.ACL{}, fmt.Errorf("%q ends with other permissions than c, d, r, w and a", text)
		}
		entry.Perms |= 1 << bit
	}
	switch {
	case entry.Perms == 0:
		return zkclient.ACL{}, fmt.Errorf("%q gives no permission: it must end with some of cdrwa", text)
	case scheme == "world" && entry.ID != "anyone":
		return zkclient.ACL{}, fmt.Errorf("%q: the world has one id, anyone", text)
	case scheme == "auth" && entry.ID != "":
		return zkclient.ACL{}, fmt.Errorf("%q: auth has no id, it is whoever writes: auth::cdrwa", text)
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

package zk

import (
	"context"
	"crypto/sha1" // ZooKeeper's digest scheme uses it.
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	zkclient "github.com/go-zookeeper/zk"

	"servicegroup_exporter/drivers"
	"servicegroup_exporter/drivers/zk/session"
)

var _ drivers.Inspector = (*Driver)(nil)

// Inspect returns findings about each server, and about the permissions of the prefix.
func (d *Driver) Inspect(ctx context.Context) []drivers.Finding {
	ctx, cancel := drivers.WithLife(ctx, d.ctx)
	defer cancel()
	findings := d.dialer.Inspect(ctx)
	r, err := d.reader().Acquire(ctx)
	if err != nil {
		return findings // The poll says why there is no session.
	}
	return append(findings, d.inspectLogin(ctx, r.Session))
}

// inspectLogin compares the ACL of the prefix with what reading needs.
func (d *Driver) inspectLogin(ctx context.Context, s *session.Session) drivers.Finding {
	const subject = "login"
	path, who := d.paths.prefix(), d.identity()
	acl, err := s.ACL(ctx, path)
	switch {
	case errors.Is(err, zkclient.ErrNoNode):
		return drivers.OK(subject, "connected as %s; %s does not exist yet, so that it has no ACL", who, path)
	case err != nil:
		return drivers.Warning(subject, fmt.Sprintf("connected as %s; the ACL of %s can't be read: %v", who, path, err),
			"give the identity READ on it, as docs/zk.md describes, and check the password: the server accepts a wrong one, which then matches no ACL")
	}
	text := fmt.Sprintf("connected as %s; the ACL of %s is %s", who, path, describeACL(acl))
	mine, everyone := d.permissions(acl), permissionsOf(acl, "world", "anyone")
	const remedy = "give it READ alone, and members an identity of their own: setAcl, auth and acl, as docs/zk.md describes"
	switch {
	case everyone&^zkclient.PermRead != 0:
		return drivers.Warning(subject, text+": everyone who reaches the server can change or remove members", remedy)
	case mine&^zkclient.PermRead != 0:
		return drivers.Warning(subject, text+", which is more than reading needs", remedy)
	case d.config.Auth.User != "" && mine == 0 && everyone == 0:
		return drivers.Warning(subject, text+", which has no entry for this user and password", "check auth.user and auth.password: "+
			"the server accepts a wrong password, which then matches no ACL")
	}
	return drivers.OK(subject, "%s", text)
}

// identity returns who this program is to the server.
func (d *Driver) identity() string {
	switch {
	case d.config.Auth.User != "":
		return "digest user " + d.config.Auth.User
	case d.config.TLS != nil && d.config.TLS.CertFile != "":
		return "the owner of the client certificate"
	}
	return "anyone, without auth"
}

// permissions returns what an ACL gives to the configured user with its password.
func (d *Driver) permissions(acl []zkclient.ACL) int32 {
	password, err := d.config.Auth.Password.Read()
	if d.config.Auth.User == "" || err != nil {
		return 0
	}
	hash := sha1.Sum([]byte(d.config.Auth.User + ":" + password))
	// To a client that has not ADMIN on the znode, the server shows an x in the place of the hash.
	return permissionsOf(acl, "digest", d.config.Auth.User+":"+base64.StdEncoding.EncodeToString(hash[:])) |
		permissionsOf(acl, "digest", d.config.Auth.User+":x")
}

// permissionsOf returns what an ACL gives to an identity.
func permissionsOf(acl []zkclient.ACL, scheme, id string) (bits int32) {
	for _, entry := range acl {
		if entry.Scheme == scheme && entry.ID == id {
			bits |= entry.Perms
		}
	}
	return bits
}

// describeACL returns the entries as zkCli writes them, without hashes of passwords.
func describeACL(acl []zkclient.ACL) string {
	entries := make([]string, 0, len(acl))
	for _, entry := range acl {
		id, _, _ := strings.Cut(entry.ID, ":")
		var letters strings.Builder
		for bit, letter := range permissions {
			if entry.Perms&(1<<bit) != 0 {
				letters.WriteRune(letter)
			}
		}
		entries = append(entries, entry.Scheme+":"+id+":"+letters.String())
	}
	return strings.Join(entries, ", ")
}

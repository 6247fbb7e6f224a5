#!/bin/sh
# Before files are unpacked, both kinds of packages: the account that the service runs as and that may read the
# configuration. It is never removed, as files may be left that it owns.
set -e
account=servicegroup_exporter
if ! getent group $account >/dev/null; then
	groupadd --system $account
fi
if ! getent passwd $account >/dev/null; then
	useradd --system --gid $account --no-create-home --home-dir /var/lib/$account --shell /usr/sbin/nologin \
		--comment "servicegroup_exporter" $account
fi

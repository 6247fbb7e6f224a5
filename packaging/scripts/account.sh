#!/bin/sh
# Both kinds of packages run this before files are unpacked. It creates the account that the service runs as and that may
# read the configuration. The account is never removed, because files that it owns may remain.
set -e
account=servicegroup_exporter
if ! getent group $account >/dev/null; then
	groupadd --system $account
fi
if ! getent passwd $account >/dev/null; then
	useradd --system --gid $account --no-create-home --home-dir /var/lib/$account --shell /usr/sbin/nologin \
		--comment "servicegroup_exporter" $account
fi

#!/bin/sh
# A purge removes the service's state and whether it was enabled. dpkg itself removes the configuration.
set -e
if [ -d /run/systemd/system ]; then
	systemctl --system daemon-reload >/dev/null || true
fi
[ "$1" = purge ] || exit 0
rm -rf /var/lib/servicegroup_exporter
rm -f /etc/systemd/system/multi-user.target.wants/servicegroup_join@*.service
if command -v deb-systemd-helper >/dev/null; then
	deb-systemd-helper purge servicegroup_exporter.service >/dev/null || true
fi

#!/bin/sh
# Stops and disables the service before the last version is removed.
command -v systemctl >/dev/null || exit 0
if [ "$1" -eq 0 ]; then
	systemctl --no-reload disable --now servicegroup_exporter.service >/dev/null 2>&1 || :
	systemctl stop 'servicegroup_join@*.service' >/dev/null 2>&1 || :
	rm -f /etc/systemd/system/multi-user.target.wants/servicegroup_join@*.service
fi

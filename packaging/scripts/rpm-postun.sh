#!/bin/sh
# Restarts the service after an upgrade, if it is running.
command -v systemctl >/dev/null || exit 0
systemctl daemon-reload >/dev/null 2>&1 || :
if [ "$1" -ge 1 ]; then
	systemctl try-restart servicegroup_exporter.service 'servicegroup_join@*.service' >/dev/null 2>&1 || :
fi

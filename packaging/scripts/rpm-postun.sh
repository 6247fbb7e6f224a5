#!/bin/sh
# After an upgrade, a service that runs is restarted with the new files.
command -v systemctl >/dev/null || exit 0
systemctl daemon-reload >/dev/null 2>&1 || :
if [ "$1" -ge 1 ]; then
	systemctl try-restart servicegroup_exporter.service >/dev/null 2>&1 || :
fi

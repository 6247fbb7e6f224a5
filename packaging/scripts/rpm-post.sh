#!/bin/sh
# Enables the service if the system's presets do so. The administrator starts it.
unit=servicegroup_exporter.service
command -v systemctl >/dev/null || exit 0
systemctl daemon-reload >/dev/null 2>&1 || :
if [ "$1" -eq 1 ]; then
	systemctl --no-reload preset $unit >/dev/null 2>&1 || :
fi

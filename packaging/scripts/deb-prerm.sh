#!/bin/sh
# Stops the service before its removal. An upgrade restarts it after the new files are installed.
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	deb-systemd-invoke stop servicegroup_exporter.service >/dev/null || true
	systemctl --system stop 'servicegroup_join@*.service' >/dev/null || true
fi

#!/bin/sh
# Stops the service before it is removed. An upgrade restarts it when the new files are there.
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	deb-systemd-invoke stop servicegroup_exporter.service >/dev/null || true
fi

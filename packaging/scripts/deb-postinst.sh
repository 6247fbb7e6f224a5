#!/bin/sh
# Enables and starts the service, as usual on Debian, unless an administrator disabled it. Restarts it after an upgrade.
set -e
unit=servicegroup_exporter.service
case "$1" in
configure | abort-upgrade | abort-deconfigure | abort-remove) ;;
*) exit 0 ;;
esac
deb-systemd-helper unmask $unit >/dev/null || true
if deb-systemd-helper --quiet was-enabled $unit; then
	deb-systemd-helper enable $unit >/dev/null || true
else
	deb-systemd-helper update-state $unit >/dev/null || true
fi
[ -d /run/systemd/system ] || exit 0
systemctl --system daemon-reload >/dev/null || true
action=start
[ -z "$2" ] || action=restart
deb-systemd-invoke $action $unit >/dev/null || true

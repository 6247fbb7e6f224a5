#!/bin/sh
# Enables and starts the service, as usual on Debian, unless an administrator disabled it. Restarts it after an upgrade.
set -e
unit=servicegroup_exporter.service
case "$1" in
configure | abort-upgrade | abort-deconfigure | abort-remove) ;;
*) exit 0 ;;
esac
if [ "$1" = configure ] && [ -z "$2" ]; then # the first installation
	cat <<-'END'
	Describe your backends in /etc/servicegroup_exporter/servicegroups.yml, then check them. The check changes nothing:
	  sudo -u servicegroup_exporter servicegroup_exporter check --storage.path=/var/lib/servicegroup_exporter \
	    --config.file=/etc/servicegroup_exporter/servicegroups.yml
	END
fi
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
systemctl --system try-restart 'servicegroup_join@*.service' >/dev/null || true

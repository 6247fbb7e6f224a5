#!/bin/sh
# Enables the service if the system's presets do so. The administrator starts it.
unit=servicegroup_exporter.service
if [ "$1" -eq 1 ]; then # the first installation
	cat <<-'END'
	Describe your backends in /etc/servicegroup_exporter/servicegroups.yml, then check them. The check changes nothing:
	  sudo -u servicegroup_exporter servicegroup_exporter check --storage.path=/var/lib/servicegroup_exporter \
	    --config.file=/etc/servicegroup_exporter/servicegroups.yml
	Then start the service:
	  sudo systemctl enable --now servicegroup_exporter
	END
fi
command -v systemctl >/dev/null || exit 0
systemctl daemon-reload >/dev/null 2>&1 || :
if [ "$1" -eq 1 ]; then
	systemctl --no-reload preset $unit >/dev/null 2>&1 || :
fi

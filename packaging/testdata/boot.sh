#!/bin/sh
# Boots systemd as process 1 in the namespaces in which the script is started. The machine has the files of the host, with all
# changes in memory only; the folder $1 at /mnt; and no network but loopback.
set -eu
given=$1 root=$2
mount --make-rprivate /
mount -t tmpfs machine "$root"
mkdir "$root/upper" "$root/work" "$root/root"
mount -t overlay machine -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$root/root"
cd "$root/root"
mount --bind "$given" mnt
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs run run
mount -t tmpfs tmp tmp
mount -t tmpfs -o mode=755 dev dev
for device in null zero full random urandom tty; do
	: >"dev/$device"
	mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs shm dev/shm

# No units that would change the host, and no timers.
for unit in systemd-sysctl.service systemd-modules-load.service systemd-udevd.service systemd-udev-trigger.service \
	systemd-remount-fs.service sys-kernel-debug.mount sys-kernel-tracing.mount timers.target; do
	ln -sf /dev/null "etc/systemd/system/$unit"
done
rm -f usr/sbin/policy-rc.d # Container images prevent services from starting with this file.

mkdir tmp/below
pivot_root . tmp/below
umount -l /tmp/below
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --unit=basic.target --log-target=journal --show-status=no

#!/bin/sh
# Turns the namespaces that it is started in into a machine: the files of the machine below, whatever is done to them is
# forgotten; the folder $1 at /mnt; no network but loopback; and systemd as process 1.
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

# Nothing that would reach through to the machine below, or that has a clock of its own.
for unit in systemd-sysctl.service systemd-modules-load.service systemd-udevd.service systemd-udev-trigger.service \
	systemd-remount-fs.service sys-kernel-debug.mount sys-kernel-tracing.mount timers.target; do
	ln -sf /dev/null "etc/systemd/system/$unit"
done
rm -f usr/sbin/policy-rc.d # Images for containers forbid services to start.

mkdir tmp/below
pivot_root . tmp/below
umount -l /tmp/below
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --unit=basic.target --log-target=journal --show-status=no

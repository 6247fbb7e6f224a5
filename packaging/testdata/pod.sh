#!/bin/sh
# Runs a program in the root folder $1 as the user and group $3 with the group $4 besides, in the namespaces in which the script is
# started: with a loopback interface, and all of the root folder read-only but for its folder $2.
set -eu
root=$1 state=$2 user=$3 groups=$4
shift 4
ip link set lo up
mount --bind "$root" "$root"
mount --bind "$root$state" "$root$state"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" --groups="$groups" "$root" "$@"

#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# PID 1 of the bench's initramfs: modules, the host's root read-only under an overlay, switch_root.
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs dev /dev
while read -r module; do
	$b insmod "/modules/$module" || echo "vm: insmod $module failed"
done </modules/order
if ! { $b mount -t virtiofs -o ro host /host && $b mount -t virtiofs share /share &&
	$b mount -t tmpfs -o size=75% rw /rw && $b mkdir /rw/upper /rw/work &&
	$b mount -t overlay -o lowerdir=/host,upperdir=/rw/upper,workdir=/rw/work root /root; }; then
	echo "vm: cannot mount the host's root"
	$b poweroff -f
fi
$b mkdir -p /root/vmshare
$b mount -t tmpfs -o mode=755 run /root/run
$b mount --move /share /root/vmshare
$b mount --move /proc /root/proc
$b mount --move /sys /root/sys
$b mount --move /dev /root/dev
$b mkdir -p /root/run/host
$b mount --move /host /root/run/host
exec $b switch_root /root /bin/sh /vmshare/run

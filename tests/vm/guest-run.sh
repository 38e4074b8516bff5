#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs on the overlay as PID 1: what an init system would mount, cgroup2 with every controller, then
# the command, its exit status into the share, and off. With init=systemd (vm.sh --systemd) PID 1
# becomes a systemd that starts little more than the bus and, with a word, this script again.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb
export TMPDIR=/vmtmp
part=${1:-outside}
# Changes the folder, and the arguments into the command.
# shellcheck source=/dev/null
. /vmshare/command
: "${modules:?}" "${release:?}" "${init:?}"

set_up() {
	: >/vmshare/began
	mkdir -p /dev/pts /dev/shm /dev/mqueue
	mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts
	mount -t tmpfs shm /dev/shm
	mount -t mqueue mqueue /dev/mqueue
	ln -sf /proc/self/fd /dev/fd
	# A tmpfs for what tests write: an overlay cannot be the upper layer of another overlay. Not on
	# /tmp, where the checkout itself may lie.
	mkdir -p /vmtmp
	mount -t tmpfs -o mode=1777 tmp /vmtmp
	mkdir -p /var/lib/cellar
	mount -t tmpfs -o mode=755 lib /var/lib/cellar
	mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
	mount -t bpf bpf /sys/fs/bpf 2>/dev/null
	hostname bench
	ip link set lo up
	mkdir -p "/lib/modules/$release"
	mount --bind "/run/host$modules" "/lib/modules/$release"
	for module in veth bridge nf_tables nft_masq nft_chain_nat nf_nat tun; do
		modprobe "$module" 2>/dev/null
	done
}

set_up_cgroup() {
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	# The root group must be empty of processes before its controllers go down the tree.
	mkdir /sys/fs/cgroup/init
	echo 1 >/sys/fs/cgroup/init/cgroup.procs
	for pid in $(cat /sys/fs/cgroup/cgroup.procs); do
		echo "$pid" >/sys/fs/cgroup/init/cgroup.procs
	done 2>/dev/null
	for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
		echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control
	done 2>/dev/null
}

# Units of our own: Debian's would bring udev, journald and whatever is installed on the host.
become_systemd() {
	# Where the host is a container, systemd would take this for one, and not heed the kernel's command line.
	rm -f /.dockerenv
	units=/run/systemd/system
	mkdir -p $units /run/systemd/system-generators /run/systemd/system.conf.d /run/dbus
	for generator in /usr/lib/systemd/system-generators/*; do
		ln -s /dev/null "/run/systemd/system-generators/${generator##*/}"
	done
	printf '[Manager]\nDefaultStandardOutput=null\nDefaultTimeoutStartSec=600\n' \
		>/run/systemd/system.conf.d/bench.conf
	printf '[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/dbus/system_bus_socket\n' \
		>$units/dbus.socket
	cat >$units/dbus.service <<-'END'
		[Unit]
		DefaultDependencies=no
		Requires=dbus.socket
		[Service]
		Type=notify
		NotifyAccess=main
		ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation
	END
	cat >$units/bench.service <<-'END'
		[Unit]
		DefaultDependencies=no
		Requires=dbus.service
		After=dbus.service
		[Service]
		Type=oneshot
		ExecStart=/bin/sh /vmshare/run inside
		TimeoutStartSec=infinity
		Delegate=yes
	END
	printf '[Unit]\nDefaultDependencies=no\nWants=bench.service\n' >$units/bench.target
	exec /lib/systemd/systemd --unit=bench.target --log-target=console --log-level=warning \
		--show-status=0
}

if [ "$part" = outside ]; then
	set_up
	[ "$init" != systemd ] || become_systemd
	set_up_cgroup
fi
# shellcheck disable=SC3045 # dash has it
ulimit -n 65536
out=/dev/null err=/dev/null
for port in /sys/class/virtio-ports/*; do
	case $(cat "$port/name") in
	cellar.out) out=/dev/${port##*/} ;;
	cellar.err) err=/dev/${port##*/} ;;
	esac
done
"$@" </dev/null >"$out" 2>"$err"
status=$?
sync
echo $status >/vmshare/status
exec busybox poweroff -f

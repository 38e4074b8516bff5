#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The cgroup v2 bench: a command in a virtual machine whose only cgroup hierarchy is v2 with every
# controller on, and where root has all capabilities (CAP_SYS_RESOURCE too).
#
#	tests/vm/vm.sh [--mem MIB] [--smp N] [--timeout S] [--env NAME]... [--systemd] [--cgroup LAYOUT] -- COMMAND...
#
# The host's root is the lower layer of an overlay whose upper layer is a tmpfs: nothing of the host
# can be changed. COMMAND runs in $PWD as root; its output, its error output and its exit status are
# those of this script. --systemd: under a systemd as PID 1, with the system bus. --cgroup hybrid or v1: the hierarchies
# as that systemd mounts them where it is told so (v2 unless given). 124: time-out; 125: the machine itself failed.
#
# The kernel is Debian's cloud kernel, fetched as a package but not installed, and cached: 6.12, which
# has no memory and cpuset controllers of v1 any more, or 6.1, which has them. QEMU
# translates (TCG) unless the host's KVM module is loaded, for a mere /dev/kvm may be an emulation.
# CPU work is 15 to 25 times slower inside: no test may assert durations there.
#
# Now and then the translated kernel dies in its first two seconds, while it patches its own code; no
# program of ours has run by then, so the machine is switched on again, three times at most; likewise one
# that has not come as far after 400 s.
set -euo pipefail

again=("$0" "$@")
mem=3072 smp=2 limit_s=1200 envs=() init=none layout=v2
cache=${CELLAR_VM_CACHE:-/var/cache/cellar-tests/vm}

die() {
	echo "vm: $*" >&2
	exit 125
}

while [ $# -gt 0 ]; do
	case $1 in
	--mem) mem=$2 && shift 2 ;;
	--smp) smp=$2 && shift 2 ;;
	--timeout) limit_s=$2 && shift 2 ;;
	--env) envs+=("$2") && shift 2 ;;
	--systemd) init=systemd && shift ;;
	--cgroup) layout=$2 && shift 2 ;;
	--) shift && break ;;
	*) die "unknown option $1" ;;
	esac
done
[ $# -gt 0 ] || die "no command given"
kernel=$cache/kernel meta=linux-image-6.12-cloud-amd64
case $layout in
v2) cgroups=cgroup_no_v1=all ;;
hybrid) cgroups=systemd.unified_cgroup_hierarchy=0 ;;
v1) cgroups="systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1" ;;
*) die "--cgroup '$layout' is none of v2, hybrid, v1" ;;
esac
if [ "$layout" != v2 ]; then
	[ $init = systemd ] || die "--cgroup $layout is systemd's work: it needs --systemd"
	kernel=$cache/kernel-6.1 meta=linux-image-cloud-amd64
fi

# Fetches the kernel's package into the cache once: $kernel/{boot,lib/modules}.
fetch_kernel() {
	local tmp package
	[ -e "$kernel/ready" ] && return
	mkdir -p "$cache"
	tmp=$(mktemp -d "$cache/fetch.XXXXXX")
	package=$(apt-cache depends "$meta" 2>/dev/null |
		awk '/Depends: linux-image/ {print $2; exit}')
	[ -n "$package" ] || package=$meta
	(
		cd "$tmp"
		apt=(apt-get -qq -o Acquire::Retries=3)
		"${apt[@]}" download "$package" >/dev/null 2>"$tmp/log" ||
			{ "${apt[@]}" update && "${apt[@]}" download "$package"; } >"$tmp/log" 2>&1
		dpkg-deb -x ./*.deb "$tmp/root"
	) || die "cannot fetch the kernel $package: $(tail -n 2 "$tmp/log")"
	mkdir -p "$tmp/kernel/lib"
	mv "$tmp"/root/boot "$tmp/kernel/boot"
	if [ -d "$tmp/root/usr/lib/modules" ]; then
		mv "$tmp/root/usr/lib/modules" "$tmp/kernel/lib/modules"
	else
		mv "$tmp/root/lib/modules" "$tmp/kernel/lib/modules"
	fi
	depmod -b "$tmp/kernel" "$(basename "$tmp"/kernel/lib/modules/*)"
	touch "$tmp/kernel/ready"
	rm -rf "$kernel"
	mv "$tmp/kernel" "$kernel"
	rm -rf "$tmp"
}

# An initramfs that knows just enough to reach the host's root: busybox and virtiofs.
make_initrd() {
	local dir module file name
	initrd=$cache/initrd-$release.cpio
	[ -s "$initrd" ] && return
	dir=$(mktemp -d "$cache/initrd.XXXXXX")
	mkdir -p "$dir"/{bin,modules,proc,sys,dev,host,share,rw,root}
	cp "$(command -v busybox)" "$dir/bin/busybox"
	cp "$here/guest-init.sh" "$dir/init"
	for module in virtio_pci virtio_console virtiofs overlay; do
		modprobe -S "$release" -d "$kernel" --show-depends "$module" 2>/dev/null |
			awk '$1 == "insmod" {print $2}' |
			while read -r file; do
				name=$(basename "${file%.xz}")
				grep -qsx "$name" "$dir/modules/order" && continue
				echo "$name" >>"$dir/modules/order"
				case $file in
				*.xz) xz -dc "$file" >"$dir/modules/$name" ;;
				*) cp "$file" "$dir/modules/$name" ;;
				esac
			done
	done
	(cd "$dir" && find . | cpio -o -H newc --quiet) >"$initrd.$$"
	mv "$initrd.$$" "$initrd"
	rm -rf "$dir"
}

find_virtiofsd() {
	local path
	for path in /usr/lib/qemu/virtiofsd /usr/libexec/virtiofsd /usr/bin/virtiofsd; do
		[ -x "$path" ] && echo "$path" && return
	done
	die "virtiofsd is missing (package qemu-system-common)"
}

# What the guest runs once it stands on the overlay; the command and its environment are quoted.
write_guest_script() {
	local name
	{
		printf 'modules=%q release=%q init=%q\n' "$kernel/lib/modules/$release" "$release" \
			"$init"
		printf 'cd %q\n' "$PWD"
		for name in "${envs[@]}"; do
			printf 'export %s=%q\n' "$name" "${!name-}"
		done
		printf 'set --'
		printf ' %q' "$@"
		printf '\n'
	} >"$share/command"
	cp "$here/guest-run.sh" "$share/run"
}

here=$(cd "$(dirname "$0")" && pwd)
(
	flock 9
	fetch_kernel
) 9>"$(mkdir -p "$cache" && echo "$cache/lock")"
release=$(basename "$kernel"/lib/modules/*)
initrd=
make_initrd
virtiofsd=$(find_virtiofsd)
share=$(mktemp -d /tmp/cellar-vm.XXXXXX)
pids=()
cleanup() {
	local pid
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null || true
	done
	rm -rf "$share"
}
trap cleanup EXIT
trap 'exit 125' INT TERM
write_guest_script "$@"

accel=tcg,thread=multi cpu=max
if [ -w /dev/kvm ] && { [ -d /sys/module/kvm_amd ] || [ -d /sys/module/kvm_intel ]; }; then
	accel=kvm cpu=host
fi
# TCG hands the host's TSC through; told its rate, the guest's clock keeps time on a loaded host.
tsc_khz=$(awk '/^cpu MHz/ {printf "%d", $4 * 1000; exit}' /proc/cpuinfo)

# shellcheck disable=SC2054 # the commas are QEMU's
qemu=(qemu-system-x86_64 -M q35 -accel "$accel" -cpu "$cpu" -smp "$smp" -m "$mem"
	-nodefaults -no-user-config -display none -no-reboot
	-kernel "$kernel/boot/vmlinuz-$release" -initrd "$initrd"
	-object "memory-backend-memfd,id=mem,size=${mem}M,share=on" -machine memory-backend=mem
	-chardev "file,id=console,path=$share/console" -serial chardev:console
	-device virtio-serial-pci
	-add-fd fd=8,set=1 -chardev file,id=out,path=/dev/fdset/1,append=on
	-device virtserialport,chardev=out,name=cellar.out
	-add-fd fd=9,set=2 -chardev file,id=err,path=/dev/fdset/2,append=on
	-device virtserialport,chardev=err,name=cellar.err)

# host: the root, cached for good; share: where the guest leaves the exit status.
serve() {
	local tag=$1 dir=$2 tries=0
	shift 2
	"$virtiofsd" --socket-path="$share/$tag.sock" -o source="$dir" -o sandbox=chroot -o xattr "$@" \
		>"$share/$tag.log" 2>&1 &
	pids+=($!)
	# virtiofsd gives no other sign of being ready than its socket.
	until [ -S "$share/$tag.sock" ]; do
		sleep 0.02
		tries=$((tries + 1))
		[ $tries -lt 5000 ] || die "virtiofsd: $(cat "$share/$tag.log")"
	done
	qemu+=(-chardev "socket,id=$tag,path=$share/$tag.sock"
		-device "vhost-user-fs-pci,chardev=$tag,tag=$tag,queue-size=1024")
}
serve host / -o cache=always
serve share "$share" -o cache=auto -o no_posix_lock

exec 8>&1 9>&2
status=0
timeout -k 5 "$limit_s" "${qemu[@]}" -append "console=ttyS0 quiet loglevel=4 panic=-1 reboot=t nokaslr \
mitigations=off random.trust_cpu=on tsc=reliable tsc_early_khz=$tsc_khz no_timer_check audit=0 \
cryptomgr.notests $cgroups psi=1 swapaccount=1" </dev/null 2>"$share/qemu.err" &
# In the background, for bash heeds a signal not before what stands in front has ended.
machine=$!
# One that hangs before it has come to init is switched off, and on again below.
(
	for ((i = 0; i < 80; i++)); do
		sleep 5
		[ ! -e "$share/began" ] && [ -d "$share" ] || exit 0
	done
	kill "$machine"
) >/dev/null 2>&1 8>&- 9>&- &
pids+=("$machine")
wait "$machine" || status=$?
unset 'pids[-1]'
if [ -s "$share/status" ]; then
	exit "$(cat "$share/status")"
fi
if [ ! -e "$share/began" ] && [ $status = 0 ] && [ "${CELLAR_VM_TRIES:-1}" -lt 3 ]; then
	echo "# the emulated kernel died before init: switched on again"
	cleanup
	CELLAR_VM_TRIES=$((${CELLAR_VM_TRIES:-1} + 1)) exec "${again[@]}"
fi
tail -n 20 "$share/console" "$share/qemu.err" >&2 || true
[ $status != 124 ] || { echo "vm: time-out after $limit_s s" >&2 && exit 124; }
die "the machine ended without an exit status (QEMU's was $status)"

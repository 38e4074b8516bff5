#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing: tools/install-deps.sh build|test|browser
# Quiet when there is nothing to do; needs root only when there is.
set -euo pipefail

build=(gcc libc6-dev cmake ninja-build pkg-config musl-tools libseccomp-dev libcap-dev libyajl-dev
	libmnl-dev libsystemd-dev libsqlite3-dev libmicrohttpd-dev libcurl4-gnutls-dev libgnutls28-dev libfyaml-dev nettle-dev
	libarchive-dev zlib1g-dev libprotobuf-c-dev protobuf-c-compiler
	protobuf-compiler apparmor busybox-static util-linux tar gzip)
# What the tests compare with (runc, skopeo, umoci), look through (iproute2, nftables, jq, strace),
# make images of (debootstrap), run in (QEMU, systemd with D-Bus in it) and are called by (containerd, Podman, Docker).
tests=(libcmocka-dev clang clang-format clang-tidy libclang-rt-14-dev shellcheck runc skopeo umoci jq
	iproute2 nftables iputils-ping procps psmisc strace file git time python3
	qemu-system-x86 qemu-system-common cpio kmod xz-utils
	debootstrap attr zstd curl
	containerd containernetworking-plugins podman conmon catatonit docker.io tini systemd dbus uidmap)

# For the dashboard's test alone, in long runs. Node may have come from elsewhere, npm with it.
browser=(chromium)
command -v node >/dev/null || browser+=(nodejs)
command -v npm >/dev/null || browser+=(npm)

case ${1:-} in
browser) want=("${browser[@]}") ;;
build) want=("${build[@]}") ;;
test) want=("${build[@]}" "${tests[@]}") ;;
*)
	echo "usage: tools/install-deps.sh build|test|browser" >&2
	exit 2
	;;
esac

missing=()
for package in "${want[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
		missing+=("$package")
done

# What drives the browser, as npm has it: build/browser/node_modules.
fetch_driver() {
	[ "$1" = browser ] || return 0
	local dir
	dir=$(dirname "$0")/../build/browser
	mkdir -p "$dir"
	cmp -s "$dir/../../tests/browser/package.json" "$dir/package.json" && return 0
	rm -rf "$dir/node_modules"
	cp "$dir/../../tests/browser/package.json" "$dir/package.json.new"
	mv "$dir/package.json.new" "$dir/package.json"
	npm install --prefix "$dir" --silent --no-fund --no-audit || {
		rm -f "$dir/package.json"
		return 1
	}
}
if [ ${#missing[@]} = 0 ]; then
	fetch_driver "$1"
	exit
fi

if [ "$(id -u)" != 0 ]; then
	echo "install-deps: missing packages, install them as root: apt-get install ${missing[*]}" >&2
	exit 1
fi
echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The tests start daemons of their own, in namespaces of their own: none is to start on the machine,
# where Docker's would make a bridge and rules.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
	trap 'rm -f "$log" $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
# A mirror that hiccups is asked again.
apt=(apt-get -qq -o Acquire::Retries=3)
if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } \
	>"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "install-deps: apt-get could not install the packages above" >&2
	exit 1
fi
fetch_driver "$1"

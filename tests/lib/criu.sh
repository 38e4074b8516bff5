# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A CRIU that works on this kernel: the system's, or Debian 13's (4.1), unpacked below build/ with the
# libraries it wants and run by its own loader; nothing of it is installed.

# Debian's mirror as apt has it, without a folder of a snapshot.
criu_mirror() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
		grep -v '^#' | grep -o 'https\?://[^ ]*/debian/\?\( \|$\)' | head -n 1 | tr -d ' '
}

# criu_fetch DIR: some 10 MiB once
criu_fetch() {
	local dir=$1 mirror package
	mirror=$(criu_mirror)
	[ -n "$mirror" ] || return 1
	rm -rf "$dir.new"
	mkdir -p "$dir.new"/{lists/partial,cache/archives/partial,root}
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$dir.new/sources.list"
	: >"$dir.new/status"
	cat >"$dir.new/apt.conf" <<-END
		Dir::Etc::sourcelist "$dir.new/sources.list";
		Dir::Etc::sourceparts "/nonexistent";
		Dir::State::lists "$dir.new/lists";
		Dir::State::status "$dir.new/status";
		Dir::Cache "$dir.new/cache";
		APT::Sandbox::User "root";
		APT::Architecture "$(dpkg --print-architecture)";
		APT::Architectures "$(dpkg --print-architecture)";
	END
	export APT_CONFIG=$dir.new/apt.conf
	timeout 120 apt-get -qq update || return 1
	timeout 240 apt-get -qq -y --no-install-recommends --download-only install criu || return 1
	for package in "$dir.new"/cache/archives/*.deb; do
		case $package in */python3* | */libpython3* | */perl* | */debconf*) continue ;; esac
		dpkg-deb -x "$package" "$dir.new/root" || return 1
	done
	cat >"$dir.new/criu" <<-'END'
		#!/bin/sh
		root=$(dirname "$(readlink -f "$0")")/root
		loader=$(ls "$root"/usr/lib64/ld-linux-*.so.* "$root"/usr/lib/ld-linux-*.so.* 2>/dev/null | head -n 1)
		exec "$loader" --library-path "$(ls -d "$root"/usr/lib/*-linux-gnu | head -n 1)" "$root/usr/sbin/criu" "$@"
	END
	chmod +x "$dir.new/criu"
	rm -rf "$dir.new"/{lists,cache} "$dir"
	mv "$dir.new" "$dir"
}

# t_criu: sets CRIU, or why there is none: CRIU_WHY
t_criu() {
	local dir=$T_TOP/build/criu
	CRIU="" CRIU_WHY="criu is not installed"
	for CRIU in "${CELLAR_TEST_CRIU:-}" /usr/sbin/criu "$dir/criu"; do
		if [ "$CRIU" = "$dir/criu" ] && [ ! -x "$CRIU" ]; then
			(
				flock 9
				[ -x "$dir/criu" ] || criu_fetch "$dir"
			) 9>"${TMPDIR:-/tmp}/cellar-test-criu.lock" >/dev/null 2>&1 || true
		fi
		[ -n "$CRIU" ] && [ -x "$CRIU" ] || continue
		CRIU_WHY=$(cd "$T_DIR" && "$CRIU" check 2>&1) && return 0
		CRIU_WHY="criu does not work on this kernel: $(tail -n 1 <<<"$CRIU_WHY")"
	done
	CRIU=""
	return 1
}

# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A user without privileges, for tests that source lib/common.sh, are root and in namespaces of their
# own. The user exists only in the script's own copy of /etc.
command -v newuidmap newgidmap >/dev/null || t_skip_all "the package uidmap is not installed"
[ "$(cat /proc/sys/user/max_user_namespaces)" -gt 0 ] || t_skip_all "no user namespaces on this host"

user=61234
mkdir -p "$T_DIR"/{etc,home,run,bin}
cp -a /etc/. "$T_DIR/etc"
echo "alice-$T_ID:x:$user:$user::$T_DIR/home:/bin/sh" >>"$T_DIR/etc/passwd"
echo "alice-$T_ID:700000:65536" >"$T_DIR/etc/subuid"
echo "alice-$T_ID:700000:65536" >"$T_DIR/etc/subgid"
mount --bind "$T_DIR/etc" /etc
t_defer "umount -l /etc"
cp "$CELLAR_BIN/cellar" "$T_DIR/bin"
t_rootfs "$T_DIR/home/b/rootfs"
mkdir -p "$T_DIR/home/b/rootfs"/{mnt,home}
echo secret >"$T_DIR/home/b/rootfs/secret"
chmod 755 "$T_DIR"
chown -R $user:$user "$T_DIR/home" "$T_DIR/run"
chmod 700 "$T_DIR/run"
chown 0:0 "$T_DIR/home/b/rootfs/secret"
chmod 600 "$T_DIR/home/b/rootfs/secret"
bundle=$T_DIR/home/b

# u COMMAND...: as that user, with nothing of root's
u() {
	setpriv --reuid $user --regid $user --clear-groups -- env -i "PATH=$T_DIR/bin:/usr/bin:/bin:/usr/sbin:/sbin" \
		"HOME=$T_DIR/home" "XDG_RUNTIME_DIR=$T_DIR/run" "$@"
}
c() { u cellar "$@"; }
# with FILTER...: the bundle's config.json from the one of `spec --rootless`
with() { jq "$@" "$T_DIR/spec.json" >"$bundle/config.json"; }
sh_() { with '.process.args = ["sh", "-c", $s]' --arg s "$1"; }
run() { c run -b "$bundle" x; }
# says SCRIPT: what it prints in a container
says() {
	sh_ "$1"
	run </dev/null 2>&1 | xargs
}
# refused NAME WORDS: the bundle as it is
refused() {
	t_status "$1" 1 run
	t_match "$1, in words" "$2" "$T_ERR"
}
ranges='.linux.uidMappings = [{containerID: 0, hostID: 61234, size: 1}, {containerID: 1, hostID: 700000, size: 65536}]
	| .linux.gidMappings = .linux.uidMappings'
t_defer "pkill -KILL -u $user"
t_defer 'c list -q | while read -r i; do c delete -f "$i"; done'
u sh -c 'cd "$HOME/b" && cellar spec --rootless'
jq '.process.terminal = false | .root.readonly = false' "$bundle/config.json" >"$T_DIR/spec.json"

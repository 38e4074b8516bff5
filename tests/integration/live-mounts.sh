#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# crun's `mounts add` and `mounts remove`: a container gets and loses mounts while it runs, and gets
# them nowhere but below its own root.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
[ -x "$CELLAR_BIN/cellar" ] || t_skip_all "no cellar in $CELLAR_BIN"

bundle=$T_DIR/bundle root=$T_DIR/state id=$T_ID-m
mkdir -p "$bundle" "$T_DIR/src/sub"
echo hello >"$T_DIR/src/file"
chmod 755 "$T_DIR" "$bundle"
t_rootfs "$bundle/rootfs"
c() { cellar --root "$root" "$@"; }
cellar spec -b "$bundle"
mkdir "$bundle/rootfs/masked"
echo secret >"$bundle/rootfs/masked/file"
jq '.linux.maskedPaths += ["/masked/file"] | .process.terminal = false | .process.args = ["sleep", "1000"] | .root.readonly = false' "$bundle/config.json" >"$T_DIR/config.json"
cp "$T_DIR/config.json" "$bundle/config.json"
t_defer 'c delete -f $id'
# mounts add|remove DOCUMENT
mounts() { c mounts "$1" "$id" - <<<"$2"; }
# refused NAME WORDS DOCUMENT
refused() {
	t_status "$1" 1 eval 'mounts add "$REFUSED"'
	t_match "$1, in words" "$2" "$T_ERR"
}
# inside TARGET: flags and type of what is mounted there
inside() { c exec "$id" sed -n "s,^.* $1 \([^ ]*\) .*- \([^ ]*\) .*,\1 \2,p" /proc/self/mountinfo; }

c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
both='[{"destination": "/new/a", "type": "bind", "source": "'$T_DIR/src'", "options": ["rbind", "ro", "nosuid"]},
	{"destination": "/tmp", "type": "tmpfs", "options": ["mode=700", "size=64k", "noexec"]}]'
# Others mount and unmount on this host meanwhile.
host_has() { grep -cF "$T_DIR" /proc/self/mountinfo; }
before=$(host_has)
t_status "mounts add" 0 eval 'mounts add "$both"'
t_match "a bind on a folder that was missing" "^ro,nosuid[, ]" "$(inside /new/a)"
t_is "what is in it" hello "$(c exec "$id" cat /new/a/file)"
t_is "a tmpfs" "rw,noexec,relatime tmpfs 700" "$(inside /tmp) $(c exec "$id" stat -c %a /tmp)"
t_is "the host has none of it" "$before" "$(host_has)"
t_status "mounts remove" 0 eval 'mounts remove "$both"'
t_is "they are gone" "" "$(inside /new/a)$(inside /tmp)"
t_status "a file, as an object with the member mounts" 0 \
	eval 'mounts add "{\"mounts\": [{\"destination\": \"/etc/f\", \"type\": \"bind\", \"source\": \"$T_DIR/src/file\"}]}"'
t_is "its content" hello "$(c exec "$id" cat /etc/f)"
ln -s ../../../../.. "$bundle/rootfs/up"
t_status "through a symlink that leads out" 0 eval 'mounts add "[{\"destination\": \"/up/etc/x\", \"type\": \"tmpfs\"}]"'
t_is "it stays inside" "rw,relatime tmpfs" "$(inside /etc/x)"
t_is "nothing on the host" no "$([ -e /etc/x ] && echo yes || echo no)"

REFUSED='[{"destination": "/proc/sys", "type": "tmpfs"}]' refused "a mount in /proc" "leads into /proc"
REFUSED='[{"destination": "/up", "type": "tmpfs"}]' refused "a mount on the root" "leads to the root"
REFUSED='[{"destination": "/x", "type": "proc"}]' refused "another file system" "binds and tmpfs only"
REFUSED='[{"destination": "/x", "type": "bind", "source": "/nowhere-at-all"}]' refused "a source that is missing" "bind /nowhere-at-all at /x: No such"
REFUSED='[{"destination": "/x", "type": "tmpfs", "options": ["frob"]}]' refused "an option that is none" "option frob"
REFUSED='{"mount": []}' refused "a document without mounts" "stdin: mounts: missing"
t_status "removal of a mask" 1 eval 'mounts remove "[{\"destination\": \"/proc/sys\"}]"'
t_match "removal of a mask, in words" "protects the host" "$T_ERR"
ln -s /sys "$bundle/rootfs/data"
ln -s /masked "$bundle/rootfs/way"
for at in /sys/firmware /data/firmware /masked/file /way/file; do
	t_status "removal of the mask of $at" 1 eval 'mounts remove "[{\"destination\": \"$at\"}]"'
	t_match "removal of the mask of $at, in words" "protects the host|is masked or read-only" "$T_ERR"
done
t_is "it is masked still" "" "$(c exec "$id" cat /masked/file)"
t_status "removal of what is no mount" 1 eval 'mounts remove "[{\"destination\": \"/etc\"}]"'
t_match "removal of what is no mount, in words" "nothing is mounted there" "$T_ERR"
t_status "neither add nor remove" 1 c mounts list "$id" -
c kill "$id" KILL
is_stopped() { [ "$(c state "$id" | jq -r .status)" = stopped ]; }
t_wait 60 is_stopped
REFUSED='[]' refused "a container that has stopped" "container not running"
c delete "$id"

# ---- in a user namespace ----

if [ -e /proc/self/ns/user ]; then
	chown -R 100000:100000 "$bundle/rootfs"
	jq '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings' "$T_DIR/config.json" >"$bundle/config.json"
	if c run -d -b "$bundle" "$id" </dev/null >/dev/null 2>"$T_DIR/err"; then
		t_status "in a user namespace: mounts add" 0 eval 'mounts add "$both"'
		t_is "and it is there" hello "$(c exec "$id" cat /new/a/file)"
		c delete -f "$id"
	else
		t_skip "in a user namespace" "$(tail -n 1 "$T_DIR/err")"
	fi
fi

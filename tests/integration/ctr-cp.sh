#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctr cp: both ways, running and not, what lands where; and containers that want to lead it out.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
c_residue >"$T_DIR/before"
says() {
	local name=$1 pattern=$2
	shift 2
	t_status "$name" 1 c cp "$@"
	t_match "$name: sentence" "^ctr: cp: .*$pattern" "$T_ERR"
}
h=$T_DIR/host
mkdir -p "$h/tree/sub" "$h/vol"
echo one >"$h/file"
echo two >"$h/tree/sub/deep"
ln -s sub/deep "$h/tree/link"
chown 7:8 "$h/tree/sub/deep"
chmod 4750 "$h/tree/sub/deep"
touch -d '2020-01-02 03:04:05 UTC' "$h/file"

c create --name off --network none -v "$h/vol:/vol" "$IMAGE" sleep 1000 >/dev/null
c run -d --name on --network none -v "$h/vol:/vol" --tmpfs /tmpfs "$IMAGE" sleep 1000 >/dev/null
for name in on off; do
	rm -rf "$h/vol"/* "$h/back" "$h/got"
	in_it() { if [ "$name" = on ]; then c exec on sh -c "$1"; else c start off >/dev/null; c exec off sh -c "$1"; c stop -t 0 off >/dev/null; fi; }
	t_status "$name: a file under a new name" 0 c cp "$h/file" "$name:/root/new"
	t_status "$name: a file into a folder" 0 c cp "$h/file" "$name:/tmp"
	t_status "$name: a folder into a folder" 0 c cp "$h/tree" "$name:/tmp/"
	t_status "$name: a folder under a new name" 0 c cp "$h/tree" "$name:/tmp/other"
	t_status "$name: a content" 0 c cp "$h/tree/." "$name:/root"
	t_status "$name: with owners" 0 c cp -a "$h/tree" "$name:/root/kept"
	t_status "$name: into a mount" 0 c cp "$h/file" "$name:/vol/put"
	t_is "$name: which is the host's" one "$(cat "$h/vol/put")"
	t_is "$name: what is there" "one one two two two 0:0 750 7:8 4750 sub/deep 1577934245" "$(in_it \
		'echo $(cat /root/new /tmp/file /tmp/tree/sub/deep /tmp/other/link /root/sub/deep) $(stat -c "%u:%g %a" /tmp/tree/sub/deep /root/kept/sub/deep) $(readlink /tmp/tree/link) $(stat -c %Y /root/new)')"
	t_status "$name: back, a file" 0 c cp "$name:/root/new" "$h/back"
	t_is "$name: its bytes" one "$(cat "$h/back")"
	t_status "$name: back, a folder" 0 c cp "$name:root/kept" "$h/got"
	t_is "$name: its bytes and owner" "two 0:0 750" "$(cat "$h/got/sub/deep") $(stat -c '%u:%g %a' "$h/got/sub/deep")"
	rm -rf "$h/got"
	t_status "$name: back, with owners" 0 c cp -a "$name:/root/kept" "$h/got"
	t_is "$name: its owner" "7:8 4750" "$(stat -c '%u:%g %a' "$h/got/sub/deep")"
	t_status "$name: a symlink as it is" 0 c cp "$name:/root/link" "$h/got/aslink"
	t_status "$name: and followed" 0 c cp -L "$name:/root/link" "$h/got/asfile"
	t_is "$name: the two" "sub/deep two" "$(readlink "$h/got/aslink") $(cat "$h/got/asfile")"
	says "$name: no such source" 'open /nope: No such file' "$name:/nope" "$h/x"
	says "$name: no such folder" 'open the folder of /nope/x' "$h/file" "$name:/nope/x"
	says "$name: no such folder, by a slash" 'open folder /nope/' "$h/file" "$name:/nope/"
	says "$name: a folder over a file" 'is there, and is no folder' "$h/tree" "$name:/root/new"
done
mkdir "$h/ro"
echo old >"$h/ro/file"
c create --name ro --network none -v "$h/ro:/ro:ro" "$IMAGE" sleep 1000 >/dev/null
for name in created running ended; do
	[ $name = created ] || c start ro >/dev/null
	[ $name != ended ] || c stop -t 0 ro >/dev/null
	says "a read-only volume, $name" 'Read-only file system' "$h/file" ro:/ro/new
	says "a file in it, $name" 'Read-only file system' "$h/file" ro:/ro/file
	t_status "out of it, $name" 0 c cp ro:/ro/file "$h/got/ro-$name"
	t_is "its bytes, $name" "old old file" "$(cat "$h/got/ro-$name" "$h/ro/file" | xargs) $(ls "$h/ro")"
done
c rm -f ro >/dev/null
t_status "into a tmpfs of a running one" 0 c cp "$h/file" on:/tmpfs
t_is "which it sees" one "$(c exec on cat /tmpfs/file)"
says "neither is a container's" 'neither of' "$h/file" /tmp/x
says "both are" 'each of' on:/a off:/b
says "nobody" 'not found' "$h/file" nobody:/

# ---- a container that leads out ----
mkdir "$h/secret"
echo secret >"$h/secret/key"
c exec on sh -c "ln -s $h/secret /out; ln -s ../../../../../../..$h/secret /up; ln -s /proc/1/root/root /magic; ln -s $h/secret/key /key; mkfifo /pipe /root/fifo; mknod /root/null c 1 3"
for link in /out /up; do
	t_status "into $link" 1 c cp "$h/file" "on:$link/in"
	t_status "out of $link" 1 c cp "on:$link/key" "$h/stolen"
done
t_status "through procfs" 1 c cp "$h/file" on:/magic/in
t_status "a symlink to a file of the host, followed" 1 c cp -L on:/key "$h/stolen"
t_status "over a symlink: it is replaced" 0 c cp "$h/file" on:/key
t_is "and not followed" "secret one" "$(cat "$h/secret/key") $(c exec on cat /key)"
t_status "a FIFO is not opened" 0 timeout 60 ctr --root "$C_ROOT" --runroot "$C_RUN" cp on:/pipe "$h/pipe"
t_status "nor devices" 0 c cp -a on:/root "$h/all"
t_is "and none is made" "" "$(find "$h/all" "$h/pipe" -not -type f -not -type d -not -type l 2>/dev/null)"
t_is "nothing came in or out" "key" "$(ls "$h/secret"; [ ! -e "$h/stolen" ] || echo stolen)"

# ---- races: folders, files and symlinks change places while it copies ----
c exec -d on sh -c "mkdir -p /race/real/a/b; echo x >/race/real/a/b/f; cd /race
	while :; do ln -sfn $h/secret real2; mv real/a moved 2>/dev/null; ln -s $h/secret real/a; rm real/a; mv moved real/a 2>/dev/null
	mv real/a/b/f real/a/b/g; ln -s $h/secret/key real/a/b/f; rm real/a/b/f; mv real/a/b/g real/a/b/f; done"
rounds=25
[ -z "${CELLAR_TEST_FULL:-}" ] || rounds=2000
mkdir -p "$h/inject/a/b"
echo evil >"$h/inject/a/b/f"
echo evil >"$h/inject/a/key"
for ((i = 0; i < rounds; i++)); do
	c cp "$h/inject/." on:/race/real >/dev/null 2>&1
	c cp on:/race/real "$h/loot$i" >/dev/null 2>&1
	c cp -L on:/race/real/a/b/f "$h/loot$i.f" >/dev/null 2>&1
done
t_is "the host's files are as they were, after $rounds rounds" "secret key" "$(cat "$h/secret/key") $(ls "$h/secret")"
t_is "and were not read" "" "$(grep -rl secret "$h"/loot* 2>/dev/null | head -n 1)"
c rm -f on off >/dev/null
c_nothing_left "$T_DIR/before"

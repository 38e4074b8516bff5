#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Volumes and mounts of `ctr run`, and `ctr volume`.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/image.sh"
c_setup

# in_run NAME STATUS OUTPUT ARGS...
in_run() {
	local name=$1 want=$2 out=$3
	shift 3
	t_status "$name: status" "$want" c run --rm "$@"
	t_is "$name" "$out" "$T_OUT"
}
# says NAME STATUS PATTERN COMMAND...: one sentence
says() {
	local name=$1 status=$2 pattern=$3
	shift 3
	t_status "$name: status" "$status" c "$@"
	t_match "$name" "$pattern" "$T_ERR"
	[ "$(wc -l <<<"$T_ERR")" = 1 ] || t_fail "$name: one sentence" "$T_ERR"
}
V=$C_ROOT/volumes
data() { echo "$V/$1/data"; }
# What a tree is: kinds, modes, owners, sizes, times, links, attributes.
shape() {
	(cd "$1" && find . -printf '%p %y %m %U %G %T@ %l %n ' \( -type f -printf '%s\n' -o -printf '\n' \) | sort)
	(cd "$1" && getfattr -R -h -d -m '^(user|security.capability|trusted.t|system)' . 2>/dev/null)
}

# An image with every kind of file, and two VOLUMEs.
F=$T_DIR/folder
mkdir -p "$F/data/sub/deep" "$F/data/shut" "$F/var" "$F/empty"
ln -s ../data "$F/var/data"
ln -s /nowhere/at/all "$F/dangling"
ln -s /../../../../../../../data "$F/out"
echo text >"$F/data/file"
ln "$F/data/file" "$F/data/sub/hard"
ln -s /etc/passwd "$F/data/sub/link"
printf '#!/bin/sh\n' >"$F/data/suid"
chown 7:8 "$F/data/suid"
chmod 6755 "$F/data/suid"
mkfifo "$F/data/fifo"
mknod "$F/data/null" c 1 3
truncate -s 8M "$F/data/sparse"
setfattr -n user.word -v value "$F/data/file" 2>/dev/null
setfattr -n security.capability -v 0sAQAAAgAgAAAAAAAAAAAAAAAAAAA= "$F/data/sub/deep" 2>/dev/null
chmod 700 "$F/data/shut"
chown 1000:1001 "$F/data" "$F/data/sub"
chmod 2750 "$F/data"
touch -h -d @1600000000.5 "$F/data/sub/link" "$F/data/suid" "$F/data/sub/deep" "$F/data/sub" "$F/data"
BASE=1 t_image_of localhost/vols:latest "$T_DIR/image" "$F" '{"Cmd": ["sh"], "Volumes": {"/data": {}, "/var/../anon/": {}}}'
c image import "$T_DIR/image" >/dev/null || t_skip_all "the image cannot be imported"
VOLS=localhost/vols:latest

# ---- contents ----
in_run "an image's VOLUME begins with the image's content" 0 "text" "$VOLS" cat /data/file
t_is "and goes with --rm" "" "$(c volume ls -q)"
c run --rm -v full:/data "$VOLS" true
t_is "copied up: everything as it was" "$(shape "$F/data")" "$(shape "$(data full)")"
t_is "a hole stays a hole" yes "$([ "$(stat -c %b "$(data full)/sparse")" -lt 2048 ] && echo yes)"
in_run "written and kept" 0 "" -v full:/x "$VOLS" sh -c 'rm /x/file; echo mine >/x/new'
in_run "one that is not empty gets nothing" 0 "mine" -v full:/data "$VOLS" sh -c 'cat /data/new; [ ! -e /data/file ]'
in_run "nocopy" 0 "0 755 0" -v bare:/data:nocopy "$VOLS" sh -c 'echo $(ls /data | wc -l) $(stat -c "%a %u" /data)'
in_run "an empty one is filled at the next use" 0 "text" -v bare:/data "$VOLS" cat /data/file
in_run "through a symlink of the image" 0 "text" -v viasym:/var/data "$VOLS" cat /var/data/file
in_run "a symlink that leads out stays inside" 0 "text" -v out:/out "$VOLS" cat /data/file
in_run "a symlink to nowhere" 0 "0" -v dangling:/dangling "$VOLS" sh -c 'ls /dangling | wc -l'
in_run "what the image has not" 0 "0" -v none:/not/there "$VOLS" sh -c 'ls /not/there | wc -l'
in_run "an empty folder gives its owner" 0 "" -v e:/empty "$VOLS" true
says "a file is no place for a volume" 125 '/etc/passwd is a file in the image' run --rm -v f:/etc/passwd "$VOLS" true
t_is "nothing half made is left" "" "$(find "$V" -name copy -o -name ready)"
in_run "read-only volume" 1 "text" -v ro:/data:ro "$VOLS" sh -c 'cat /data/file; touch /data/x'

# ---- the verbs ----
t_is "create prints the name" one "$(c volume create --label of=shop one)"
t_is "create again" one "$(c volume create one)"
t_is "labels" of=shop "$(c volume inspect one | jq -r '.[0].labels[0]')"
t_is "path" "$(data one)" "$(c volume inspect one | jq -r '.[0].path')"
made=$(c volume create)
t_match "a name is made up" '^[0-9a-f]{64}$' "$made"
c run -d --name user -v one:/one -v /anon "$VOLS" sleep 1000 >/dev/null
t_is "ls counts users" "1 no" "$(c volume ls | awk '$1 == "one" { print $(NF-1), $NF }')"
t_is "inspect tells the user" "$(c inspect user | jq -r '.[0].id')" "$(c volume inspect one | jq -r '.[0].users[0]')"
t_is "inspect of the container tells its mounts" "/anon /data /one" \
	"$(c inspect user | jq -r '.[0].mounts[] | .target' | sort | xargs)"
says "one in use stays, and the container is named" 1 '"one" is used by container user' volume rm one
c stop -t 0 user >/dev/null
says "also when that is stopped" 1 '"one" is used by container user' volume rm one
anon=$(c inspect user | jq -r '.[0].mounts[] | select(.anonymous) | .source' | sort)
t_is "prune takes what nobody uses" "$made" "$(c volume prune)"
c rm user >/dev/null
t_is "rm leaves anonymous volumes" "$anon" "$(c volume ls -q | grep -E '^[0-9a-f]{64}$' | sort)"
t_is "prune takes them then" "$anon" "$(c volume prune | sort)"
c run -d --name user -v one:/one "$VOLS" sleep 1000 >/dev/null
c rm -f -v user >/dev/null
t_is "rm -v removes them, and no named one" "one" "$(c volume ls -q | grep -E '^[0-9a-f]{64}$|^one$')"
t_is "rm" one "$(c volume rm one)"
says "rm of none" 1 '"one": not found' volume rm one
t_status "rm -f of none" 0 c volume rm -f one
says "a bad name" 1 'no name of a volume' volume create a/b
says "inspect of none" 1 '"one": not found' volume inspect one
says "no such verb" 1 'create, ls, inspect, rm and prune' volume bogus
t_is "prune -a" "$(c volume ls -q)" "$(c volume prune -a)"
t_is "nothing is left" "" "$(c volume ls -q)$(find "$V" -mindepth 1 ! -path "$V/.tmp")"

# ---- taken from another container ----
c run -d --name giver -v shared:/s -v "$F:/host:ro" "$VOLS" sleep 1000 >/dev/null
in_run "--volumes-from" 0 "text" --volumes-from giver "$IMAGE" sh -c 'cat /host/data/file; echo x >/s/new; [ -e /data/file ]'
in_run "--volumes-from, read-only" 1 "x" --volumes-from giver:ro "$IMAGE" sh -c 'cat /s/new; touch /s/y'
says "--volumes-from of none" 125 'volumes-from: container "nobody": not found' run --volumes-from nobody "$IMAGE"
says "--volumes-from with a strange mode" 125 'ro or rw' run --volumes-from giver:x "$IMAGE"
c run -d --name taker --volumes-from giver "$IMAGE" sleep 1000 >/dev/null
c rm -f -v giver >/dev/null
t_status "a volume that another took over stays" 0 c exec taker test -e /data/file
c rm -f taker >/dev/null
c volume prune -a >/dev/null

# ---- paths of the host ----
mkdir "$T_DIR/b"
echo host >"$T_DIR/b/f"
(cd "$T_DIR" && c run --rm -v ./b:/b "$IMAGE" cat /b/f) >"$T_DIR/rel" 2>&1
t_is "a path from here" host "$(cat "$T_DIR/rel")"
in_run "a file" 0 "host" -v "$T_DIR/b/f:/etc/one" "$IMAGE" cat /etc/one
in_run "a missing path becomes a folder" 0 "" -v "$T_DIR/made/here:/m" "$IMAGE" true
t_is "which is there" 755 "$(stat -c %a "$T_DIR/made/here")"
mkdir -p "$T_DIR/b/below"
mount -t tmpfs none "$T_DIR/b/below"
t_defer "umount '$T_DIR/b/below'"
in_run "what is mounted below comes along" 0 "" -v "$T_DIR/b:/b" "$IMAGE" touch /b/below/x
in_run "read-only goes all the way down" 1 "" -v "$T_DIR/b:/b:ro" "$IMAGE" touch /b/below/y


# ---- propagation ----
mount --rbind "$T_DIR/b" "$T_DIR/b" && mount --make-shared "$T_DIR/b"
t_defer "umount -R '$T_DIR/b'"
c run -d --name slave -v "$T_DIR/b:/b:rslave" "$IMAGE" sleep 1000 >/dev/null
c run -d --name alone -v "$T_DIR/b:/b" "$IMAGE" sleep 1000 >/dev/null
c run -d --name peer --privileged -v "$T_DIR/b:/b:rshared" "$IMAGE" sleep 1000 >/dev/null
mkdir "$T_DIR/b/late" "$T_DIR/b/inside"
mount -t tmpfs none "$T_DIR/b/late" && touch "$T_DIR/b/late/f"
seen() { for n in slave alone peer; do c exec "$n" test -e "/b/$1" && echo "$n"; done | xargs; }
t_is "a slave sees what the host mounts later, a private one does not" "slave peer" "$(seen late/f)"
c exec peer sh -c 'mount -t tmpfs none /b/inside && touch /b/inside/f'
t_is "what a peer mounts the host sees, and slaves" "slave peer here" \
	"$(seen inside/f) $([ -e "$T_DIR/b/inside/f" ] && echo here)"
c rm -f slave alone peer >/dev/null
t_is "and it stays the host's" here "$([ -e "$T_DIR/b/inside/f" ] && echo here)"
mkdir "$T_DIR/p" && mount -t tmpfs none "$T_DIR/p" && mount --make-private "$T_DIR/p"
t_defer "umount '$T_DIR/p'"
says "shared on a private mount" 125 'lie on a shared mount' run -v "$T_DIR/p:/p:rshared" "$IMAGE"
says "slave on a private mount" 125 'shared mount or a slave' run -v "$T_DIR/p:/p:slave" "$IMAGE"

# ---- the same in words ----
in_run "--mount bind" 0 "host" --mount "type=bind,source=$T_DIR/b,target=/b" "$IMAGE" sh -c 'cat /b/f; touch /b/below/z'
in_run "--mount bind, read-only" 1 "" --mount "type=bind,src=$T_DIR/b,dst=/b,readonly" "$IMAGE" touch /b/below/z
in_run "--mount bind, writable below" 0 "" --mount "type=bind,src=$T_DIR/b,dst=/b,ro,bind-recursive=writable" "$IMAGE" \
	sh -c 'touch /b/below/z; ! touch /b/z 2>/dev/null'
in_run "--mount bind, nothing below" 0 "0" --mount "type=bind,src=$T_DIR/b,dst=/b,bind-recursive=disabled" "$IMAGE" \
	sh -c 'ls /b/below | wc -l'
mkdir "$T_DIR/a,b"
in_run "--mount with a comma in the path" 0 "" --mount "type=bind,\"source=$T_DIR/a,b\",target=/ab" "$IMAGE" touch /ab/x
t_is "which was that path" x "$(ls "$T_DIR/a,b")"
in_run "--mount volume" 0 "text" --mount source=words,target=/data,volume-label=k=v "$VOLS" cat /data/file
t_is "with its label" k=v "$(c volume inspect words | jq -r '.[0].labels[0]')"
in_run "--mount volume, empty" 0 "0" --mount source=words2,target=/data,volume-nocopy "$VOLS" sh -c 'ls /data | wc -l'
in_run "--mount tmpfs" 0 "1024 700" --mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=700 "$IMAGE" \
	sh -c 'echo $(df -k /t | awk "END {print \$2}") $(stat -c %a /t)'
in_run "--mount tmpfs, read-only" 1 "" --mount type=tmpfs,target=/t,readonly "$IMAGE" touch /t/x
in_run "nested targets, the inner one first" 0 "host text" -v "$T_DIR/b/f:/data/sub/f" -v nest:/data "$VOLS" \
	sh -c 'echo $(cat /data/sub/f) $(cat /data/file)'
says "--mount of what is not there" 125 'there is nothing of that name' run --mount "type=bind,source=$T_DIR/none,target=/x" "$IMAGE"
t_is "which is not made" "" "$(ls -d "$T_DIR/none" 2>/dev/null)"
says "--mount without a target" 125 'add target=/path' run --mount type=bind,source=/tmp "$IMAGE"
says "--mount of an unknown type" 125 'one of bind, volume and tmpfs' run --mount type=npipe,target=/x "$IMAGE"
says "--mount with an unknown key" 125 'no key "sorce"' run --mount sorce=a,target=/x "$IMAGE"
says "--mount with the wrong type's key" 125 'tmpfs-size is for type=tmpfs' run --mount target=/x,tmpfs-size=1m "$IMAGE"
says "--mount twice the same key" 125 'target is given twice' run --mount target=/x,dst=/y "$IMAGE"
says "--mount with an open quote" 125 'not closed' run --mount '"target=/x' "$IMAGE"
says "two at one place" 125 'two mounts are to be at /x' run --mount target=/x -v /tmp:/x/ "$IMAGE"
c volume prune -a >/dev/null

# ---- wrong ones ----
says "no target" 125 'is not a volume' run -v x: "$IMAGE"
says "no path, no name" 125 'neither a path nor the name' run -v 'a b:/x' "$IMAGE"
says "unknown option" 125 '"zz" is unknown' run -v a:/x:zz "$IMAGE"
says "ro and rw" 125 'cannot be ro and rw' run -v a:/x:ro,rw "$IMAGE"
says "nocopy of a path" 125 'nocopy is for volumes' run -v /a:/x:nocopy "$IMAGE"
says "propagation of a volume" 125 'rshared is for paths' run -v a:/x:rshared "$IMAGE"
says "on /" 125 "on the container's /" run -v a:/x/.. "$IMAGE"
t_is "and no volume was made" "" "$(c volume ls -q)"

# ---- at once, and killed ----
mkdir -p "$T_DIR/big/data"
for i in $(seq 200); do head -c 20000 /dev/urandom >"$T_DIR/big/data/$i"; done
BASE=1 t_image_of localhost/big:latest "$T_DIR/image" "$T_DIR/big" '{"Cmd": ["sh"]}'
c image import "$T_DIR/image" >/dev/null
BIG=localhost/big:latest
want=$(cd "$T_DIR/big/data" && cat $(seq 200) | sha256sum)
pids=()
for i in $(seq 10); do
	c run --rm -v once:/data "$BIG" sh -c 'cd /data && cat $(seq 200) | sha256sum' >"$T_DIR/once.$i" 2>&1 &
	pids+=($!)
done
wait "${pids[@]}"
t_is "ten that begin at once see it whole" "10 $want" "$(sort "$T_DIR"/once.* | uniq -c | awk '{ $1 = $1 } 1' | sed 's/  */ /g' | sed "s/ -$/  -/")"
bad=0
for i in $(seq 10); do
	c run --rm -v "killed$i:/data" "$BIG" true >/dev/null 2>&1 &
	pid=$!
	sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
	kill -9 $pid
	wait $pid 2>/dev/null
	got=$(c run --rm -v "killed$i:/data" "$BIG" sh -c 'cd /data && cat $(seq 200) | sha256sum' 2>&1)
	[ "$got" = "$want" ] || { bad=$((bad + 1)); echo "$got"; }
done
t_is "after kill -9 in the middle the next use is whole" 0 $bad
c_clean >/dev/null 2>&1
t_is "and nothing half made is left" "" "$(find "$V" -name copy -o -name ready)"
t_is "all can be removed" "$(c volume ls -q)" "$(c volume prune -a)"

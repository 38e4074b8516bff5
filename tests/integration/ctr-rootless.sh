#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctr by a user who is not root: images, containers, volumes in his own folders, in a user namespace
# with the ids of /etc/subuid; what takes root is refused in words.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$(dirname "$0")/../lib/rootless.sh"

cp "$CELLAR_BIN"/* "$T_DIR/bin/"
cp -a "$(t_image)" "$T_DIR/home/image"
chown -R $user:$user "$T_DIR/home/image"
# t_processes knows our shims by it.
x() { u "CELLAR_TEST_OWNER=$T_DIR" ctr "$@"; }
run() { x run --network none "$@"; }
store=$T_DIR/home/.local/share/cellar
gone() { ! pgrep -u $user -r R,S,D,T >/dev/null; }

t_status "import" 0 x image import "$T_DIR/home/image"
t_match "images" "localhost/bb" "$(x image ls)"
t_is "the store is the user's" "700 $user" "$(stat -c '%a %u' "$store")"
t_status "exit status" 42 run --rm bb sh -c 'echo out; exit 42'
t_is "output" out "$T_OUT"
t_is "stdin" hello "$(echo hello | run --rm -i bb cat)"
t_is "root inside is the user, others are of the range" "0 $user 1 1 700000 65536" "$(run --rm bb cat /proc/self/uid_map | xargs)"
t_is "the layers are what they are to root" "new 1000" "$(run --rm bb sh -c 'ls -A /opt; touch /tmp/x; chown 1000 /tmp/x; stat -c %u /tmp/x' | xargs)"
t_is "a folder of the image is replaced" "0" "$(run --rm bb sh -c 'rm -rf /opt && mkdir /opt && ls -A /opt | wc -l')"
t_is "another user" "1000 1000" "$(run --rm -u user bb sh -c 'id -u; id -g' | xargs)"
t_is "without a network: the loopback" "lo" "$(run --rm bb ls /sys/class/net)"
t_is "the host's network" "$(readlink /proc/self/ns/net)" "$(x run --rm --network host bb readlink /proc/self/ns/net)"
t_is "a volume" kept "$(run --rm -v vol:/data bb sh -c 'echo kept >/data/x' && run --rm -v vol:/data bb cat /data/x)"
echo "from outside" >"$T_DIR/home/file"
t_is "a path of the host" "from outside no" "$(run --rm -v "$T_DIR/home:/mnt" bb sh -c 'cat /mnt/file; cat /mnt/b/rootfs/secret 2>/dev/null || echo no' | xargs)"
t_status "detached" 0 run -d --name web bb sh -c 'echo up; while :; do sleep 0.1; done'
up() { [ "$(x logs web)" = up ]; }
t_wait 60 up && t_ok "logs" || t_fail "logs" "$(x logs web)"
t_match "ps" "Up .*web" "$(x ps)"
t_status "exec: exit status" 5 x exec web sh -c 'id -u; exit 5'
t_match "top" "sleep|sh -c" "$(x top web)"
t_status "restart" 0 x restart -t 1 web
t_status "stop" 0 x stop -t 1 web
t_status "remove by force" 0 x rm -f web
t_status "the bridge takes root" 125 x run --rm bb true
t_match "the bridge takes root, in words" "--network host or --network none" "$T_ERR"
t_status "a limit takes a cgroup" 125 run --rm -m 64m bb true
t_match "a limit takes a cgroup, in words" "have one delegated" "$T_ERR"
run -d --name other bb sleep 1000 >/dev/null
t_status "namespaces of another command's are out of reach" 125 run --rm --pid container:other bb true
x rm -f other >/dev/null
t_status "no HOME" 125 u env -u HOME ctr run --rm --network none bb true
t_match "no HOME, in words" "HOME is not set" "$T_ERR"
t_status "help takes nothing" 0 u env -u HOME -u XDG_RUNTIME_DIR ctr run --help
mount --bind /dev/null "$(command -v newuidmap)"
t_status "without newuidmap: root alone" 0 run --rm bb cat /proc/self/uid_map
t_is "without newuidmap: one id" "0 $user 1" "$(xargs <<<"$T_OUT")"
t_match "without newuidmap, in words" "package uidmap" "$T_ERR"
umount "$(command -v newuidmap)"
t_is "no container is left" "" "$(x ps -aq)"
t_wait 60 gone && t_ok "no process is left" || t_fail "no process is left" "$(ps -fu $user)"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Podman as a normal user: it runs our runtime as root of its own user namespace.
CLIENT_PROGRAMS=(/usr/bin/podman /usr/bin/conmon /usr/bin/catatonit /usr/bin/newuidmap /usr/bin/newgidmap)
. "$(dirname "$0")/lib.sh"
clients_enter "$@"
[ "$(cat /proc/sys/user/max_user_namespaces)" -gt 0 ] || t_skip_all "no user namespaces on this host"

# A user of this script's own copy of /etc.
user=61235 image=localhost/bb:latest base=$T_DIR/user
mkdir -p "$base"/{home,run,bin,etc,shared}
cp -a /etc/. "$base/etc"
echo "bob-$T_ID:x:$user:$user::$base/home:/bin/sh" >>"$base/etc/passwd"
echo "bob-$T_ID:x:$user:" >>"$base/etc/group"
echo "bob-$T_ID:800000:65536" | tee "$base/etc/subuid" >"$base/etc/subgid"
mount --bind "$base/etc" /etc
cp "$RUNTIME" "$base/bin/"
cp -a "$(t_image)" "$base/home/image"
echo "from outside" >"$base/shared/file"
printf '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]\n' >"$base/containers.conf"
echo "root's" >"$base/shared/secret"
chown -R $user:$user "$base"/{home,run,shared}
chown 0:0 "$base/shared/secret" && chmod 600 "$base/shared/secret"
chmod 700 "$base/run"
name=${RUNTIME##*/}
cd "$base/home" || exit 1

podman=(setpriv --reuid "$user" --regid "$user" --clear-groups -- env -i "PATH=/usr/bin:/bin:/usr/sbin:/sbin" "HOME=$base/home"
	"XDG_RUNTIME_DIR=$base/run" "CONTAINERS_CONF=$base/containers.conf" TERM=xterm
	/usr/bin/podman --root "$base/home/root" --runroot "$base/run/root" --tmpdir "$base/run/tmp" --cgroup-manager cgroupfs
	--events-backend file --storage-driver vfs --runtime "$base/bin/$name")
p() { timeout -k 5 "$CLIENT_TIMEOUT" "${podman[@]}" "$@" 2> >(grep -v -e 'cgroupv2 manager' -e 'using cgroupfs' >&2); }
run() { p run --network none "$@"; }
# By a relative path: capitals above would not be taken.
p pull -q "oci:image:$image" >/dev/null 2>"$T_DIR/pull.err" ||
	t_skip_all "the image cannot be taken: $(tail -n 1 "$T_DIR/pull.err")"
p image exists $image || p tag "$(p images -q | head -n 1)" $image
# What it writes, by the log: the terminal of Podman may come too late for what ends at once (seen with
# our runtime on a loaded machine; with runc not tried often enough to tell whose fault that is).
says() {
	local id
	id=$(run -d "$@") && p wait "$id" >/dev/null && p logs "$id" | xargs
	p rm -f "$id" >/dev/null
}
is() { [ "$(p inspect -f "{{.State.$2}}" "$1")" = "$3" ]; }

t_is "podman is rootless, with our runtime" "true $base/bin/$name" "$(p info -f '{{.Host.Security.Rootless}} {{.Host.OCIRuntime.Path}}')"
t_status "exit status" 42 run --rm $image sh -c 'echo out; echo err >&2; sleep 2; exit 42'
t_is "stdout" out "$T_OUT"
t_match "stderr" "err" "$T_ERR"
t_is "stdin" "hello end" "$(echo hello | run --rm -i $image sh -c 'cat; echo end; sleep 2' | xargs)"
t_is "root inside is the user outside" "0 $user" "$(says -v "$base/shared:/mnt" $image sh -c 'id -u; touch /mnt/made') $(stat -c %u "$base/shared/made")"
t_is "ids of the range" "1000 800999" "$(says -u 0 -v "$base/shared:/mnt" $image sh -c 'touch /mnt/his; chown 1000 /mnt/his; stat -c %u /mnt/his') $(stat -c %u "$base/shared/his")"
t_is "no more than the user may read" "no" "$(says -v "$base/shared:/mnt" $image sh -c 'cat /mnt/secret 2>/dev/null || echo no')"
t_is "user, groups, folder" "/tmp 7 29 1000 1000" "$(says -u user --group-add 7 -w /tmp $image sh -c 'pwd; (id -u; id -G) | xargs -n1 | sort -n' | xargs)"
t_status "a missing program" 127 run --rm $image nonesuch
t_status "a file that is no program" 126 run --rm $image /etc/passwd
t_match "terminal" "/dev/(pts/0|console)" "$(on_terminal "${podman[@]}" run --network none --rm -it $image sh -c \
	'for i in $(seq 300); do [ "$(stty size)" = "33 77" ] && break; sleep 0.2; done; tty; sleep 0.5')"
t_is "bind mount, read-only" "from outside ro" "$(says -v "$base/shared:/mnt:ro" $image sh -c 'cat /mnt/file; touch /mnt/x 2>/dev/null || echo ro' | xargs)"
t_is "volume" kept "$(run --rm -v vol:/data $image sh -c 'echo kept >/data/x' && says -v vol:/data $image cat /data/x)"
t_status "read-only root" 1 run --rm --read-only $image touch /x
t_is "keep-id: the user's own number" "$user" "$(says --userns keep-id $image id -u)"
t_is "host's network namespace: /sys is bound" "$(readlink /proc/self/ns/net) ro" "$(p run --rm --network host $image sh -c 'readlink /proc/self/ns/net; touch /sys/x 2>/dev/null || echo ro; sleep 2' | xargs)"
t_is "seccomp and no_new_privs" "1 2" "$(says --security-opt no-new-privileges $image awk '/^Seccomp:|^NoNewPrivs:/ {print $2}' /proc/self/status)"
t_status "detached" 0 run -d --name web $image sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done'
up() { [ "$(p logs web)" = up ]; }
t_wait 60 up && t_ok "logs" || t_fail "logs" "$(p logs web)"
t_status "exec: exit status" 5 p exec web sh -c 'id -u; exit 5'
t_is "exec: user" 1000 "$(p exec -u user web id -u)"
t_match "exec: terminal" "/dev/" "$(on_terminal "${podman[@]}" exec -it web sh -c \
	'for i in $(seq 300); do [ "$(stty size)" = "33 77" ] && break; sleep 0.2; done; tty; sleep 0.5')"
t_match "top" "sleep|sh -c" "$(p top web)"
t_status "kill with a signal" 0 p kill -s TERM web
t_wait 60 is web ExitCode 3 && t_ok "its own exit status" || t_fail "its own exit status" "$(p inspect -f '{{json .State}}' web)"
t_status "start again" 0 p start web
t_status "stop" 0 p stop -t 5 web
t_status "remove" 0 p rm web
t_is "nothing is left" "" "$(p ps -aq; ls "$base/run/cellar" 2>/dev/null)"

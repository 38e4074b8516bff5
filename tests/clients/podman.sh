#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Podman and conmon with our runtime.
CLIENT_PROGRAMS=(/usr/bin/podman /usr/bin/conmon /usr/bin/catatonit)
. "$(dirname "$0")/lib.sh"
clients_enter "$@"

image=localhost/bb:latest name=${RUNTIME##*/}
base=$T_DIR/podman
mkdir -m 711 "$base"
# Without CAP_SYS_RESOURCE podman's own limits are more than may be given.
printf '[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]\n' >"$base/containers.conf"
export CONTAINERS_CONF=$base/containers.conf
podman=(/usr/bin/podman --root "$base/root" --runroot "$base/run" --tmpdir "$base/tmp" --cgroup-manager cgroupfs
	--events-backend file --storage-driver overlay --runtime "$RUNTIME")
p() { timeout -k 5 "$CLIENT_TIMEOUT" "${podman[@]}" "$@"; }
with=(--network none --cgroup-parent "/$T_ID")
run() { p run "${with[@]}" "$@"; }
p pull -q "oci:$(t_image):$image" >/dev/null 2>"$T_DIR/pull.err" ||
	t_skip_all "the image cannot be taken: $(tail -n 1 "$T_DIR/pull.err")"
p image exists $image || p tag "$(p images -q | head -n 1)" $image
mkdir "$T_DIR/shared"
echo "from outside" >"$T_DIR/shared/file"
is() { [ "$(p inspect -f "{{.State.$2}}" "$1")" = "$3" ]; }
# becomes NAME ID FIELD VALUE
becomes() {
	if t_wait 60 is "$2" "$3" "$4"; then t_ok "$1"; else t_fail "$1" "$(p inspect -f '{{json .State}}' "$2")"; fi
}

t_is "podman knows the runtime" "$RUNTIME" "$(p info -f '{{.Host.OCIRuntime.Path}}')"
t_match "podman reads its version" "$("$RUNTIME" --version | sed -n '1s/.*version //p' | sed 's/+.*//')" "$(p info -f '{{.Host.OCIRuntime.Version}}')"
t_status "exit status" 42 run --rm $image sh -c 'echo out; echo err >&2; exit 42'
t_is "stdout" out "$T_OUT"
t_is "stderr" err "$T_ERR"
t_is "stdin" "hello end" "$(echo hello | run --rm -i $image sh -c 'cat; echo end' | xargs)"
t_is "environment" v "$(run --rm -e A=v $image sh -c 'echo $A')"
t_is "user, groups, folder" "/tmp 7 29 1000 1000" "$(run --rm -u user --group-add 7 -w /tmp $image sh -c 'pwd; (id -u; id -G) | xargs -n1 | sort -n' | xargs)"
t_is "host name" box "$(run --rm -h box $image hostname)"
t_status "a missing program" 127 run --rm $image nonesuch
t_match "a missing program, in words" 'executable file .*not found in \$PATH' "$T_ERR"
t_status "a missing path" 127 run --rm $image /nonesuch
t_match "a missing path, in words" '[Nn]o such file or directory' "$T_ERR"
t_status "a file that is no program" 126 run --rm $image /etc/passwd
t_match "a file that is no program, in words" '[Pp]ermission denied' "$T_ERR"
t_match "terminal: its name and size" "/dev/(pts/0|console)
33 77" "$(on_terminal "${podman[@]}" run "${with[@]}" --rm -it $image sh -c \
	'tty; for i in $(seq 300); do [ "$(stty size)" = "33 77" ] && break; sleep 0.2; done; stty size')"
t_is "bind mount" "from outside ro" "$(run --rm -v "$T_DIR/shared:/mnt:ro" $image sh -c \
	'cat /mnt/file; touch /mnt/x 2>/dev/null || echo ro' | xargs)"
t_is "volume" kept "$(run --rm -v vol:/data $image sh -c 'echo kept >/data/x' && run --rm -v vol:/data $image cat /data/x)"
t_is "tmpfs" "tmpfs 1024" "$(run --rm --tmpfs /data:size=1m $image df -k /data | awk 'NR == 2 {print $1, $2}')"
t_status "read-only root" 1 run --rm --read-only $image touch /x
t_is "read-only root: /tmp" 0 "$(run --rm --read-only $image touch /tmp/x; echo $?)"
t_is "shared memory" "2048" "$(run --rm --shm-size 2m $image df -k /dev/shm | awk 'NR == 2 {print $2}')"
t_is "capabilities dropped" 0000000000000000 "$(run --rm --cap-drop ALL $image awk '/CapEff/ {print $2}' /proc/self/status)"
t_is "capability added" 0000000002000000 "$(run --rm --cap-drop ALL --cap-add SYS_TIME $image awk '/CapEff/ {print $2}' /proc/self/status)"
t_is "seccomp: podman's profile" "2 no" "$(run --rm $image sh -c 'awk "/^Seccomp:/ {print \$2}" /proc/self/status; unshare -m true 2>/dev/null && echo yes || echo no' | xargs)"
t_is "seccomp: unconfined" 0 "$(run --rm --security-opt seccomp=unconfined $image awk '/^Seccomp:/ {print $2}' /proc/self/status)"
t_is "no_new_privs" 1 "$(run --rm --security-opt no-new-privileges $image awk '/NoNewPrivs/ {print $2}' /proc/self/status)"
t_is "sysctl" 1 "$(run --rm --sysctl net.ipv4.ip_forward=1 $image cat /proc/sys/net/ipv4/ip_forward)"
t_is "resource limit" "50" "$(run --rm --ulimit nofile=50:60 --ulimit nproc=4096:4096 $image sh -c 'ulimit -n')"
t_is "umask" 0077 "$(run --rm --umask 0077 $image sh -c umask)"
t_is "a device" "character special file 0:1:3" "$(run --rm --device /dev/null:/dev/nothing $image stat -c '%F 0:%t:%T' /dev/nothing)"
t_is "user namespace" "0 100000 65536 0" "$(run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 $image sh -c 'cat /proc/self/uid_map; stat -c %u /opt/new' | xargs)"
t_is "preserved descriptor" "from outside" "$(p run "${with[@]}" --rm --preserve-fds 1 $image cat /proc/self/fd/3 3<"$T_DIR/shared/file")"
t_match "podman's own files" "localhost" "$(run --rm $image cat /etc/hosts)"
t_is "init" podman-init "$(run --rm --init $image cat /proc/1/comm)"

# ---- limits ----

cg() { # CONTAINER FILE_V1 FILE_V2
	p exec "$1" sh -c "cat /sys/fs/cgroup/$2 2>/dev/null || cat /sys/fs/cgroup/$3"
}
weight=512
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || weight=59
t_status "OOM kill" 137 run --name oom -m 12m $image sh -c 'exec tail /dev/zero'
p rm oom >/dev/null
t_match "pids limit" "can't fork|Resource temporarily" "$(run --rm --pids-limit 5 $image sh -c \
	'for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; kill $(jobs -p)' 2>&1)"
run -d --name web -m 64m --memory-swap 64m --cpus 0.5 --pids-limit 100 --health-cmd 'test -e /tmp/well' --health-interval disable $image \
	sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
t_is "memory limit" 67108864 "$(cg web memory/memory.limit_in_bytes memory.max)"
t_match "cpu limit" "^50000" "$(cg web cpu/cpu.cfs_quota_us cpu.max)"
t_is "processes limit" 100 "$(cg web pids/pids.max pids.max)"
t_is "cpu shares and cpus" "0 $weight" "$(run --rm --cpu-shares 512 --cpuset-cpus 0 $image sh -c \
	'cat /sys/fs/cgroup/cpuset/cpuset.cpus /sys/fs/cgroup/cpu/cpu.shares 2>/dev/null || cat /sys/fs/cgroup/cpuset.cpus /sys/fs/cgroup/cpu.weight' | xargs)"
if p update --help >/dev/null 2>&1; then
	t_status "update" 0 p update --cpus 0.7 -m 96m --memory-swap 96m web
	t_match "update: cpu limit" "^70000" "$(cg web cpu/cpu.cfs_quota_us cpu.max)"
	t_is "update: memory limit" 100663296 "$(cg web memory/memory.limit_in_bytes memory.max)"
fi

# ---- a life ----

t_wait 60 eval '[ -n "$(p logs web)" ]'
t_is "logs" up "$(p logs web)"
t_status "exec: exit status" 5 p exec web sh -c 'echo in; exit 5'
t_is "exec: output" in "$T_OUT"
t_is "exec: stdin" "there end" "$(echo there | p exec -i web sh -c 'cat; echo end' | xargs)"
t_is "exec: user, folder, environment" "1000 /tmp v" "$(p exec -u user -w /tmp -e A=v web sh -c 'id -u; pwd; echo $A' | xargs)"
t_match "exec: terminal and its size" "/dev/.*
33 77" "$(on_terminal "${podman[@]}" exec -it web sh -c \
	'tty; for i in $(seq 300); do [ "$(stty size)" = "33 77" ] && break; sleep 0.2; done; stty size')"
p exec web nonesuch >"$T_DIR/out" 2>&1
t_is "exec: a missing program" 127 $?
t_match "exec: a missing program, in words" 'executable file .*not found|No such file' "$(cat "$T_DIR/out")"
p exec web /etc/passwd >"$T_DIR/out" 2>&1
t_is "exec: no program" 126 $?
t_status "exec: detached" 0 p exec -d web sleep 1000
t_match "top" "sleep 1000" "$(p top web)"
t_match "top with descriptors" "^1 +[0-9]+" "$(p top web pid hpid)"
t_match "stats" "web" "$(p stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' web)"
t_status "health: not well" 1 p healthcheck run web
p exec web touch /tmp/well
t_status "health: well" 0 p healthcheck run web
t_status "copy in" 0 p cp "$T_DIR/shared/file" web:/tmp/copied
t_is "copy out" "from outside" "$(p cp web:/tmp/copied - | tar -xO)"
t_status "pause" 0 p pause web
becomes "paused" web Status paused
t_status "unpause" 0 p unpause web
becomes "running again" web Status running
t_status "kill with a signal" 0 p kill -s TERM web
becomes "its own exit status" web ExitCode 3
t_status "start again" 0 p start web
becomes "started again" web Status running
t_status "restart" 0 p restart -t 5 web
becomes "restarted" web Status running
t_status "stop" 0 p stop -t 5 web
becomes "stopped" web Status exited
t_status "exec in a stopped one" 255 p exec web true
t_status "remove" 0 p rm web
run -d --name hard $image sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null
t_status "stop of one that does not listen" 0 p stop -t 1 hard
becomes "it was killed" hard ExitCode 137
t_status "remove by force" 0 p rm -f hard
run -d --name again --restart on-failure:2 $image sh -c 'echo run; exit 1' >/dev/null
again() { [ "$(p logs again | grep -c run)" = 3 ]; }
t_wait 60 again
t_is "restart policy" 3 "$(p logs again | grep -c run)"
p rm -f again >/dev/null
run -d --name attached $image sh -c 'trap "exit 4" TERM; until [ -e /tmp/go ]; do echo tick; sleep 0.1; done; echo seen; sleep 1; exit 6' >/dev/null
p attach --no-stdin attached >"$T_DIR/attached" 2>&1 &
attach=$!
# It is connected once something arrives.
t_wait 60 test -s "$T_DIR/attached" || t_fail "attach" "nothing arrives"
p exec attached touch /tmp/go
wait $attach
# Its status is 0 or the container's, with runc as well.
t_is "attach: output" seen "$(grep -v tick "$T_DIR/attached")"
t_is "wait" 7 "$(p wait "$(run -d $image sh -c 'sleep 0.3; exit 7')")"
p rm -a >/dev/null

# ---- pods ----

p pod create --name pod --network none --cgroup-parent "/$T_ID" >/dev/null
t_is "a pod" 0 $?
pod=$(p pod inspect --format '{{.ID}}' pod)
p run -d --pod pod --name one $image sleep 1000 >/dev/null
t_is "a pod: namespaces are shared" "$(p exec one readlink /proc/self/ns/net)" "$(p run --rm --pod pod $image readlink /proc/self/ns/net)"
t_status "a pod: stop" 0 p pod stop -t 1 pod
t_status "a pod: start" 0 p pod start pod
t_status "a pod: remove" 0 p pod rm -f -t 0 pod

for ((i = 1; i <= many; i++)); do
	run -d --name "many$i" $image sleep 1000 >/dev/null 2>"$T_DIR/many.err" || t_fail "$many at once" "$(cat "$T_DIR/many.err")" &
	jobs[i]=$!
done
wait "${jobs[@]}"
t_is "$many at once" $many "$(p ps -q | wc -l)"
t_status "$many at once: removed" 0 p rm -f -t 0 $(seq -f 'many%.0f' 1 $many)
# What conmon itself runs in is podman's, and so is the folder above those of a pod's containers.
left() { client_residue | grep -v -e '/conmon$' -e "$pod"; }
t_becomes "nothing is left" "" left

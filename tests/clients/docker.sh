#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Docker with our runtime as the default one of a daemon of its own.
CLIENT_PROGRAMS=(/usr/sbin/dockerd /usr/bin/docker /usr/bin/containerd /usr/bin/skopeo)
. "$(dirname "$0")/lib.sh"
clients_enter "$@"

image=bb:latest name=${RUNTIME##*/}
base=$T_DIR/docker
mkdir -m 711 "$base"
jq -n --arg base "$base" --arg runtime "$RUNTIME" --arg id "$T_ID" '{
	"data-root": "\($base)/root", "exec-root": "\($base)/exec", pidfile: "\($base)/pid",
	hosts: ["unix://\($base)/socket"], iptables: false, ip6tables: false, "ip-forward": false,
	"ip-masq": false, bridge: "none", "userland-proxy": false, "storage-driver": "overlay2",
	"exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": "/\($id)",
	runtimes: {test: {path: $runtime}}, "default-runtime": "test"}' >"$base/daemon.json"
export DOCKER_CONFIG=$base/client
d() { timeout -k 5 "$CLIENT_TIMEOUT" /usr/bin/docker -H "unix://$base/socket" "$@"; }
# Of our own namespace: without it docker warns at each run.
echo 1 >/proc/sys/net/ipv4/ip_forward
client_daemon dockerd /usr/sbin/dockerd --config-file "$base/daemon.json"
t_wait 60 d version || t_skip_all "dockerd does not start: $(tail -n 3 "$T_DIR/dockerd.log")"
skopeo --insecure-policy copy -q "oci:$(t_image):localhost/bb:latest" "docker-archive:$T_DIR/image.tar:$image" ||
	t_skip_all "the image cannot be converted"
d load -q -i "$T_DIR/image.tar" >/dev/null || t_skip_all "the image cannot be loaded"
mkdir "$T_DIR/shared"
echo "from outside" >"$T_DIR/shared/file"
is() { [ "$(d inspect -f "{{.State.$2}}" "$1")" = "$3" ]; }
# becomes NAME ID FIELD VALUE
becomes() {
	if t_wait 60 is "$2" "$3" "$4"; then t_ok "$1"; else t_fail "$1" "$(d inspect -f '{{json .State}}' "$2")"; fi
}

t_match "docker knows the runtime" "test" "$(d info -f '{{.DefaultRuntime}}')"
t_is "docker reads its commit" "$("$RUNTIME" --version | sed -n 's/^commit: //p')" "$(d info -f '{{.RuncCommit.ID}}')"
t_status "exit status" 42 d run --rm $image sh -c 'echo out; echo err >&2; exit 42'
t_is "stdout" out "$T_OUT"
t_is "stderr" err "$T_ERR"
t_is "stdin" "hello end" "$(echo hello | d run --rm -i $image sh -c 'cat; echo end' | xargs)"
t_is "environment" v "$(d run --rm -e A=v $image sh -c 'echo $A')"
t_is "user, groups, folder" "/tmp 7 29 1000 1000" "$(d run --rm -u user --group-add 7 -w /tmp $image sh -c 'pwd; (id -u; id -G) | xargs -n1 | sort -n' | xargs)"
t_is "host name" box "$(d run --rm -h box $image hostname)"
t_status "a missing program" 127 d run --rm $image nonesuch
t_match "a missing program, in words" 'executable file not found in \$PATH' "$T_ERR"
t_status "a missing path" 127 d run --rm $image /nonesuch
t_match "a missing path, in words" 'no such file or directory' "$T_ERR"
t_status "a file that is no program" 126 d run --rm $image /etc/passwd
t_match "a file that is no program, in words" 'permission denied' "$T_ERR"
t_match "terminal: its name and size" "/dev/(pts/0|console)
33 77" "$(on_terminal /usr/bin/docker -H "unix://$base/socket" run --rm -it $image sh -c \
	'tty; for i in $(seq 300); do [ "$(stty size)" = "33 77" ] && break; sleep 0.2; done; stty size')"
t_is "bind mount" "from outside ro" "$(d run --rm -v "$T_DIR/shared:/mnt:ro" $image sh -c \
	'cat /mnt/file; touch /mnt/x 2>/dev/null || echo ro' | xargs)"
t_is "volume" kept "$(d run --rm -v vol:/data $image sh -c 'echo kept >/data/x' && d run --rm -v vol:/data $image cat /data/x)"
t_is "tmpfs" "tmpfs 1024" "$(d run --rm --tmpfs /data:size=1m $image df -k /data | awk 'NR == 2 {print $1, $2}')"
t_status "read-only root" 1 d run --rm --read-only $image touch /x
t_is "shared memory" "2048" "$(d run --rm --shm-size 2m $image df -k /dev/shm | awk 'NR == 2 {print $2}')"
t_is "capabilities dropped" 0000000000000000 "$(d run --rm --cap-drop ALL $image awk '/CapEff/ {print $2}' /proc/self/status)"
t_is "capability added" 0000000002000000 "$(d run --rm --cap-drop ALL --cap-add SYS_TIME $image awk '/CapEff/ {print $2}' /proc/self/status)"
t_is "capability enforced" "no" "$(d run --rm --cap-drop CHOWN $image sh -c 'chown 5 /opt/new 2>/dev/null && echo yes || echo no')"
t_is "seccomp: docker's profile" "2 no" "$(d run --rm $image sh -c 'awk "/^Seccomp:/ {print \$2}" /proc/self/status; unshare -U true 2>/dev/null && echo yes || echo no' | xargs)"
t_is "seccomp: unconfined" 0 "$(d run --rm --security-opt seccomp=unconfined $image awk '/^Seccomp:/ {print $2}' /proc/self/status)"
t_is "no_new_privs" 1 "$(d run --rm --security-opt no-new-privileges $image awk '/NoNewPrivs/ {print $2}' /proc/self/status)"
t_is "sysctl" 1 "$(d run --rm --sysctl net.ipv4.ip_forward=1 --network none $image cat /proc/sys/net/ipv4/ip_forward)"
t_is "resource limit" "50" "$(d run --rm --ulimit nofile=50:60 $image sh -c 'ulimit -n')"
t_is "masked and read-only paths" "0 no" "$(d run --rm $image sh -c 'wc -c </proc/keys; echo 1 2>/dev/null >/proc/sys/kernel/domainname && echo yes || echo no' | xargs)"
t_is "a device" "c 0:1:3" "$(d run --rm --device /dev/null:/dev/nothing $image stat -c '%F 0:%t:%T' /dev/nothing | sed 's/character special file/c/')"
t_is "devices denied" no "$(d run --rm --cap-add MKNOD $image sh -c 'mknod /tmp/d b 254 0 && head -c 1 /tmp/d >/dev/null 2>&1 && echo yes || echo no' 2>/dev/null)"
t_is "init" docker-init "$(d run --rm --init $image cat /proc/1/comm)"
t_is "namespaces of another" "true" "$(d run -d --name first --ipc shareable $image sleep 1000 >/dev/null; d run --rm --pid container:first --network container:first --ipc container:first $image sh -c \
	'[ "$(readlink /proc/1/ns/net)" = "$(readlink /proc/self/ns/net)" ] && [ "$(cat /proc/1/comm)" = sleep ] && echo true'; d rm -f first >/dev/null)"
t_is "host's pid and uts namespaces" "$(hostname)" "$(d run --rm --pid host --uts host $image hostname)"

# ---- limits ----

cg() { # CONTAINER FILE_V1 FILE_V2
	d exec "$1" sh -c "cat /sys/fs/cgroup/$2 2>/dev/null || cat /sys/fs/cgroup/$3"
}
weight=512
[ ! -e /sys/fs/cgroup/cgroup.controllers ] || weight=59
t_status "OOM kill" 137 d run --name oom -m 12m $image sh -c 'tail /dev/zero; code=$?; sleep 2; exit $code'
becomes "OOM kill is told" oom OOMKilled true
d rm oom >/dev/null
t_match "pids limit" "can't fork|Resource temporarily" "$(d run --rm --pids-limit 5 $image sh -c \
	'for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; kill $(jobs -p)' 2>&1)"
d run -d --name web --restart no -m 64m --memory-swap 64m --cpus 0.5 --pids-limit 100 --health-cmd 'test -e /tmp/well' --health-interval 1s --health-retries 1 $image \
	sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
t_is "memory limit" 67108864 "$(cg web memory/memory.limit_in_bytes memory.max)"
t_match "cpu limit" "^50000" "$(cg web cpu/cpu.cfs_quota_us cpu.max)"
t_is "processes limit" 100 "$(cg web pids/pids.max pids.max)"
t_is "cpu shares and cpus" "0 $weight" "$(d run --rm --cpu-shares 512 --cpuset-cpus 0 $image sh -c \
	'cat /sys/fs/cgroup/cpuset/cpuset.cpus /sys/fs/cgroup/cpu/cpu.shares 2>/dev/null || cat /sys/fs/cgroup/cpuset.cpus /sys/fs/cgroup/cpu.weight' | xargs)"
t_status "update" 0 d update -m 96m --memory-swap 96m --cpus 0.7 --pids-limit 50 web
t_is "update: memory limit" 100663296 "$(cg web memory/memory.limit_in_bytes memory.max)"
t_match "update: cpu limit" "^70000" "$(cg web cpu/cpu.cfs_quota_us cpu.max)"
t_is "update: processes limit" 50 "$(cg web pids/pids.max pids.max)"

# ---- a life ----

t_becomes "logs" up d logs web
t_status "exec: exit status" 5 d exec web sh -c 'echo in; exit 5'
t_is "exec: output" in "$T_OUT"
t_is "exec: stdin" "there end" "$(echo there | d exec -i web sh -c 'cat; echo end' | xargs)"
t_is "exec: user, folder, environment" "1000 /tmp v" "$(d exec -u user -w /tmp -e A=v web sh -c 'id -u; pwd; echo $A' | xargs)"
t_match "exec: terminal" "/dev/" "$(on_terminal /usr/bin/docker -H "unix://$base/socket" exec -it web tty)"
t_match "exec: terminal's size" "33 77" "$(on_terminal /usr/bin/docker -H "unix://$base/socket" exec -it web sh -c \
	'for i in $(seq 300); do [ "$(stty size)" = "33 77" ] && break; sleep 0.2; done; stty size')"
if [ "$name" = runc ]; then
	t_skip "exec: privileged" "runc asks for capabilities that this root may not have"
else
	t_match "exec: privileged" "^[0-9a-f]{9}[2367abef]" "$(d exec --privileged web awk '/CapEff/ {print $2}' /proc/self/status)"
fi
d exec web nonesuch >"$T_DIR/out" 2>&1
t_match "exec: a missing program" "^12[67]$" $?
t_match "exec: a missing program, in words" 'executable file not found' "$(cat "$T_DIR/out")"
t_status "exec: no program" 126 d exec web /etc/passwd
t_status "exec: detached" 0 d exec -d web sleep 1000
t_match "top" "sleep 1000" "$(d top web)"
t_match "top with options of ps" "^PID +COMMAND" "$(d top web -o pid,comm)"
t_match "stats" "[0-9.]+[kKM]iB / 96MiB [1-9]" "$(d stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' web)"
becomes "health: not well" web Health.Status unhealthy
d exec web touch /tmp/well
becomes "health: well" web Health.Status healthy
t_status "copy in" 0 d cp "$T_DIR/shared/file" web:/tmp/copied
t_is "copy out" "from outside" "$(d cp web:/tmp/copied - | tar -xO)"
t_status "pause" 0 d pause web
becomes "paused" web Status paused
t_status "unpause" 0 d unpause web
becomes "running again" web Status running
t_status "kill with a signal" 0 d kill -s TERM web
becomes "its own exit status" web ExitCode 3
t_status "start again" 0 d start web
becomes "started again" web Status running
t_status "restart" 0 d restart -t 5 web
becomes "restarted" web Status running
t_status "stop" 0 d stop -t 5 web
becomes "stopped" web Status exited
t_status "exec in a stopped one" 1 d exec web true
t_status "remove" 0 d rm web
d run -d --name again --restart on-failure:2 $image sh -c 'exit 1' >/dev/null
t_wait 60 eval '[ "$(d inspect -f "{{.RestartCount}}" again)" = 2 ]'
t_is "restart policy" 2 "$(d inspect -f '{{.RestartCount}}' again)"
d rm -f again >/dev/null
d run -d --name hard $image sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null
t_status "stop of one that does not listen" 0 d stop -t 1 hard
becomes "it was killed" hard ExitCode 137
t_status "remove by force" 0 d rm -f hard

d run -d --name attached $image sh -c 'until [ -e /tmp/go ]; do echo tick; sleep 0.1; done; echo seen; sleep 1; exit 6' >/dev/null
d attach --no-stdin attached >"$T_DIR/attached" 2>&1 &
attach=$!
# It is connected once something arrives.
t_wait 60 test -s "$T_DIR/attached" || t_fail "attach" "nothing arrives"
d exec attached touch /tmp/go
wait $attach
code=$?
t_is "attach: output and status" "seen 6" "$(grep -v tick "$T_DIR/attached") $code"
t_is "wait" 6 "$(d wait attached)"
d rm attached >/dev/null

for ((i = 1; i <= many; i++)); do
	d run -d --name "many$i" $image sleep 1000 >/dev/null 2>"$T_DIR/many.err" || t_fail "$many at once" "$(cat "$T_DIR/many.err")" &
	jobs[i]=$!
done
wait "${jobs[@]}"
t_is "$many at once" $many "$(d ps -q | wc -l)"
t_status "$many at once: removed" 0 d rm -f $(seq -f 'many%.0f' 1 $many)

# A shim ends a moment after its container is removed.
t_becomes "nothing is left" "" client_residue

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# containerd and its ctr: first with containerd's shim and our runtime, then with our shim.
CLIENT_PROGRAMS=(/usr/bin/containerd /usr/bin/ctr /usr/bin/containerd-shim-runc-v2)
. "$(dirname "$0")/lib.sh"
clients_enter "$@"

. "$T_TOP/tests/lib/containerd.sh"
containerd_config grpc.v1.cri
containerd_up
containerd_image
image=localhost/bb:latest
mkdir "$T_DIR/shared"
echo "from outside" >"$T_DIR/shared/file"
jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"}]}' \
	>"$T_DIR/seccomp.json"
# What ctr has no option for is in a specification: a user, a host name, a folder as root.
t_rootfs "$T_DIR/rootfs"
ctrd oci spec | jq --arg root "$T_DIR/rootfs" '.hostname = "box" | .root.path = $root | .process.args = ["sh", "-c", "id -u; id -G; hostname; pwd"]
	| .process.user = {uid: 1000, gid: 1000, additionalGids: [1000, 7]} | .process.cwd = "/tmp"
	| .mounts |= map(select(.type != "cgroup"))' >"$T_DIR/spec.json"
cat >"$T_DIR/logger" <<'END_LOGGER'
#!/bin/sh
# A logger as containerd has them: 3 and 4 are stdout and stderr, the end of 5 says that it is there.
exec 5>&-
out=$2
echo "$1 $CONTAINER_ID" >"$out"
cat <&4 >>"$out.err" &
cat <&3 >>"$out"
wait
END_LOGGER
chmod 755 "$T_DIR/logger"

no_caps=(--cap-drop=CAP_{CHOWN,DAC_OVERRIDE,FSETID,FOWNER,MKNOD,NET_RAW,SETGID,SETUID,SETFCAP,SETPCAP}
	--cap-drop=CAP_{NET_BIND_SERVICE,SYS_CHROOT,KILL,AUDIT_WRITE})

run() { ctrd run "${how[@]}" "$@"; }
clean() {
	ctrd tasks kill -s KILL "$1"
	t_wait 60 task_is "$1" STOPPED
	ctrd tasks rm "$1"
	ctrd containers rm "$1"
} >/dev/null 2>&1
in_task() { # ID WORD...
	local id=$1
	shift
	ctrd tasks exec --exec-id "e$RANDOM" "$id" "$@"
}

# limits PID: memory, cpu quota and period, as the host has them
limits() {
	local v1=/sys/fs/cgroup/memory v2=/sys/fs/cgroup path
	if path=$(grep -m1 -E '^[0-9]+:memory:' "/proc/$1/cgroup"); then
		cat "$v1${path##*:}/memory.limit_in_bytes"
		path=$(grep -m1 -E '^[0-9]+:[^:]*\bcpu\b' "/proc/$1/cgroup")
		cat "/sys/fs/cgroup/cpu${path##*:}"/cpu.cfs_{quota,period}_us
	else
		path=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
		cat "$v2$path"/{memory,cpu}.max
	fi
}

# Our shim executes another program in its place, with containerd connected and a client waiting.
upgraded() {
	local id=up1 pid status=0 client socket
	run --rm $image $id sh -c 'trap "echo last; exit 6" TERM; echo first; while :; do sleep 0.1; done' >"$T_DIR/up.out" 2>&1 &
	client=$!
	t_wait 60 grep -qs first "$T_DIR/up.out"
	pid=$(pgrep -f -- "[c]ontainerd-shim-cellar-v2.* -id $id ")
	socket=$(sed 's|^unix://||' "$base"/state/io.containerd.runtime.v2.task/*/$id/address)
	mkdir -p "$T_DIR/new"
	cp "$CELLAR_BIN"/{ctr,containerd-shim-cellar-v2} "$T_DIR/new/"
	for ((out = 0; out < 3; out++)); do
		t_status "$name: upgrade $out" 0 "$T_DIR/new/ctr" upgrade --containerd "$socket"
	done
	t_is "$name: an upgraded shim is the same process" "$pid" "$(pgrep -f -- "[c]ontainerd-shim-cellar-v2.* -id $id ")"
	t_is "$name: an upgraded shim is another program" "$T_DIR/new/containerd-shim-cellar-v2" "$(readlink "/proc/$pid/exe")"
	t_is "$name: an upgraded shim: exec" "there 4" "$(in_task $id sh -c 'echo there; exit 4') $?"
	ctrd tasks exec -d --exec-id e9 $id sleep 1000 >/dev/null
	t_status "$name: upgraded beside an exec" 0 "$T_DIR/new/ctr" upgrade --containerd "$socket"
	t_match "$name: upgraded beside an exec: ps" "^[0-9]+ .*e9" "$(ctrd tasks ps $id)"
	t_status "$name: upgraded beside an exec: kill" 0 ctrd tasks kill -s KILL --exec-id e9 $id
	t_status "$name: an upgraded shim: kill" 0 ctrd tasks kill -s TERM $id
	wait $client || status=$?
	t_is "$name: an upgraded shim: status and output" "6 first last" "$status $(xargs <"$T_DIR/up.out")"
	t_is "$name: an upgraded shim is gone" "" "$(ctrd tasks ls -q)"
	rm -rf "$T_DIR/new"
	# The shims of others are passed over.
	t_status "$name: upgrade of nobody" 1 ctr upgrade --containerd "$base/socket.nobody"
}

checks() {
	local id=c1 n="$name: " out

	t_status "${n}exit status" 42 run --rm $image $id sh -c 'echo out; echo err >&2; exit 42'
	t_is "${n}stdout" out "$T_OUT"
	t_is "${n}stderr" err "$T_ERR"
	t_is "${n}stdin" hello "$(echo hello | run --rm $image $id head -n 1)"
	t_is "${n}environment" v "$(run --rm --env A=v $image $id sh -c 'echo $A')"
	t_is "${n}working folder" /tmp "$(run --rm --cwd /tmp $image $id pwd)"
	t_status "${n}a missing program" 1 run --rm $image $id nonesuch
	t_match "${n}a missing program, in words" 'executable file not found in \$PATH' "$T_ERR"
	t_status "${n}a folder as program" 1 run --rm $image $id /tmp
	t_match "${n}a folder as program, in words" 'denied|is a directory' "$T_ERR"
	t_match "${n}terminal: its name and size" "/dev/(pts/0|console)
33 77" "$(on_terminal /usr/bin/ctr --address "$base/socket" --namespace "$T_ID" run "${how[@]}" -t --rm $image $id sh -c \
		'tty; for i in $(seq 300); do [ "$(stty size)" = "33 77" ] && break; sleep 0.2; done; stty size')"
	t_is "${n}bind mount" "from outside ro" "$(run --rm --mount "type=bind,src=$T_DIR/shared,dst=/mnt,options=rbind:ro" \
		$image $id sh -c 'cat /mnt/file; touch /mnt/x 2>/dev/null || echo ro' | xargs)"
	t_status "${n}read-only root" 1 run --rm --read-only $image $id touch /x
	t_is "${n}capabilities" "0000000000000000" "$(run --rm "${no_caps[@]}" \
		$image $id awk '/CapEff/ {print $2}' /proc/self/status)"
	t_is "${n}capability added" 1 "$(run --rm --cap-add CAP_SYS_TIME $image $id sh -c \
		'echo $(( 0x$(awk "/CapEff/ {print \$2}" /proc/self/status) >> 25 & 1 ))')"
	t_is "${n}seccomp: a profile" "no yes" "$(run --rm --seccomp --seccomp-profile "$T_DIR/seccomp.json" $image $id sh -c \
		'mkdir /a 2>/dev/null && echo yes || echo no; touch /b && echo yes' | xargs)"
	t_is "${n}seccomp: containerd's own" 2 "$(run --rm --seccomp $image $id awk '/^Seccomp:/ {print $2}' /proc/self/status)"
	t_is "${n}no_new_privs" 1 "$(run --rm $image $id awk '/NoNewPrivs/ {print $2}' /proc/self/status)"
	t_match "${n}privileged" "^0000" "$(run --rm --privileged $image $id awk '/CapEff/ {print $2}' /proc/self/status)"
	t_is "${n}user namespace" "0 100000 65536" "$(run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 $image $id cat /proc/self/uid_map | xargs)"
	t_is "${n}a device" "c 0:1:3" "$(run --rm --device /dev/null $image $id stat -c '%F 0:%t:%T' /dev/null | sed 's/character special file/c/')"
	t_is "${n}another's network" "$(readlink /proc/self/ns/net)" "$(run --rm --with-ns network:/proc/self/ns/net $image $id readlink /proc/self/ns/net)"
	t_is "${n}the host's network" "$(readlink /proc/self/ns/net)" "$(run --rm --net-host $image $id readlink /proc/self/ns/net)"
	t_is "${n}user, groups, host name, folder" "1000 7 1000 box /tmp" "$(run --rm --config "$T_DIR/spec.json" $id |
		awk 'NR == 2 { n = split($0, g, " "); for (i = n; i > 0; i--) if (!seen[g[i]]++) print g[i]; next } 1' | xargs)"
	t_is "${n}a log file" "err out" "$(run --rm --log-uri "file://$T_DIR/log-$id" $image $id sh -c 'echo out; echo err >&2'; sort "$T_DIR/log-$id" | xargs)"
	rm -f "$T_DIR/log-$id" "$T_DIR/binary"*
	run -d --log-uri "binary://$T_DIR/logger?file=$T_DIR/binary" $image $id sh -c 'echo out; echo err >&2' >/dev/null
	t_wait 60 task_is $id STOPPED
	clean $id
	# Nobody waits for a logger.
	logged() { cat "$T_DIR/binary" "$T_DIR/binary.err" | xargs; }
	t_becomes "${n}a logger" "file $id out err" logged
	t_is "${n}OOM kill" 137 "$(run --rm --memory-limit 8000000 $image $id sh -c 'exec tail /dev/zero' >/dev/null 2>&1; echo $?)"

	run -d --cpus 0.5 --cpu-shares 512 --memory-limit 50331648 --pid-file "$T_DIR/pid" $image $id sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
	t_wait 60 task_is $id RUNNING && t_ok "${n}detached" || t_fail "${n}detached" "$(ctrd tasks ls)"
	t_is "${n}the file with its pid" "$(ctrd tasks ls | awk -v id=$id '$1 == id {print $2}')" "$(cat "$T_DIR/pid")"
	t_is "${n}limits" "50331648 50000 100000" "$(limits "$(cat "$T_DIR/pid")" | xargs)"
	t_status "${n}exec: exit status" 5 in_task $id sh -c 'echo in; exit 5'
	t_is "${n}exec: output" in "$T_OUT"
	t_is "${n}exec: stdin" there "$(echo there | in_task $id head -n 1)"
	t_is "${n}exec: user and folder" "1000 /tmp" "$(ctrd tasks exec --exec-id e2 --user 1000 --cwd /tmp $id sh -c 'id -u; pwd' | xargs)"
	t_match "${n}exec: terminal" "/dev/" "$(on_terminal /usr/bin/ctr --address "$base/socket" --namespace "$T_ID" tasks exec -t --exec-id e3 $id tty)"
	t_status "${n}exec: a missing program" 1 in_task $id nonesuch
	t_match "${n}exec: a missing program, in words" 'executable file not found' "$T_ERR"
	ctrd tasks exec -d --exec-id e4 $id sleep 1000 >/dev/null
	t_match "${n}ps" "^[0-9]+ .*e4" "$(ctrd tasks ps $id)"
	t_status "${n}kill an exec" 0 ctrd tasks kill -s KILL --exec-id e4 $id
	t_match "${n}metrics" "memory|pids" "$(ctrd tasks metrics $id)"
	t_status "${n}pause" 0 ctrd tasks pause $id
	t_wait 60 task_is $id PAUSED && t_ok "${n}paused" || t_fail "${n}paused" "$(ctrd tasks ls)"
	t_status "${n}resume" 0 ctrd tasks resume $id
	t_wait 60 task_is $id RUNNING && t_ok "${n}resumed" || t_fail "${n}resumed" "$(ctrd tasks ls)"
	t_status "${n}rm refuses a running task" 1 ctrd tasks rm $id
	t_status "${n}kill" 0 ctrd tasks kill -s TERM $id
	t_wait 60 task_is $id STOPPED && t_ok "${n}stopped" || t_fail "${n}stopped" "$(ctrd tasks ls)"
	t_status "${n}kill of a stopped task" 1 ctrd tasks kill -s TERM $id
	t_match "${n}kill of a stopped task, in words" "not found|already finished|not running" "$T_ERR"
	t_match "${n}rm tells the exit status" "exit code 3" "$(ctrd tasks rm $id 2>&1)"
	# A task that ended may be started again.
	t_status "${n}restart" 0 ctrd tasks start -d $id
	clean $id
	t_is "${n}the snapshot is free" "" "$(ctrd tasks ls -q)"

	run -d $image $id sleep 1000
	pkill -9 -f "[c]ontainerd-shim.* -id $id "
	# containerd hears of it, and cleans up after it, in its own time.
	t_wait 60 eval '! task_is $id RUNNING'
	t_wait 60 eval '[ -z "$(client_residue)" ]'
	t_status "${n}a killed shim: its task can be removed" 0 eval "ctrd tasks rm -f $id; ctrd containers rm $id"
	t_is "${n}a killed shim: nothing is left" "" "$(client_residue)"

	[ "$name" != "our shim" ] || upgraded

	for ((out = 1; out <= many; out++)); do
		run -d $image many$out sleep 1000 2>"$T_DIR/many.err" || t_fail "${n}$many at once" "$(cat "$T_DIR/many.err")" &
		jobs[out]=$!
	done
	wait "${jobs[@]}"
	t_is "${n}$many at once" $many "$(ctrd tasks ls | grep -c RUNNING)"
	for ((out = 1; out <= many; out++)); do
		clean many$out &
		jobs[out]=$!
	done
	wait "${jobs[@]}"
	t_is "${n}$many at once: gone" 0 "$(ctrd tasks ls -q | wc -l)"
	# A shim ends a moment after its last task is removed.
	t_becomes "${n}nothing is left" "" client_residue
}

name=${RUNTIME##*/} how=(--runc-binary "$RUNTIME")
checks
if [ "${RUNTIME##*/}" = cellar ]; then
	name="our shim" how=(--runtime io.containerd.cellar.v2)
	checks
	echo "Root = \"$T_DIR/elsewhere\"" >"$T_DIR/shim.toml"
	out=$(run --runtime-config-path "$T_DIR/shim.toml" -d $image elsewhere sleep 1000 2>&1 || true)
	[ -e "$T_DIR/elsewhere/$CONTAINERD_NAMESPACE/elsewhere/state.json" ] && t_ok "$name: options of a file" ||
		t_fail "$name: options of a file" "$out"
	clean elsewhere
	t_is "$name: and nothing is left there" "" "$(ls "$T_DIR/elsewhere/$CONTAINERD_NAMESPACE")"
	echo "SystemdCroup = true" >"$T_DIR/shim.toml"
	out=$(run --runtime-config-path "$T_DIR/shim.toml" -d $image elsewhere sleep 1000 2>&1 || true)
	t_match "$name: a word that it has not" 'line 1: SystemdCroup is no option of this shim' "$out"
	ctrd containers rm elsewhere >/dev/null 2>&1 || true
fi

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Podman as a normal user with a systemd of their own (user@UID.service), which makes the cgroups:
# tests/vm/vm.sh --systemd. Every command is a service of the user's manager of its own, and what it leaves
# there is killed with it, as when a session ends. RUNTIME=crun or runc: the same with another runtime.
. "$(dirname "$0")/lib.sh"
t_need_root
[ -d /run/systemd/system ] && [ -n "${CELLAR_IN_VM:-}" ] || t_skip_all "only in the bench with systemd"
for program in podman conmon catatonit newuidmap newgidmap jq; do
	command -v $program >/dev/null || t_skip_all "$program is not installed"
done
[ -e /lib/systemd/system/user@.service ] || t_skip_all "this systemd has no managers of users"

uid=61236 image=localhost/bb:latest base=$T_DIR/user
home=$base/home runtime_dir=/run/user/$uid manager=user@$uid.service
# The bench's own copy of /etc.
echo "eve:x:$uid:$uid::$home:/bin/sh" >>/etc/passwd
echo "eve:x:$uid:" >>/etc/group
echo 'eve:*:19000:0:99999:7:::' >>/etc/shadow
echo "eve:800000:65536" | tee -a /etc/subuid >>/etc/subgid
chmod 711 "$T_DIR"
mkdir -p "$base"/bin "$home"/.config/containers
cp "$RUNTIME" "$base/bin/"
[ ! -e "${RUNTIME%/*}/cellar-systemd" ] || cp "${RUNTIME%/*}/cellar-systemd" "$base/bin/"
name=${RUNTIME##*/}
cat >"$home/.config/containers/containers.conf" <<-END
	[containers]
	log_driver = "k8s-file"
	[engine]
	cgroup_manager = "systemd"
	events_logger = "file"
	runtime = "$name"
	[engine.runtimes]
	$name = ["$base/bin/$name"]
END
printf '[storage]\ndriver = "vfs"\n' >"$home/.config/containers/storage.conf"
cp -a "$(t_image)" "$home/image"
chown -R $uid:$uid "$home"

# What logind would do for a user who lingers: the folder, then Debian's own unit with PAM's session.
mkdir -p $runtime_dir/systemd/user /run/systemd/system/user-runtime-dir@.service.d
chmod 700 $runtime_dir
printf '[Service]\nExecStart=\nExecStart=/bin/true\nExecStop=\n' >/run/systemd/system/user-runtime-dir@.service.d/bench.conf
# Of all the units that the host has for users: the bus.
mkdir -p /run/systemd/system/user@.service.d
printf '[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=\nExecStart=/lib/systemd/systemd --user --unit=bench.target --log-target=console\nStandardError=file:%s/manager.log\n' "$T_DIR" \
	>/run/systemd/system/user@.service.d/bench.conf
printf '[Unit]\nDefaultDependencies=no\nWants=dbus.socket\n' >$runtime_dir/systemd/user/bench.target
chown -R $uid:$uid $runtime_dir
systemctl daemon-reload
t_status "a user's manager" 0 systemctl start "$manager"
[ $T_FAILED = 0 ] || { cat "$T_DIR/manager.log" && exit 1; }
t_defer "systemctl stop $manager"
as_user=(setpriv --reuid "$uid" --regid "$uid" --clear-groups -- env -i "PATH=/usr/bin:/bin:/usr/sbin:/sbin" "HOME=$home" "XDG_RUNTIME_DIR=$runtime_dir"
	"DBUS_SESSION_BUS_ADDRESS=unix:path=$runtime_dir/bus" TERM=xterm)
u() { (cd "$home" && timeout -k 5 300 "${as_user[@]}" systemd-run --user --quiet --wait --collect --pipe --same-dir -- "$@"); }
# In a service, which it knows by this variable, Podman leaves conmon to the service; a person's shell has none.
p() { u env -u INVOCATION_ID podman "$@"; }
show() { "${as_user[@]}" systemctl --user show -p "$1" "$2" | sort | xargs; }
is() { [ "$(p inspect -f "{{.State.$2}}" "$1")" = "$3" ]; }
becomes() { t_wait 60 is "$2" "$3" "$4" && t_ok "$1" || t_fail "$1" "$(p inspect -f '{{json .State}}' "$2")"; }
# The folder of a container's first process, below /sys/fs/cgroup.
folder() { sed -n 's/^0:://p' "/proc/$(p inspect -f '{{.State.Pid}}' "$1")/cgroup"; }
below=/user.slice/user-$uid.slice/$manager

t_is "a service is below the manager" "$below/app.slice" "$(u cat /proc/self/cgroup | sed 's/^0:://; s,/[^/]*$,,')"
p pull -q "oci:image:$image" >/dev/null 2>"$T_DIR/pull.err" || t_fail "the image" "$(tail -n 3 "$T_DIR/pull.err")"
p image exists $image || p tag "$(p images -q | head -n 1)" $image
t_is "podman is rootless, with systemd's cgroups and this runtime" "true systemd v2 $base/bin/$name" \
	"$(p info -f '{{.Host.Security.Rootless}} {{.Host.CgroupManager}} {{.Host.CgroupsVersion}} {{.Host.OCIRuntime.Path}}')"
t_status "exit status" 42 p run --rm --network none $image sh -c 'echo out; echo err >&2; sleep 1; exit 42'
t_is "stdout" out "$T_OUT"
t_match "stderr" err "$T_ERR"

# ---- limits ----

t_status "detached, with limits" 0 p run -d --name web --network none -m 64m --memory-swap 64m --pids-limit 100 --cpus 0.5 \
	--health-cmd 'test -e /tmp/well' --health-interval disable $image sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 0.1; done'
id=$(p inspect -f '{{.Id}}' web)
scope=libpod-$id.scope
t_is "it outlives the service that started it" "running" "$(p inspect -f '{{.State.Status}}' web)"
t_is "its scope is below the user's manager" "$below/user.slice/$scope" "$(folder web | sed 's,/container$,,')"
t_is "conmon has one, too" 1 "$("${as_user[@]}" systemctl --user list-units --plain --no-legend "libpod-conmon-$id.scope" | grep -c running)"
limits=MemoryMax,TasksMax,Delegate
t_is "the user's systemd knows the limits" "Delegate=yes MemoryMax=67108864 TasksMax=100" "$(show $limits "$scope")"
files="cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.swap.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max"
t_is "the container sees them" "67108864 0 100 50000 100000" "$(p exec web sh -c "$files" | xargs)"
t_is "the folder is the user's" $uid "$(stat -c %u "/sys/fs/cgroup$below/user.slice/$scope")"
t_status "OOM kill" 137 p run --name oom --network none -m 12m $image sh -c 'exec tail /dev/zero'
# Podman 4.3 says OOMKilled false here, with crun too, though conmon has left its file "oom" in its own folder.
# The shell outlives its child, and the cgroup with it: systemd removes an empty one before conmon has read of it.
find "$home" -name oom -delete
t_status "OOM kill of a child" 0 p run -d --name child --network none -m 12m $image sh -c 'tail /dev/zero; sleep 1000'
told() { [ -n "$(find "$home" -name oom)" ]; }
t_wait 60 told && t_ok "conmon is told" || t_fail "conmon is told" "$(cat "/sys/fs/cgroup$(folder child)/memory.events")"
t_match "the limit of processes bites" "can't fork|Resource temporarily" "$(p run --rm --network none --pids-limit 5 $image sh -c \
	'for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; kill $(jobs -p)' 2>&1)"

# ---- a life ----

up() { [ "$(p logs web)" = up ]; }
t_wait 60 up && t_ok "logs" || t_fail "logs" "$(p logs web)"
t_status "exec: exit status" 5 p exec web sh -c 'echo in; exit 5'
t_is "exec: output" in "$T_OUT"
t_is "exec: in the same cgroup" "$(p exec web sh -c 'cat /proc/1/cgroup')" "$(p exec web cat /proc/self/cgroup)"
t_status "exec: detached" 0 p exec -d web sleep 1000
t_match "top" "sleep 1000" "$(p top web)"
t_match "stats" '^web [0-9.]+(k|M)?B / 67.11MB' "$(p stats --no-stream --format '{{.Name}} {{.MemUsage}}' web)"
t_status "health: not well" 1 p healthcheck run web
p exec web touch /tmp/well
t_status "health: well" 0 p healthcheck run web
t_status "pause" 0 p pause web
t_is "the scope is frozen" 1 "$(sed -n 's/^frozen //p' "/sys/fs/cgroup$(folder web)/cgroup.events")"
t_status "unpause" 0 p unpause web
t_is "and thawed" 0 "$(sed -n 's/^frozen //p' "/sys/fs/cgroup$(folder web)/cgroup.events")"
t_status "kill with a signal" 0 p kill -s TERM web
becomes "its own exit status" web ExitCode 3
t_status "start again" 0 p start web
becomes "started again" web Status running
t_is "with its limits" "Delegate=yes MemoryMax=67108864 TasksMax=100" "$(show $limits "$scope")"
t_status "stop" 0 p stop -t 5 web
t_status "remove" 0 p rm web
t_wait 60 eval '[ "$(show LoadState "$scope")" = LoadState=not-found ]' && t_ok "the scope is gone" || t_fail "the scope is gone" "$(show ActiveState "$scope")"
p run -d --name again --network none --restart on-failure:2 $image sh -c 'echo run; exit 1' >/dev/null
again() { [ "$(p logs again | grep -c run)" = 3 ]; }
t_wait 60 again && t_ok "restart policy" || t_fail "restart policy" "$(p logs again)"
# By a timer of the user's systemd.
p run -d --name ill --network none --health-cmd 'test -e /tmp/well' --health-interval 2s --health-retries 1 $image sleep 1000 >/dev/null
health() { [ "$(p inspect -f '{{.State.Health.Status}}' ill 2>/dev/null || p inspect -f '{{.State.Healthcheck.Status}}' ill)" = "$1" ]; }
t_wait 60 health unhealthy && t_ok "a health check by a timer: not well" || t_fail "a health check by a timer: not well" "$(p inspect -f '{{json .State}}' ill)"
p exec ill touch /tmp/well
t_wait 60 health healthy && t_ok "a health check by a timer: well" || t_fail "a health check by a timer: well" "$(p inspect -f '{{json .State}}' ill)"

# ---- a pod ----

t_status "a pod" 0 p pod create --name pod --network none
pod=$(p pod inspect -f '{{.ID}}' pod)
t_status "a pod: one" 0 p run -d --pod pod --name one -m 32m $image sleep 1000
t_status "a pod: two" 0 p run -d --pod pod --name two $image sleep 1000
t_is "a pod: its slice holds both" "$below/user.slice/user-libpod_pod_$pod.slice" "$(for one in one two; do folder $one; done | sed 's,/libpod-.*,,' | sort -u)"
t_is "a pod: limits" "33554432" "$(p exec one cat /sys/fs/cgroup/memory.max)"
t_is "a pod: namespaces are shared" "$(p exec one readlink /proc/self/ns/ipc)" "$(p exec two readlink /proc/self/ns/ipc)"
t_status "a pod: remove" 0 p pod rm -f -t 0 pod

t_status "remove by force" 0 p rm -f -t 0 -a
t_is "nothing is left" "" "$(p ps -aq; ls $runtime_dir/cellar 2>/dev/null)"
left() { [ -z "$(find "/sys/fs/cgroup$below" -name 'libpod*')" ]; }
t_wait 60 left && t_ok "nor a cgroup" || t_fail "nor a cgroup" "$(find "/sys/fs/cgroup$below" -name 'libpod*')"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The systemd driver without privileges: a user's own manager, in a folder that the system's has
# delegated to it. Runs in the bench with systemd: tests/vm/vm.sh --systemd.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
[ -d /run/systemd/system ] && [ -n "${CELLAR_IN_VM:-}" ] || t_skip_all "only in the bench with systemd"

uid=23456 manager=cellar-$T_ID-user.service
runtime=/run/user/$uid
export XDG_RUNTIME_DIR=$runtime
echo "cellar-user:x:$uid:$uid::$T_DIR:/bin/sh" >>/etc/passwd # the bench's copy
echo "cellar-user:x:$uid:" >>/etc/group
mkdir -p $runtime/systemd/user "$T_DIR/bundle"
chmod 711 "$T_DIR"
t_rootfs "$T_DIR/bundle/rootfs"
(cd "$T_DIR/bundle" && cellar spec --rootless && jq --argjson u $uid '.process.terminal = false | .process.args = ["sleep", "1000"]
	| .linux.uidMappings[0].hostID = $u | .linux.gidMappings[0].hostID = $u
	| .linux.resources = {"pids": {"limit": 33}, "memory": {"limit": 100000000}}' config.json >new && mv new config.json)
printf '[Unit]\nDefaultDependencies=no\n' >$runtime/systemd/user/bench.target
cat >"$T_DIR/inside" <<END
#!/bin/bash
exec >"$T_DIR/out" 2>&1
export XDG_RUNTIME_DIR=$runtime PATH=$PATH
c() { cellar --root $runtime/state "\$@"; }
show() { systemctl --user show -p "\$1" "\$2" | sort | xargs; }
c --systemd-cgroup run -d -b "$T_DIR/bundle" u </dev/null >/dev/null
echo "run \$?"
pid=\$(c state u | jq .pid)
echo "cgroup \$(sed 's/^0:://' "/proc/\$pid/cgroup")"
echo "systemd \$(show ActiveState,TasksMax,MemoryMax cellar-u.scope)"
echo "kernel \$(cat "/sys/fs/cgroup\$(sed 's/^0:://' "/proc/\$pid/cgroup")/pids.max")"
c exec u true
echo "exec \$?"
c update --pids-limit 44 u
echo "update \$? \$(show TasksMax cellar-u.scope)"
c delete -f u
echo "delete \$? \$(show LoadState cellar-u.scope)"
END
chmod 755 "$T_DIR/inside"
printf '[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=%s/inside\n' "$T_DIR" >$runtime/systemd/user/inside.service
chown -R $uid:$uid $runtime "$T_DIR/bundle"
touch "$T_DIR/out" && chown $uid "$T_DIR/out"
t_defer "systemctl stop $manager"
t_status "a user's manager" 0 systemd-run --quiet --unit="$manager" --uid=$uid --gid=$uid -p Delegate=yes -p StandardError="file:$T_DIR/manager.log" -p Type=notify \
	--setenv=XDG_RUNTIME_DIR=$runtime --setenv=HOME="$T_DIR" /lib/systemd/systemd --user --unit=bench.target --log-target=console
sed 's/^/# /' "$T_DIR/manager.log"
as_user() { setpriv --reuid $uid --regid $uid --clear-groups "$@"; }
t_status "a service of it" 0 as_user systemctl --user start inside.service
sed 's/^/# /' "$T_DIR/out"
said() { sed -n "s/^$1 //p" "$T_DIR/out"; }
t_is "run" 0 "$(said run)"
t_is "the scope is the user manager's" "/system.slice/$manager/user.slice/cellar-u.scope" "$(said cgroup)"
t_is "it knows the limits" "ActiveState=active MemoryMax=100000000 TasksMax=33" "$(said systemd)"
t_is "and the kernel" 33 "$(said kernel)"
t_is "exec" 0 "$(said exec)"
t_is "update" "0 TasksMax=44" "$(said update)"
t_is "delete" "0 LoadState=not-found" "$(said delete)"

# From a session that lies elsewhere: no process may be moved between the two, not even by its owner.
outside=(as_user env "XDG_RUNTIME_DIR=$runtime" "PATH=$PATH" cellar --root "$runtime/state" --systemd-cgroup)
t_status "a caller outside of the delegated folder" 1 "${outside[@]}" run -d -b "$T_DIR/bundle" v
t_match "in words" "the cgroup that holds both it and the caller was not delegated to this user" "$T_ERR"
t_is "no state is left" "" "$("${outside[@]}" list -q)"
unit_gone() { [ "$(as_user env XDG_RUNTIME_DIR=$runtime systemctl --user show -p LoadState --value cellar-v.scope)" = not-found ]; }
t_wait 20 unit_gone && t_ok "nor a unit" || t_fail "nor a unit" "it stays"

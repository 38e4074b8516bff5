#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Podman with --cgroup-manager systemd, under a systemd: tests/vm/vm.sh --systemd. On the machine
# itself, for systemd knows no pids of another pid namespace; the bench is thrown away afterwards.
. "$(dirname "$0")/lib.sh"
t_need_root
[ -x /usr/bin/podman ] && [ -x /usr/bin/conmon ] || t_skip_all "Podman is not installed"
[ -d /run/systemd/system ] && [ -n "${CELLAR_IN_VM:-}" ] || t_skip_all "only in the bench with systemd"
command -v jq >/dev/null || t_skip_all "jq is not installed"

image=localhost/bb:latest base=$T_DIR/podman
chmod 711 "$T_DIR"
mkdir -m 711 "$base"
printf '[containers]\n' >"$base/containers.conf"
export CONTAINERS_CONF=$base/containers.conf
podman=(/usr/bin/podman --root "$base/root" --runroot "$base/run" --tmpdir "$base/tmp" --cgroup-manager systemd
	--events-backend file --storage-driver overlay --runtime "$RUNTIME")
p() { timeout -k 5 200 "${podman[@]}" "$@"; }
show() { systemctl show -p "$1" --value "$2"; }
p pull -q "oci:$(t_image):$image" >/dev/null 2>"$T_DIR/pull.err" ||
	t_skip_all "the image cannot be taken: $(tail -n 1 "$T_DIR/pull.err")"
p image exists $image || p tag "$(p images -q | head -n 1)" $image
t_defer 'p rm -f -t 0 -a'

t_status "exit status" 42 p run --rm --network none $image sh -c 'echo out; exit 42'
t_is "stdout" out "$T_OUT"
t_status "limits" 0 p run -d --name web --network none -m 64m --memory-swap 64m --cpus 0.5 --pids-limit 100 $image sleep 1000
full=$(p inspect -f '{{.Id}}' web)
scope=libpod-$full.scope
t_is "the scope is in machine.slice" "/machine.slice/$scope" \
	"$(sed -n 's/^0:://p' "/proc/$(p inspect -f '{{.State.Pid}}' web)/cgroup" | sed 's,/container$,,')"
t_is "systemd knows the limits" "67108864 100 500ms" "$(for n in MemoryMax TasksMax CPUQuotaPerSecUSec; do show $n "$scope"; done | xargs)"
t_is "the container sees them" "67108864 100" "$(p exec web sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max' | xargs)"
t_match "stats" '^web [0-9.]+(k|M)?B / 67.11MB' "$(p stats --no-stream --format '{{.Name}} {{.MemUsage}}' web)"
t_match "top" "sleep" "$(p top web)"
t_status "pause" 0 p pause web
t_status "unpause" 0 p unpause web
t_status "stop" 0 p stop -t 1 web
t_status "start again" 0 p start web
t_status "rm -f" 0 p rm -f -t 0 web
t_wait 60 eval '[ "$(show LoadState "$scope")" = not-found ]' && t_ok "the scope is gone" || t_fail "the scope is gone" "$(show ActiveState "$scope")"
t_status "OOM kill" 137 p run --name oom --network none -m 12m $image sh -c 'exec tail /dev/zero'
t_status "a container in a slice" 0 p run --rm --network none --cgroup-parent "a-b.slice" $image true

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a cell does when things happen: somebody more important comes, the master is away for long.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/dev.sh"
ip link set lo up
c_setup
BEFORE=$T_DIR/before
c_residue >"$BEFORE"


becomes() { # NAME JOB STATES
	t_wait 60 is_state "$2" "$3" && t_ok "$1" || t_fail "$1" "$(c job status "$2"; cat "$T_DIR/celld.log")"
}
pid_of() { # JOB INDEX
	c inspect "$(of_task "$1" "$2" container)" | jq '.[0].pid'
}
job() { # NAME PRIORITY COUNT CPU SCRIPT [MORE...]
	local name=$1
	cat >"$T_DIR/$name.yaml" <<-END
		job: $name
		owner: tests
		priority: $2
		tasks:
		  count: $3
		  image: $IMAGE
		  command: [sh, -c, '$5']
		  stop_grace: 100ms
		  resources: {cpu: ${4}m, memory: 8Mi}
		  volumes: [{source: $T_DIR/out, target: /out}]
	END
	shift 5
	[ $# = 0 ] || printf '%s\n' "$@" >>"$T_DIR/$name.yaml"
	c job run "$T_DIR/$name.yaml" >/dev/null
}
gone() { ! c ps -a | grep -q "dev.$1"; }

mkdir "$T_DIR/out"
d_start --fence 10 --whole-cores
t_wait 60 sh -c "[ \$(ctr --root '$C_ROOT' --runroot '$C_RUN' machine ls -o json | jq length) = 1 ]"
HALF=$((($(c machine ls -o json | jq '.[0].cpu_milli') - 100) / 2))
FOREVER='while :; do sleep 0.2; done'
job one 200 1 50 "$FOREVER" 'single_instance: true'
job two 200 1 50 "$FOREVER"
becomes "a single instance runs" one running
becomes "and another one" two running
first=$(of_task one 0 incarnation)
pid=$(pid_of one 0)
other=$(pid_of two 0)

# ---- ports of the machine itself, told by the environment; CPU by class ----
cat >"$T_DIR/host.yaml" <<-END
	job: host
	owner: tests
	priority: 200
	tasks:
	  count: 2
	  image: $IMAGE
	  network: host
	  command: [sh, -c, 'exec httpd -f -p \$PORT_web_ui']
	  stop_grace: 100ms
	  resources: {cpu: 10m, memory: 8Mi}
	  ports: [{name: web-ui}]
	  volumes: [{source: shared, target: /shared}]
END
c volume create tests_shared >/dev/null
c job run "$T_DIR/host.yaml" >/dev/null
becomes "tasks on the machine's network" host "running running"
ports=$(c job status host -o json | jq -r '.tasks[].ports[0].host' | sort -u)
t_is "have a port each" 2 "$(wc -w <<<"$ports")"
answers() { [ "$(curl -s -m 20 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$1/")" = 404 ]; }
for port in $ports; do
	t_wait 60 answers "$port" && t_ok "its port answers" || t_fail "its port answers" "$port: $(c job logs host/0)"
done
config() { jq -c "$2" "$C_ROOT/containers/$(c inspect "$(of_task "$1" 0 container)" | jq -r '.[0].id')/config.json"; }
t_is "and the volume that they name, of their owner's" true "$(config host '.mounts[] | select(.destination == "/shared") | .source | contains("/tests_shared/")')"
t_is "what somebody waits for has CPU by what it asks for" "[null,10]" "$(config host '[.linux.resources.cpu.idle, .linux.resources.cpu.shares]')"
c job stop --purge host >/dev/null
t_wait 60 gone host
c volume rm tests_shared >/dev/null

# ---- whole processors ----
cpus() { # JOB
	c exec "$(of_task "$1" 0 container)" sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status
}
if [ "$(nproc)" -ge 2 ]; then
	all=$(cpus one)
	job whole 200 1 1000 "$FOREVER"
	becomes "one that asks for a whole processor" whole running
	t_match "has it to itself" '^[0-9]+$' "$(cpus whole)"
	apart() { [ "$(cpus one)" != "$all" ] && ! grep -qw "$(cpus whole)" <<<"$(cpus one | tr ',-' '  ')"; }
	t_wait 60 apart && t_ok "the others share the rest" || t_fail "the others share the rest" "$(cpus whole), $(cpus one)"
	c job stop --purge whole >/dev/null
	back() { [ "$(cpus one)" = "$all" ]; }
	t_wait 60 back && t_ok "and have all when it is gone" || t_fail "and have all when it is gone" "$(cpus one), $all"
	t_wait 60 gone whole
fi

# ---- preemption: notice, then the end; and back when there is room ----
job batch 100 2 $HALF "trap \"echo noticed >>/out/notice; sleep 1; echo saved >>/out/notice; exit 0\" TERM; echo >>/out/heard; $FOREVER" \
	'preemption: {how: kill, notice: 30s}'
becomes "batch fills the cell" batch "running running"
# Batch runs when nobody else wants the CPU: that may be a while after its start.
ready() { [ "$(wc -l <"$T_DIR/out/$1")" = "$2" ]; }
t_wait 180 ready heard 2
job prod 200 1 $HALF "$FOREVER"
becomes "production runs in its place" prod running
t_is "the victim had its notice, not the stop grace" "noticed saved" "$(paste -sd' ' "$T_DIR/out/notice")"
t_is "the other one stays" 1 "$(states batch | grep -o running | wc -l)"
c job stop --purge prod >/dev/null
becomes "batch comes back when there is room" batch "running running"
t_is "batch has the CPU that is left" 1 "$(config batch .linux.resources.cpu.idle)"
c job stop --purge batch >/dev/null
t_wait 60 gone batch

# ---- one that hears no signal is killed when its notice is over ----
job deaf 100 2 $HALF "trap \"\" TERM; echo >>/out/deaf; $FOREVER" 'preemption: {how: kill, notice: 1s}'
becomes "a deaf one runs" deaf "running running"
t_wait 180 ready deaf 2
job prod 200 2 $HALF "$FOREVER"
becomes "production runs when its notice is over" prod "running running"
c job stop --purge deaf >/dev/null
c job stop --purge prod >/dev/null
t_wait 60 gone prod

# ---- paused: it stands still, keeps its memory, and goes on ----
job paused 100 1 $((2 * HALF)) 'i=0; while :; do i=$((i + 1)); echo $i >/out/count; sleep 0.05; done' \
	'preemption: {how: pause}'
becomes "a batch job that can be paused" paused running
t_wait 180 test -s "$T_DIR/out/count"
paused=$(pid_of paused 0)
job prod 200 1 $HALF "$FOREVER"
becomes "production runs beside it" prod running
becomes "it is told as paused" paused paused
is_still() { local was; was=$(cat "$T_DIR/out/count"); sleep 0.3; [ "$was" = "$(cat "$T_DIR/out/count")" ]; }
t_wait 60 is_still && t_ok "and stands still" || t_fail "and stands still" "$(cat "$T_DIR/out/count")"
d_end KILL
d_start --fence 10 --whole-cores
still_paused() { [ "$(states paused) $(states prod)" = "paused running" ]; }
t_wait 60 still_paused || true
t_is "also for the next celld" "paused running" "$(states paused) $(states prod)"
was=$(cat "$T_DIR/out/count")
was=${was:-0}
c job stop --purge prod >/dev/null
becomes "it goes on when there is room" paused running
went_on() { local now; now=$(cat "$T_DIR/out/count"); [ "${now:-0}" -gt "$was" ]; }
t_wait 60 went_on && t_ok "from where it was" || t_fail "from where it was" "$was, $(cat "$T_DIR/out/count")"
t_is "in its memory" "$paused" "$(pid_of paused 0)"
c job stop --purge paused >/dev/null
t_wait 60 gone paused

# ---- a single instance: its shim ends it when its master was away for too long ----
t_is "it runs on while its master lives" "$pid" "$(pid_of one 0)"
d_end KILL
# shellcheck disable=SC2016 # for that shell
t_wait 60 sh -c '! kill -0 $0 2>/dev/null' "$pid" && t_ok "without its master it ends" ||
	t_fail "without its master it ends" "$(c ps)"
kill -0 "$other" 2>/dev/null && t_ok "the other one runs on" || t_fail "the other one runs on" "$(c ps)"
d_start --fence 10 --whole-cores
anew() { is_state one running && [ "$(of_task one 0 incarnation)" -gt "$first" ]; }
t_wait 60 anew && t_ok "the next master starts it anew" || t_fail "the next master starts it anew" "$(c job status one)"
t_is "which is no failure of its own" 1 "$(c ps | grep -c dev.one)"

for name in one two; do c job stop --purge $name >/dev/null; done
no_tasks() { ! c ps -aq | grep -q . && [ -z "$(ls -A "$C_ROOT/containers/.tmp")" ]; }
t_wait 60 no_tasks && t_ok "nothing runs any more" || t_fail "nothing runs any more" "$(c ps -a)"
d_end TERM
c_nothing_left "$BEFORE"

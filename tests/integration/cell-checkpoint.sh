#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Preemption by checkpoint: a task of batch that counts in its memory makes room for production, and
# goes on at its count when that has ended; without criu it goes with its notice, and says why.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/criu.sh"
t_need_root
# It may have to be fetched, while there is a network.
[ -n "${T_UNSHARED:-}" ] || t_criu || true
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/dev.sh"
ip link set lo up
c_setup
BEFORE=$T_DIR/before
c_residue >"$BEFORE"
OUT=$T_DIR/out
mkdir "$OUT"

becomes() { # NAME JOB STATES
	t_wait 180 is_state "$2" "$3" && t_ok "$1" || t_fail "$1" "$(c job status "$2"; c cell events | tail -n 12; tail "$T_DIR/celld.log")"
}
job() { # NAME PRIORITY CPU SCRIPT [MORE...]
	local name=$1
	cat >"$T_DIR/$name.yaml" <<-END
		job: $name
		owner: tests
		priority: $2
		tasks:
		  image: $IMAGE
		  command: [sh, -c, '$4']
		  stop_grace: 100ms
		  resources: {cpu: ${3}m, memory: 16Mi}
		  volumes: [{source: $OUT, target: /out}]
	END
	shift 4
	[ $# = 0 ] || printf '%s\n' "$@" >>"$T_DIR/$name.yaml"
	c job run "$T_DIR/$name.yaml" >/dev/null
}
# The number lives in the shell's memory only.
COUNT='echo >>/out/NAME.starts; trap "echo >>/out/NAME.noticed" TERM; n=0; while :; do n=$((n + 1)); echo $n >/out/NAME.new; mv /out/NAME.new /out/NAME; sleep 0.1; done'
counting() { # NAME PRIORITY CPU [MORE...]
	local name=$1 priority=$2 cpu=$3
	shift 3
	job "$name" "$priority" "$cpu" "${COUNT//NAME/$name}" "$@"
}
number() { cat "$OUT/$1" 2>/dev/null || echo 0; }
beyond() { [ "$(number "$1")" -gt "$2" ]; }
starts() { wc -l 2>/dev/null <"$OUT/$1.starts"; }
event() { c cell events -o json | jq -rs "[.[] | select(.kind == \"$1\" and .job == \"$2\")] | length"; }
event_text() { c cell events -o json | jq -rs "[.[] | select(.kind == \"$1\" and .job == \"$2\") | .text][-1]"; }
folders() { find "$C_ROOT/containers" -name 'checkpoint*' | wc -l; }
purge() { c job stop --purge "$1" >/dev/null; }
no_container() { local all; all=$(c ps -a) && ! grep -q "dev.$1" <<<"$all"; }
gone() { # JOB
	t_wait 60 no_container "$1" && t_ok "nothing is left of $1" || t_fail "nothing is left of $1" "$(c ps -a)"
}

# ---- without criu ----

d_start --criu /nonexistent
t_wait 60 sh -c "[ \$(ctr --root '$C_ROOT' --runroot '$C_RUN' machine ls -o json | jq length) = 1 ]"
ALL=$(($(c machine ls -o json | jq '.[0].cpu_milli') - 100))
counting none 100 "$ALL" 'preemption: {how: checkpoint, notice: 10s}'
t_wait 60 beyond none 3 || t_fail "a task counts" "$(c job status none)"
job prod 200 "$ALL" 'while :; do sleep 1; done'
becomes "without criu: production runs" prod running
t_becomes "it had its notice" 1 eval 'wc -l <"$OUT/none.noticed"'
t_becomes "and an event says why" 1 event task-checkpoint-failed none
t_match "in words" 'so it was ended: criu at /nonexistent: No such file or directory$' "$(event_text task-checkpoint-failed none)"
t_match "why says it, too" 'it could not be checkpointed: criu at /nonexistent: .*; 1 machines: 1 short of CPU' "$(c job why none)"
purge prod
becomes "it runs again" none running
t_becomes "from its beginning" 2 starts none
t_match "status says why" 'it could not be checkpointed: criu at /nonexistent' "$(of_task none 0 reason)"
purge none
gone none
d_end TERM

t_criu || {
	t_skip "preemption by checkpoint" "$CRIU_WHY"
	exit
}

# ---- with it ----

cat >"$T_DIR/criu" <<-END
	#!/bin/sh
	[ ! -e "$T_DIR/hold" ] || touch "$T_DIR/held"
	while [ -e "$T_DIR/hold" ]; do sleep 0.1; done
	exec "$CRIU" "\$@"
END
chmod +x "$T_DIR/criu"
d_start --criu "$T_DIR/criu"
counting task 100 "$ALL" 'preemption: {how: checkpoint, notice: 60s}'
t_wait 60 beyond task 3 || t_fail "a task counts" "$(c job status task)"
address=$(of_task task 0 address)
job prod 200 "$ALL" 'while :; do sleep 1; done'
becomes "production runs in the place of one that was checkpointed" prod running
at=$(number task)
t_is "an event tells of it" 1 "$(event task-checkpointed task)"
t_match "why: where its checkpoint is" "its checkpoint is on $(hostname); 1 machines: 1 short of CPU" "$(c job why task)"
t_is "it had no notice" no "$([ -e "$OUT/task.noticed" ] && echo yes || echo no)"
t_is "its memory is on the disk" 1 "$(folders)"
t_is "it counts no more" "$at" "$(number task)"

# Master and agent are killed, and come back.
d_end KILL
d_start --criu "$T_DIR/criu"
t_wait 60 is_state prod running || t_fail "production after a kill" "$(c job status prod)"
t_becomes "after a kill of master and agent it is still there" "1 1" eval 'echo "$(folders) $(event task-checkpointed task)"'
purge prod
becomes "it goes on when production has ended" task running
t_wait 60 beyond task "$at" && t_ok "from its count ($at)" || t_fail "from its count" "$(number task), $at"
t_is "it was started once" 1 "$(starts task)"
t_becomes "an event tells of it" 1 event task-restored task
t_is "it has its address" "$address" "$(of_task task 0 address)"
t_becomes "its images are gone" 0 folders
t_becomes "a command in it" fine c job exec task/0 -- echo fine
t_match "its log is of both runs" ok "$(c job logs task/0 >/dev/null && echo ok)"

# Both are killed while CRIU restores it, for a shim that lives on.
job prod 200 "$ALL" 'while :; do sleep 1; done'
becomes "it makes room again" prod running
t_becomes "for one that is whole" 2 event task-checkpointed task
at=$(number task)
touch "$T_DIR/hold"
purge prod
t_wait 60 [ -e "$T_DIR/held" ] || t_fail "CRIU is asked to restore" "$(c job status task)"
d_end KILL
d_start --criu "$T_DIR/criu"
rm "$T_DIR/hold"
becomes "it goes on all the same" task running
t_wait 60 beyond task "$at" && t_ok "once more from its count ($at)" || t_fail "once more from its count" "$(number task), $at"
t_is "which was started once" 1 "$(starts task)"
t_becomes "whose images are gone" 0 folders

# Once more, and then it is not wanted any more.
job prod 200 "$ALL" 'while :; do sleep 1; done'
becomes "it can be checkpointed again" prod running
t_becomes "and is" 2 event task-checkpointed task
purge task
gone task
t_becomes "nor of its checkpoint" 0 folders
purge prod
gone prod

# ---- what cannot be ----

printf secret | c secret set word --owner tests >/dev/null
cat >"$T_DIR/secret.yaml" <<-END
	job: secret
	owner: tests
	priority: 100
	tasks:
	  image: $IMAGE
	  command: [sleep, "1000"]
	  resources: {cpu: ${ALL}m, memory: 16Mi}
	  secrets: [{name: word, target: /run/word}]
	preemption: {how: checkpoint, notice: 100ms}
END
c job run --wait "$T_DIR/secret.yaml" >/dev/null
job prod 200 "$ALL" 'while :; do sleep 1; done'
becomes "production in the place of one with a secret" prod running
t_becomes "which is not written to the disk" 1 event task-checkpoint-failed secret
t_match "in words" 'it has secrets' "$(event_text task-checkpoint-failed secret)"
t_is "and was not" 0 "$(folders)"
purge prod
purge secret
gone prod
gone secret

d_end TERM

c_nothing_left "$BEFORE"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The verbs of ctr that change and tell a cell of one machine, and its API.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/dev.sh"
ip link set lo up
c_setup
BEFORE=$T_DIR/before
c_residue >"$BEFORE"
HOST=$(uname -n)

api() { # PATH [OPTION...]
	local path=$1
	shift
	curl -s --max-time 120 --unix-socket "$C_RUN/cell.sock" "$@" "http://cell$path"
}
code() { api "$1" -o /dev/null -w '%{http_code}' "${@:2}"; }
job() { # FILE NAME COUNT COMMAND [MORE...]
	local file=$1
	cat >"$file" <<-END
		job: $2
		owner: tests
		priority: 200
		tasks:
		  count: $3
		  image: $IMAGE
		  command: $4
		  stop_grace: 100ms
		  resources: {cpu: 50m, memory: 16Mi}
	END
	shift 4
	[ $# = 0 ] || printf '%s\n' "$@" >>"$file"
}

d_start
job "$T_DIR/web.yaml" web 2 '[sh, -c, "echo hello; exec sleep 1000"]'

# ---- plan, and what then happens ----
plan=$(c job plan -o json "$T_DIR/web.yaml")
t_is "plan: all would be placed" "2 0" "$(jq -r '"\(.placed) \(.pending)"' <<<"$plan")"
t_is "plan: where" "$HOST $HOST" "$(jq -r '[.tasks[].machine] | join(" ")' <<<"$plan")"
t_is "plan: nothing was done" "[]" "$(c job ls -o json | jq -c .)"
c job run --wait --timeout 120s "$T_DIR/web.yaml" >/dev/null
t_is "and so it is" "running running" "$(states web)"
t_is "they are where the plan said" "$HOST" "$(of_task web 0 machine)"
sed 's/count: 2/count: 4/; s/16Mi/32Mi/' "$T_DIR/web.yaml" >"$T_DIR/web2.yaml"
t_match "plan: the difference" '^tasks.resources.memory +16Mi +32Mi$' "$(c job plan "$T_DIR/web2.yaml")"
t_match "plan: of the number" '^tasks.count +2 +4$' "$(c job plan "$T_DIR/web2.yaml")"
t_match "plan: it is there" 'has to be stopped first' "$(c job plan "$T_DIR/web2.yaml")"
job "$T_DIR/big.yaml" big 1 '[true]'
sed -i 's/memory: 16Mi/memory: 900Gi/' "$T_DIR/big.yaml"
t_match "plan: what would wait, and why" '^0 +\(waits\) +1 machines: 1 too small' "$(c job plan "$T_DIR/big.yaml")"
t_status "run --wait ends in time" 124 c job run --wait --timeout 300ms "$T_DIR/big.yaml"
t_match "and says why" 'big/0: pending: 1 machines: 1 too small' "$T_ERR"
c job stop --purge big >/dev/null

# ---- scale ----
first=$(of_task web 0 container)
t_is "scale up" web "$(c job scale --wait --timeout 120s web 4)"
t_is "four run" "running running running running" "$(states web)"
t_is "the first was left alone" "$first" "$(of_task web 0 container)"
c job scale web 1 >/dev/null
t_is "scale down" running "$(states web)"
one_left() { [ "$(c ps -q --filter name=dev.web | wc -l)" = 1 ] || [ "$(c ps | grep -c dev.web)" = 1 ]; }
t_wait 60 one_left && t_ok "the others are gone" || t_fail "the others are gone" "$(c ps)"
t_status "scale: no number" 1 c job scale web many
t_status "scale: to none" 1 c job scale web 0
t_match "scale: to none, why" '0 is no number of tasks' "$T_ERR"

# ---- a gang ----
job "$T_DIR/gang.yaml" gang 2 '[sleep, "1000"]' 'gang: true'
c job run --wait --timeout 120s "$T_DIR/gang.yaml" >/dev/null
t_is "scale of a gang: the plan" "2 0" "$(c job scale --plan -o json gang 3 | jq -r '"\(.tasks[0].index) \(.pending)"')"
c job scale --wait --timeout 120s gang 3 >/dev/null
t_is "scale of a gang" "running running running" "$(states gang)"
c job scale gang 3000 >/dev/null
gang_shape() { c job status gang -o json | jq -r '[.tasks[].state] | group_by(.) | map("\(length) \(.[0])") | join(" ")'; }
t_is "more than fit: none of them starts" "2997 pending 3 running" "$(gang_shape)"
c job scale gang 1 >/dev/null
t_is "and fewer" running "$(states gang)"
c job stop --purge gang >/dev/null
no_gang() { local all; all=$(c ps) && ! grep -q dev.gang <<<"$all"; }
t_wait 60 no_gang && t_ok "a gang goes" || t_fail "a gang goes" "$(c ps)"
c job scale --wait web 2 >/dev/null

# ---- resize, in place ----
pid=$(c inspect "$(of_task web 0 container)" | jq '.[0].pid')
t_match "resize --plan" '^0 +in place' "$(c job resize web/0 --memory 48Mi --plan)"
memory() { c inspect "$(of_task web "$1" container)" | jq '.[0].limits.memory_bytes // .[0].limits.memory'; }
was=$(memory 0)
c job resize web/0 --memory 48Mi --cpu 80m >/dev/null
resized() { [ "$(memory 0)" != "$was" ]; }
t_wait 60 resized && t_ok "a task was resized" || t_fail "a task was resized" "$(c inspect "$(of_task web 0 container)" | jq -c '.[0].limits')"
t_is "to what was asked for" $((48 * 1024 * 1024)) "$(memory 0)"
t_is "in place" "$pid" "$(c inspect "$(of_task web 0 container)" | jq '.[0].pid')"
t_is "the other one was not" "$was" "$(memory 1)"
t_status "resize: too much" 1 c job resize web --memory 900Gi
t_status "resize: nothing" 1 c job resize web
t_match "machine status tells it" '^web/0 +running +200 +80m +48Mi' "$(c machine status "$HOST")"

# ---- restart ----
before=$(of_task web 0 incarnation) other=$(of_task web 1 container)
c job restart web/0 >/dev/null
restarted() { [ "$(of_task web 0 state)" = running ] && [ "$(of_task web 0 incarnation)" -gt "$before" ]; }
t_wait 60 restarted && t_ok "restart of one" || t_fail "restart of one" "$(c job status web)"
t_is "restart: the other one is left alone" "$other" "$(of_task web 1 container)"
t_is "restart: with its new size" $((48 * 1024 * 1024)) "$(memory 0)"

# ---- logs, exec ----
said() { [ "$(c job logs --tail 1 web/0)" = hello ]; }
t_wait 60 said || true
t_is "logs --tail" hello "$(c job logs --tail 1 web/0)"
timeout 300 "$CELLAR_BIN/ctr" --root "$C_ROOT" --runroot "$C_RUN" job logs -f web/0 >"$T_DIR/follow" &
E=$!
t_kill_later $E
t_wait 60 grep -q hello "$T_DIR/follow" && t_ok "logs -f" || t_fail "logs -f" "$(cat "$T_DIR/follow")"
kill $E
t_is "exec" "hi there" "$(c job exec web/0 -- echo hi there)"
t_status "exec: its status" 7 c job exec web/1 sh -c 'exit 7'
t_status "exec: no such task" 1 c job exec web/9 true
t_match "exec: no such task, why" 'job web has no task 9, but 2 of them' "$T_ERR"

# ---- completion ----
words() { c completion words --root "$C_ROOT" --runroot "$C_RUN" "$@" | cut -f1 | xargs; }
t_is "completion: verbs of a group" "scale status stop" "$(words job s | tr ' ' '\n' | sort | xargs)"
t_is "completion: jobs" web "$(words job status w)"
t_is "completion: machines" "$HOST" "$(words machine drain --deadline 5m "${HOST:0:1}")"
t_is "completion: options" "--deadline" "$(words machine drain --dead)"
t_is "completion: not of what runs in a task" "" "$(words job exec web/0 w)"

# ---- history, events ----
t_match "history" 'root +scaled from 2 to 4 tasks' "$(c job history web)"
t_match "history: resize" 'task 0 resized to 80m of CPU' "$(c job history web)"
t_match "events" 'task-running +web/0 on' "$(c cell events)"
since=$(api /v1/cell | jq .index)
timeout 300 "$CELLAR_BIN/ctr" --root "$C_ROOT" --runroot "$C_RUN" cell events -f --since "$since" >"$T_DIR/events" &
E=$!
t_kill_later $E
c machine cordon "$HOST" >/dev/null
t_wait 60 grep -q "machine-state .*: cordoned" "$T_DIR/events" && t_ok "events -f" || t_fail "events -f" "$(cat "$T_DIR/events")"
kill $E

# ---- machines ----
t_match "cordon" "^$HOST +cordoned" "$(c machine ls)"
job "$T_DIR/late.yaml" late 1 '[sleep, "1000"]'
c job run "$T_DIR/late.yaml" >/dev/null
t_is "nothing new comes to it" pending "$(states late)"
t_match "why" '1 not up' "$(c job why late)"
c machine uncordon "$HOST" >/dev/null
t_wait 60 is_state late running && t_ok "uncordon" || t_fail "uncordon" "$(c job status late)"
t_status "drain --deadline" 0 c machine drain --deadline 60s "$HOST"
t_match "machine status tells who" '^so since root wanted it; all is moved by 2' "$(c machine status "$HOST")"
t_match "events tell who" "machine-state .*: draining by root" "$(c cell events)"
t_match "drained" "^$HOST +draining .* 0$" "$(c machine ls)"
t_is "its tasks pend" pending "$(states late)"
c machine uncordon "$HOST" >/dev/null
t_wait 60 is_state late running || t_fail "after the drain" "$(c job status late)"
t_wait 60 is_state web "running running" || t_fail "after the drain, web" "$(c job status web)"
t_status "a machine that is not there" 1 c machine cordon nowhere
t_match "a machine that is not there: sentence" 'there is no machine called nowhere' "$T_ERR"

# ---- alloc sets ----
cat >"$T_DIR/set.yaml" <<-END
	alloc_set: pool
	owner: tests
	priority: 200
	count: 2
	resources: {cpu: 100m, memory: 64Mi}
END
c job run "$T_DIR/set.yaml" >/dev/null
t_match "alloc ls" '^pool +tests +200 +reserved +100m +64Mi +2/2$' "$(c alloc ls)"
job "$T_DIR/guest.yaml" guest 1 '[sleep, "1000"]' 
sed -i '/^in:/d; s/^priority: 200/priority: 200\nalloc_set: pool/' "$T_DIR/guest.yaml"
c job run --wait "$T_DIR/guest.yaml" >/dev/null
t_match "alloc status" "^[01] +$HOST +50m, 48Mi +guest/0$" "$(c alloc status pool)"
t_match "alloc resize" '^0 +in place' "$(c alloc resize pool --memory 96Mi)"
t_match "alloc resize shows" '^pool +tests +200 +reserved +100m +96Mi' "$(c alloc ls)"
c job stop --purge guest >/dev/null
c job stop --purge pool >/dev/null

# ---- the cell ----
t_match "cell status" 'machines: 1 up, 0 cordoned' "$(c cell status)"
t_match "cell top" "^$HOST +up +CPU \[" "$(c cell top)"
t_is "healthz, readyz" "200 200" "$(code /healthz) $(code /readyz)"
t_match "metrics" '^cellar_tasks\{state="running"\} 3$' "$(api /metrics)"
t_is "openapi" "$(md5sum <"$T_TOP/docs/openapi.yaml")" "$(api /v1/openapi.yaml | md5sum)"
index=$(api /v1/jobs/web | jq .index)
(sleep 0.3 && c job scale web 3 >/dev/null) &
t_is "long poll: answers when it has changed" 3 "$(api "/v1/jobs/web?tasks=false&wait=100&index=$index" | jq .count)"
wait $! 2>/dev/null
t_is "a path that is not there" 404 "$(code /v1/nothing)"
t_is "a method that is not there" 404 "$(code /v1/jobs/web -X PATCH)"
job "$T_DIR/once.yaml" once 1 '[sleep, "1000"]'
once() { code '/v1/jobs?file=once' -X POST --data-binary "@$T_DIR/once.yaml" "$@"; }
t_is "a job handed in again by its key" "200 200 409 409" "$(once -H 'Idempotency-Key: k-1') $(once -H 'Idempotency-Key: k-1') $(once -H 'Idempotency-Key: k-2') $(once)"
c job stop --purge once >/dev/null
t_is "no JSON" 400 "$(code /v1/jobs/web/scale -d nonsense)"
t_is "too large" 413 "$(head -c 10000000 /dev/zero | code /v1/jobs --data-binary @-)"
t_is "and it goes on" 200 "$(code /healthz)"

# ---- backup, restore ----
t_is "backup" "$T_DIR/cell.backup" "$(c cell backup "$T_DIR/cell.backup")"
t_status "backup: never over a file" 1 c cell backup "$T_DIR/cell.backup"
c job stop --purge late >/dev/null
no_late() { ! c ps -a | grep -q dev.late; }
t_wait 60 no_late || t_fail "late is gone" "$(c ps -a)"
t_status "restore beside a celld" 1 c cell restore "$T_DIR/cell.backup"
t_match "restore beside a celld: why" 'another celld is at work' "$T_ERR"
d_end TERM
head -c 5000 "$T_DIR/cell.backup" >"$T_DIR/torn"
t_status "restore: a torn one" 1 c cell restore "$T_DIR/torn"
t_match "restore: a torn one, why" 'torn is no backup of a cell that can be used' "$T_ERR"
t_status "restore" 0 c cell restore "$T_DIR/cell.backup"
d_start
t_wait 60 is_state late running && t_ok "what was stopped after the backup runs again" ||
	t_fail "what was stopped after the backup runs again" "$(c job status late 2>&1)"
t_wait 60 is_state web "running running running" && t_ok "the scaled job, too" || t_fail "the scaled job, too" "$(c job status web)"
t_is "with its sizes" $((48 * 1024 * 1024)) "$(memory 0)"
t_match "and its history" 'scaled from 2 to 3 tasks' "$(c job history web)"

# ---- the end ----
for name in web late; do c job stop --purge $name >/dev/null; done
no_tasks() { ! c ps -aq | grep -q .; }
t_wait 60 no_tasks && t_ok "nothing runs any more" || t_fail "nothing runs any more" "$(c ps -a)"
d_end TERM
c_nothing_left "$BEFORE"

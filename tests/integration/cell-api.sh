#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The socket of a task to its cell, and the framework of docs/framework.md, which runs twenty tasks by it.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/dev.sh"
. "$T_TOP/tests/lib/image.sh"
ip link set lo up
c_setup
# The framework of the page, in an image beside busybox.
mkdir -p "$T_DIR/more/bin"
awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$T_TOP/docs/framework.md" >"$T_DIR/framework.c"
t_is "about a hundred lines" true "$([ "$(wc -l <"$T_DIR/framework.c")" -le 130 ] && echo true)"
cc -static -O1 -o "$T_DIR/more/bin/framework" "$T_DIR/framework.c" 2>"$T_DIR/cc" || t_fail "the page's program compiles" "$(cat "$T_DIR/cc")"
BASE=1 t_image_of localhost/framework:1 "$T_DIR/image" "$T_DIR/more" '{"Cmd": ["/bin/sh"]}'
c image import "$T_DIR/image" >/dev/null
BEFORE=$T_DIR/before
c_residue >"$BEFORE"
d_start
run_wait() { timeout 120 ctr --root "$C_ROOT" --runroot "$C_RUN" job run --wait "$1" >/dev/null; }

# ---- what a task may ask, from outside of it: by its own socket and token ----
cat >"$T_DIR/set.yaml" <<-END
	alloc_set: room
	owner: search
	priority: 200
	resources: {cpu: 200m, memory: 96Mi}
END
job() { # NAME OWNER SET...
	cat >"$T_DIR/$1.yaml" <<-END
		job: $1
		owner: $2
		priority: 200
		$3
		tasks:
		  count: 1
		  image: $IMAGE
		  command: [sleep, "1000"]
		  user: "1000"
		  stop_grace: 100ms
		  resources: {cpu: 50m, memory: 16Mi}
		  api: true
	END
}
job boss search 'alloc_set: room'
job other others ''
run_wait "$T_DIR/set.yaml"
run_wait "$T_DIR/boss.yaml"
run_wait "$T_DIR/other.yaml"
pocket() { # JOB: its folder on the host
	c inspect "$(of_task "$1" 0 container)" | jq -r '.[0].mounts[] | select(.target == "/run/cellar") | .source'
}
API=$(pocket boss)
TOKEN=$(cat "$API/token")
ask() { # METHOD PATH [BODY]
	curl -s -m 60 --unix-socket "$API/cell.sock" -H "Authorization: Bearer $TOKEN" -X "$1" ${3+--data-binary "$3"} "http://cell$2"
}
error() { ask "$@" | jq -r .error; }
t_is "it finds socket and token" "/run/cellar/cell.sock /run/cellar/token" "$(c exec "$(of_task boss 0 container)" sh -c 'echo $CELLAR_SOCKET $CELLAR_TOKEN_FILE')"
t_is "its user alone reads the token" "400 1000" "$(c exec "$(of_task boss 0 container)" stat -c '%a %u' /run/cellar/token)"
t_is "one without api has no socket" "" "$(c inspect "$(of_task boss 0 container)" | jq -r '.[0].config.env[]?' | grep TOKEN= || true)"
t_is "self" "boss 0 search room 0" "$(ask GET /v1/self | jq -r '[.job, .index, .owner, .alloc_set, .alloc] | join(" ")')"
t_is "peers" "1 running" "$(ask GET /v1/peers | jq -r '"\(.count) \(.peers[0].state)"')"
t_is "its alloc set" "boss/0" "$(ask GET /v1/alloc-set | jq -r '.allocs[0].tasks[0]')"
t_is "resize myself" true "$(ask POST /v1/self/resize '{"memory_bytes": 33554432}' | jq .done)"
t_is "and so it is" 33554432 "$(ask GET /v1/self | jq .memory_bytes)"
t_is "scale my job" 2 "$(ask POST /v1/job/scale '{"count": 2}' | jq .count)"
two() { [ "$(ask GET /v1/peers | jq -r '[.peers[].state] | join(" ")')" = "running running" ]; }
t_wait 60 two && t_ok "and so it does" || t_fail "and so it does" "$(ask GET /v1/peers)"
t_is "more room in each alloc of my set" true "$(ask POST /v1/alloc-set/resize '{"memory_bytes": 134217728}' | jq .done)"

t_is "grow my alloc set" 2 "$(ask POST /v1/alloc-set/scale '{"count": 2}' | jq .count)"
grown() { [ "$(ask GET /v1/alloc-set | jq -r '"\(.count) \(.reserved) \([.allocs[].index] | join(" "))"')" = "2 2 0 1" ]; }
t_wait 60 grown && t_ok "and so it does" || t_fail "and so it does" "$(ask GET /v1/alloc-set)"
t_is "and shrink it" 1 "$(ask POST /v1/alloc-set/scale '{"count": 1}' | jq .count)"
t_is "an empty alloc goes" "1 1" "$(ask GET /v1/alloc-set | jq -r '"\(.count) \([.allocs[].tasks[] | select(startswith("boss/"))] | length | if . > 0 then 1 else 0 end)"')"

# ---- nothing of another job ----
t_is "no token" 401 "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$API/cell.sock" http://cell/v1/self)"
t_is "another's token" 401 "$(TOKEN=$(cat "$(pocket other)/token"); ask GET /v1/self -o /dev/null | jq -r 'if .error then 401 else 200 end')"
t_match "another's job" 'job boss has made no job called other' "$(error GET /v1/jobs/other)"
t_match "another's size" 'job boss has made no job called other' "$(error POST /v1/jobs/other/scale '{"count": 2}')"
t_match "another's end" 'job boss has made no job called other' "$(error DELETE /v1/jobs/other)"
t_match "what only people may" 'a task cannot ask for that' "$(error GET /v1/machines)"
t_match "a path with everything in it" 'a task cannot ask for that' "$(error GET '/v1/jobs/..%2Fother')"
file() { # NAME OWNER PRIORITY SET
	echo "{job: $1, owner: $2, priority: $3, alloc_set: $4, tasks: {image: $IMAGE, command: [sleep, '1000'], stop_grace: 100ms, resources: {cpu: 10m, memory: 8Mi}}}"
}
t_match "a name of somebody else" 'begins with its job.s and a dot, like boss.work' "$(error POST /v1/jobs "$(file web.work search 200 room)")"
t_match "another's owner" 'a job of search hands in jobs of search alone' "$(error POST /v1/jobs "$(file boss.work others 200 room)")"
t_match "a higher priority" 'that of job boss is 200' "$(error POST /v1/jobs "$(file boss.work search 300 room)")"
sed 's/room/foreign/; s/owner: search/owner: others/' "$T_DIR/set.yaml" >"$T_DIR/foreign.yaml"
run_wait "$T_DIR/foreign.yaml"
t_match "another job's alloc set" 'alloc set foreign is not that of job boss, and was not made by it' "$(error POST /v1/jobs "$(file boss.work search 200 foreign)")"
t_match "no job file" 'job file of boss/0' "$(error POST /v1/jobs 'what is this')"
t_match "no JSON" "the request's body" "$(error POST /v1/job/scale 'xyz')"
head -c 300000 /dev/zero | tr '\0' ' ' >"$T_DIR/large"
t_is "too large a body" 413 "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$API/cell.sock" -H "Authorization: Bearer $TOKEN" --data-binary "@$T_DIR/large" http://cell/v1/jobs)"
t_is "a job in its own set" boss.work "$(ask POST /v1/jobs "$(file boss.work search 200 room)" | jq -r .job)"
t_wait 60 is_state boss.work running && t_ok "runs" || t_fail "runs" "$(c job status boss.work)"
# Some at a time: that is quicker than 20 a second on any machine.
t_is "too many requests" 429 "$(curl -s -Z --parallel-max 6 -m 300 --unix-socket "$API/cell.sock" -H "Authorization: Bearer $TOKEN" -o /dev/null \
	-w '%{http_code}\n' 'http://cell/v1/nothing-at-all-[1-500]' | grep -m 1 429)"

# ---- the agent goes and comes back ----
kill -9 $D
wait $D 2>/dev/null
d_start
back() { [ "$(ask GET /v1/self | jq -r .job 2>/dev/null)" = boss ]; }
t_wait 60 back && t_ok "after a kill of celld the socket is there again" || t_fail "the socket is there again" "$(cat "$T_DIR/celld.log")"
t_is "and knows whose jobs are whose" boss.work "$(ask GET /v1/jobs | jq -r '.[].name')"
t_is "DELETE" boss.work "$(ask DELETE /v1/jobs/boss.work | jq -r .job)"
for name in boss other room foreign; do c job stop --purge $name >/dev/null; done

# ---- the framework ----
cat >"$T_DIR/crawler.yaml" <<-END
	job: crawler
	owner: search
	priority: 200
	restart: {when: never}
	tasks:
	  image: localhost/framework:1
	  command: [/bin/framework, $IMAGE, "20", "4"]
	  resources: {cpu: 50m, memory: 16Mi}
	  api: true
END
c job run "$T_DIR/crawler.yaml" >/dev/null
if t_wait 180 is_state crawler finished; then
	t_ok "the framework has run"
else
	t_fail "the framework has run" "$(c job status crawler; c job logs crawler | tail -n 5; tail -n 3 "$T_DIR/celld.log")"
fi
t_is "twenty tasks in a room of its own" "room is reserved, task 20 of 20 is done" "$(c job logs crawler | sed -n '1p; $p' | paste -sd, | sed 's/,/, /')"
t_is "and has left nothing" crawler "$(c job ls -o json | jq -r '.[].name')"
c job stop --purge crawler >/dev/null
no_tasks() { ! c ps -aq | grep -q . && [ ! -e "$C_RUN/.cell" ]; }
t_wait 60 no_tasks && t_ok "nothing runs any more" || t_fail "nothing runs any more" "$(c ps -a; ls "$C_RUN/.cell")"
kill $D
wait $D 2>/dev/null
c_nothing_left "$BEFORE"

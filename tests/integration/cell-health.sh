#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Health checks of a job file: the shim looks, the agent tells, the master starts again.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/dev.sh"
ip link set lo up
c_setup
BEFORE=$T_DIR/before
c_residue >"$BEFORE"
d_start

is() { # JOB FIELD VALUE
	[ "$(of_task "$1" 0 "$2")" = "$3" ]
}
job() { # NAME COMMAND CHECK
	cat >"$T_DIR/$1.yaml" <<-END
		job: $1
		owner: tests
		priority: 200
		restart: {backoff: 100ms}
		tasks:
		  image: $IMAGE
		  command: $2
		  stop_grace: 100ms
		  resources: {cpu: 50m, memory: 16Mi}
		  ports: [{name: http, container: 8080}]
		  health: $3
	END
	c job run "$T_DIR/$1.yaml" >/dev/null
}
TIMES="interval: 200ms, timeout: 5s, retries: 2"

job web '[httpd, -f, -p, "8080", -h, /etc]' "{http: /passwd, port: http, start_period: 60s, $TIMES}"
job tcp '[httpd, -f, -p, "8080"]' "{tcp: true, port: http, start_period: 60s, $TIMES}"
job exec '[sh, -c, "touch /well; exec sleep 1000"]' "{exec: [test, -e, /well], start_period: 60s, $TIMES}"
for kind in web tcp exec; do
	t_wait 60 is $kind health healthy && t_ok "$kind: healthy" || t_fail "$kind: healthy" "$(c job status $kind)"
done
t_match "the table tells it" '^0 +running, healthy ' "$(c job status web)"

# One that turns ill is started again, and is well then.
first=$(of_task exec 0 incarnation)
c exec "$(of_task exec 0 container)" rm /well
again() { [ "$(of_task exec 0 incarnation)" -gt "$first" ] && is exec health healthy && is exec state running; }
t_wait 60 again && t_ok "an unhealthy task is started again" || t_fail "an unhealthy task is started again" "$(c job status exec)"
t_is "and counted" 1 "$(of_task exec 0 restarts)"
t_match "and why is told" '^unhealthy: its check failed [0-9]+ times' "$(of_task exec 0 reason)"
t_is "nothing else was" "0 0" "$(of_task web 0 restarts) $(of_task tcp 0 restarts)"

# Nothing listens: it is given up where the job says so.
cat >"$T_DIR/ill.yaml" <<-END
	job: ill
	owner: tests
	priority: 200
	restart: {when: never}
	tasks:
	  image: $IMAGE
	  command: [sleep, "1000"]
	  stop_grace: 100ms
	  resources: {cpu: 50m, memory: 16Mi}
	  ports: [{name: http, container: 8080}]
	  health: {tcp: true, port: http, $TIMES}
END
c job run "$T_DIR/ill.yaml" >/dev/null
t_wait 60 is ill state failed && t_ok "without restarts it has failed" || t_fail "without restarts it has failed" "$(c job status ill)"
t_match "and why" '^unhealthy: ' "$(of_task ill 0 reason)"
ended() { [ "$(c inspect "$(of_task ill 0 container)" | jq -r '.[0].status')" = exited ]; }
t_wait 60 ended && t_ok "its container has ended, and is there for its log" || t_fail "its container has ended" "$(c ps -a)"

# The next celld knows it, too.
kill -9 $D
wait $D 2>/dev/null
d_start
t_wait 60 is web health healthy && t_ok "an adopted task's health is told" || t_fail "an adopted task's health is told" "$(c job status web)"

for name in web tcp exec ill; do c job stop --purge $name >/dev/null; done
no_tasks() { ! c ps -aq | grep -q .; }
t_wait 60 no_tasks && t_ok "nothing runs any more" || t_fail "nothing runs any more" "$(c ps -a)"
kill $D
wait $D 2>/dev/null
c_nothing_left "$BEFORE"

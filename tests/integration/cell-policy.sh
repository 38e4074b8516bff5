#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who may do what in a cell: policy, quotas, and the audit of every change.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/dev.sh"
ip link set lo up
c_setup
BEFORE=$T_DIR/before
c_residue >"$BEFORE"
# Its socket is root's alone; here others are let in, to be somebody who is no operator.
p_start() {
	d_start
	chmod 0666 "$C_RUN/cell.sock"
}
chmod 0711 "$T_DIR"
p_start
SOCKET=$C_RUN/cell.sock
root_asks() { # METHOD PATH [BODY]
	curl -s -m 60 --unix-socket "$SOCKET" -X "$1" ${3+--data-binary "$3"} "http://cell$2"
}
alice_asks() {
	setpriv --reuid 4711 --regid 4711 --clear-groups curl -s -m 60 --unix-socket "$SOCKET" -X "$1" ${3+--data-binary "$3"} "http://cell$2"
}
error() { alice_asks "$@" | jq -r .error; }
file() { # NAME OWNER PRIORITY [TASKS]
	echo "{job: $1, owner: $2, priority: $3, tasks: {image: $IMAGE, command: [sleep, '1000'], stop_grace: 100ms, resources: {cpu: 10m, memory: 8Mi}${4-}}}"
}
run() { # FILE: its error, or the job's name
	alice_asks POST /v1/jobs "$1" | jq -r '.error // .job'
}

# ---- without a policy ----
t_match "somebody else's owner" 'uid-4711 does not speak for search' "$(run "$(file web search 200)")"
t_is "one's own name" own "$(run "$(file own uid-4711 50)")"
t_match "not the host's network" 'tasks.network: host: owner uid-4711 may not have that' "$(run "$(file x uid-4711 50 ', network: host')")"
t_match "nor its paths" 'tasks.volumes: /etc: owner uid-4711' "$(run "$(file x uid-4711 50 ', volumes: [{source: /etc, target: /e}]')")"
t_match "nor privileged" 'tasks.privileged: owner uid-4711' "$(run "$(file x uid-4711 50 ', privileged: true')")"
t_match "nor devices" 'tasks.devices: /dev/fuse: owner uid-4711' "$(run "$(file x uid-4711 50 ', devices: [/dev/fuse]')")"
t_match "nor monitoring" 'may have nothing in the band monitoring' "$(run "$(file x uid-4711 400)")"
t_match "nor the policy" 'only the operator may' "$(error PUT /v1/policy 'callers: []')"
t_match "nor machines" 'drain: only the operator may' "$(error POST "/v1/machines/$(uname -n)/drain")"
t_match "nor a backup" 'only the operator may' "$(error GET /v1/cell/backup)"
t_match "nor others' secrets" 'does not speak for search' "$(error PUT '/v1/secrets/x?owner=search' v)"
root_asks POST /v1/jobs "$(file theirs search 200)" >/dev/null
t_match "nor others' jobs: stop" 'does not speak for search' "$(error DELETE /v1/jobs/theirs)"
t_match "nor others' jobs: scale" 'does not speak for search' "$(error POST /v1/jobs/theirs/scale '{"count": 3}')"

# ---- with one ----
cat >"$T_DIR/policy.yaml" <<-END
	callers:
	  - {name: uid-4711, owners: [search]}
	owners:
	  - owner: search
	    bands: [free, production]
	    host_network: true
	    host_paths: [/srv/search]
	    privileged: true
	    devices: [/dev/fuse]
END
policy() { c policy set "$1"; }
t_match "a mistake in it" 'policy.yaml:[0-9]+:[0-9]+: .*\"sometimes\" ' "$(root_asks PUT /v1/policy?file=policy.yaml 'quota: sometimes' | jq -r .error)"
policy "$T_DIR/policy.yaml" >/dev/null
t_is "it is shown" "$(cat "$T_DIR/policy.yaml")" "$(c policy show)"
t_is "whom she speaks for" web "$(run "$(file web search 200)")"
t_match "which bands" 'may have nothing in the band batch' "$(run "$(file x search 100)")"
t_is "host network" net "$(run "$(file net search 200 ', network: host')")"
t_match "what is beside the paths" 'tasks.volumes: /srv/searches' "$(run "$(file x search 200 ', volumes: [{source: /srv/searches, target: /e}]')")"
t_match "what leads out of them" 'tasks.volumes: /srv/search/../x' "$(run "$(file x search 200 ', volumes: [{source: /srv/search/../x, target: /e}]')")"
t_match "other devices" 'tasks.devices: /dev/kvm' "$(run "$(file x search 200 ', devices: [/dev/kvm]')")"
t_is "privileged" priv "$(run "$(file priv search 200 ', privileged: true')")"
BELOW=$T_DIR/below
mkdir "$BELOW" "$BELOW/folder"
ln -s / "$BELOW/out"
sed "s|/srv/search|$BELOW|" "$T_DIR/policy.yaml" >"$T_DIR/below.yaml"
policy "$T_DIR/below.yaml" >/dev/null
t_is "a symlink below the paths" link "$(run "$(file link search 200 ", volumes: [{source: $BELOW/out, target: /e}]")")"
t_is "and a folder" folder "$(run "$(file folder search 200 ", volumes: [{source: $BELOW/folder, target: /e}]")")"
refuses_link() { c job status link -o json | grep -q 'there is a symlink on the way'; }
t_wait 60 refuses_link && t_ok "the symlink is refused" || t_fail "the symlink is refused" "$(c job status link -o json)"
is_running() { [ "$(c job status "$1" -o json | jq -r '.tasks[0].state')" = running ]; }
t_wait 60 is_running priv && t_is "and so it is" true "$(c inspect "$(c job status priv -o json | jq -r '.tasks[0].container')" | jq '.[0].security.privileged // .[0].privileged')"
t_wait 60 is_running folder && t_ok "the folder is mounted" || t_fail "the folder is mounted" "$(c job status folder -o json)"
for name in link folder; do c job stop --purge "$name" >/dev/null; done
policy "$T_DIR/policy.yaml" >/dev/null
t_is "her jobs are hers" web "$(alice_asks DELETE '/v1/jobs/web?purge=true' | jq -r .job)"

# ---- quotas ----
quota() { # OWNER BAND BODY
	root_asks PUT "/v1/quotas/$1?band=$2" "$3" | jq -r '.error // .owner'
}
t_match "hers is not hers to set" 'only the operator may' "$(error PUT '/v1/quotas/search?band=production' '{}')"
t_match "no such band" '"high" is no band' "$(quota search high '{}')"
t_match "more than there is" 'production would be promised' "$(quota search production '{"cpu_milli": 100000000}')"
t_status "quota set" 0 c quota set search --cpu 50m --memory 64Mi
t_match "quota ls" '^search +production +30m of 50m +[0-9.]+Mi of 64Mi ' "$(c quota ls)"
t_status "quota set: a mistake" 1 c quota set search --cpu much
t_match "quota set: a mistake: sentence" '--cpu: .much. is no amount' "$T_ERR"
t_is "what is there is charged" 30 "$(root_asks GET /v1/quotas | jq '.[0].used.cpu_milli')"
t_is "within it" web "$(run "$(file web search 200)")"
t_match "above it" 'asks for 20 of CPU .milli., and search has 10 left of its production quota' "$(run "$(file x search 200 | sed 's/cpu: 10m/cpu: 20m/')")"
t_match "scale above it" 'more of CPU|asks for' "$(error POST /v1/jobs/web/scale '{"count": 9}')"
t_is "others have none, and are free" own2 "$(run "$(file own2 uid-4711 200)")"
kill -9 $D
wait $D 2>/dev/null
p_start
t_is "it is there after a kill" "40 50" "$(root_asks GET /v1/quotas | jq -r '.[0] | "\(.used.cpu_milli) \(.limit.cpu_milli)"')"
t_match "and holds" 'has 10 left' "$(run "$(file x search 200 | sed 's/cpu: 10m/cpu: 20m/')")"
t_is "so does the policy" "$(cat "$T_DIR/policy.yaml")" "$(root_asks GET /v1/policy | jq -r .text)"
(cat "$T_DIR/policy.yaml"; echo "quota: required") >"$T_DIR/strict.yaml"
policy "$T_DIR/strict.yaml" >/dev/null
t_match "required: those without any have none" 'uid-4711 has 0 left' "$(run "$(file x uid-4711 200)")"
t_is "but what is free" own3 "$(run "$(file own3 uid-4711 0)")"

# ---- the audit ----
AUDIT=$C_ROOT/cell.db.audit
t_is "for root alone" 600 "$(stat -c %a "$AUDIT")"
t_is "each line is JSON" "$(wc -l <"$AUDIT")" "$(jq -s length "$AUDIT")"
t_is "who, what, result" "uid-4711 owner 4711 done" "$(jq -r 'select(.what == "run own") | "\(.who) \(.role) \(.uid) \(.result)"' "$AUDIT")"
t_match "and why not" 'does not speak for search' "$(jq -r 'select(.what == "stop job theirs") | .why' "$AUDIT")"
t_is "machines, too" refused "$(jq -r 'select(.what | startswith("drain machine")) | .result' "$AUDIT")"
t_is "and the policy" "refused done" "$(jq -r 'select(.what == "set the policy" and .who == "root") | .result' "$AUDIT" | head -n 2 | xargs)"
head -c 11000000 /dev/zero | tr '\0' '\n' >>"$AUDIT"
run "$(file x search 100)" >/dev/null
t_is "it is rotated" "1 true" "$(wc -l <"$AUDIT") $([ "$(stat -c %s "$AUDIT.1")" -gt 10485760 ] && echo true)"

for name in $(root_asks GET /v1/jobs | jq -r '.[].name'); do c job stop --purge "$name" >/dev/null; done
no_tasks() { ! c ps -aq | grep -q .; }
t_wait 60 no_tasks && t_ok "nothing runs any more" || t_fail "nothing runs any more" "$(c ps -a)"
kill $D
wait $D 2>/dev/null
c_nothing_left "$BEFORE"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who may join a cell and who may ask it: tokens, certificates, what is refused and by which sentence;
# celld's configuration and its units.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/cell.sh"
cell_setup
KEYS=$T_DIR/keys
URL=https://10.99.0.1:$CELL_PORT
token() { celld token create --runroot "$CELL/master/run" "$@" 2>/dev/null; }
join() { celld join --master $URL --root "$T_DIR/nobody" "$@"; }
# ask KEYS METHOD PATH [BODY]: whatever is answered
ask() {
	local keys=$1 method=$2 path=$3 stem
	shift 3
	stem=person
	[ -e "$keys/person.crt" ] || stem=agent
	curl -s -m 60 --connect-to "::10.99.0.1:$CELL_PORT" --cacert "$keys/$stem-ca.crt" --cert "$keys/$stem.crt" \
		--key "$keys/$stem.key" -X "$method" ${1:+-d "$1"} "https://master.cellar$path"
}

# ---- tokens ----
cell_machine m1 --rack r1
t_wait 60 cell_up 1 && t_ok "a machine joins" || t_fail "a machine joins" "$(cell machine ls)"
t_is "keys are kept from others" "700 600 600" "$(stat -c %a "$CELL/m1/lib/pki" "$CELL/m1/lib/pki/agent.key" "$CELL/master/lib/pki/ca.key" | xargs)"
t=$(token)
t_status "a name that is there" 1 join --token "$t" --name m1
t_match "a name that is there: sentence" 'there is a machine called m1 already; .*--machine m1' "$T_ERR"
t_status "that did not use the token" 0 join --token "$t" --name m2
t_status "a token twice" 1 join --token "$t" --name m3
t_match "a token twice: sentence" 'the token was used already, by m2' "$T_ERR"
t_status "a machine's own token replaces its certificate" 0 join --token "$(token --machine m1)" --name other
t_match "under its own name" 'agent m1 has joined' "$T_OUT"
t=$(token --ttl 1ms)
sleep 0.05
t_status "a token whose time is over" 1 join --token "$t" --name m3
t_match "a token whose time is over: sentence" "the token's time was over at .*; .celld token create. makes another" "$T_ERR"
t_status "a token of another secret" 1 join --token "${t%?????}00000" --name m3
t_match "a token of another secret: sentence" "the token is none of this cell's" "$T_ERR"
t_status "a token of another CA" 1 join --token "cellar-$(printf '%064d' 7)-${t##*-}" --name m3
t_match "a token of another CA: sentence" 'the token is of another cell than the master at' "$T_ERR"
t_status "what is no token" 1 join --token nonsense
t_match "what is no token: sentence" 'this is no token of a cell' "$T_ERR"
t_status "a name that is none" 1 join --token "$(token)" --name 'a/b'
t_match "a name that is none: sentence" '"a/b" is no name' "$T_ERR"
t_is "secrets are not in the store" "" "$(grep -a -o -- "${t##*-}" "$CELL/master/lib/cell.db" "$CELL/master/lib/cell.db-wal")"
t=$(token)
cell_master_end KILL
cell_master_start
t_status "tokens outlive the master" 0 join --token "$t" --name m4

audited() { jq -r 'select(.what | test("'"$1"'")) | "\(.who) \(.result)"' "$CELL/master/lib/cell.db.audit" | sort | uniq -c | xargs; }
t_match "the audit: who made tokens" '^[0-9]+ root done$' "$(audited '^make a token for agent of any new name')"
t_is "the audit: who has joined" "1 m2 done" "$(audited '^join as agent m2$')"
t_is "the audit: who could not" "2 unknown refused" "$(audited '^join as agent$')"

# ---- people ----
t_status "a person joins" 0 join --token "$(token --operator alice)" --to "$KEYS"
export CELLAR_CELL_KEYS=$KEYS
t_wait 60 cell_up 1 || t_fail "the machine is back" "$(cell machine ls)"
t_match "ctr --cell" '^m1 +up +r1' "$(ctr --cell $URL machine ls 2>&1)"
t_match "CELLAR_CELL" '^m1 +up +r1' "$(CELLAR_CELL=$URL ctr machine ls 2>&1)"
cell_job "$T_DIR/web.yaml" web 1
t_is "a job from elsewhere" web "$(ctr --cell $URL job run --wait --timeout 120s "$T_DIR/web.yaml" 2>&1)"
t_status "no master there" 1 ctr --cell https://10.99.0.1:9 machine ls
t_match "no master there: sentence" 'no master of a cell answers at 10.99.0.1:9' "$T_ERR"
CELLAR_CELL_KEYS=$T_DIR/none t_status "no key" 1 ctr --cell $URL machine ls
t_match "no key: sentence" 'there is no key of a cell in .*/none; get one by: celld join' "$T_ERR"
t_status "no URL" 1 ctr --cell master machine ls
t_match "no URL: sentence" '"master" is no address of a master, like https://HOST:7643' "$T_ERR"

# ---- certificates ----
t_match "no certificate" 'this asks for a certificate of this cell' \
	"$(curl -s -m 60 --connect-to "::10.99.0.1:$CELL_PORT" --cacert "$KEYS/person-ca.crt" https://master.cellar/v1/jobs)"
t_match "a person is no agent" '/v1/agent/sync: that is not for the operator alice' "$(ask "$KEYS" POST /v1/agent/sync '{}')"
A=$T_DIR/nobody/pki # m4's
t_match "an agent is no person" '/v1/jobs: that is not for the agent m4' "$(ask "$A" GET /v1/jobs)"
t_match "an agent makes no tokens" 'that is not for the agent' "$(ask "$A" POST /v1/tokens '{"ttl_ms":1000}')"
t_match "an operator does" '"token":"cellar-' "$(ask "$KEYS" POST /v1/tokens '{"ttl_ms":1000}')"

# ---- certificates that are taken back ----
revoke() { celld token revoke --runroot "$CELL/master/run" "$@"; }
t_status "a person is revoked" 0 join --token "$(token --person mallory)" --to "$T_DIR/mallory"
t_match "who is not" '^\[' "$(ask "$T_DIR/mallory" GET /v1/jobs)"
t=$(token --operator mallory)
t_status "revoke" 0 revoke --person mallory
t_status "with tokens that were not used" 1 join --token "$t" --to "$T_DIR/mallory1"
t_match "with tokens that were not used: sentence" "the token is none of this cell's" "$T_ERR"
t_match "who is" 'the certificate of person mallory was revoked' "$(ask "$T_DIR/mallory" GET /v1/jobs)"
sleep 1.1
t_status "and joins again" 0 join --token "$(token --person mallory)" --to "$T_DIR/mallory2"
t_match "by another certificate" '^\[' "$(ask "$T_DIR/mallory2" GET /v1/jobs)"
t_match "the old one stays revoked" 'was revoked' "$(ask "$T_DIR/mallory" GET /v1/jobs)"
t_match "people revoke nobody" 'mallory may not revoke certificates' "$(ask "$T_DIR/mallory2" POST /v1/revoke '{"role":"person","name":"alice"}')"
t_status "revoke: whom" 1 revoke

# ---- and what goes on for them ----
E=$T_DIR/eve
t_status "an operator joins" 0 join --token "$(token --operator eve)" --to "$E"
: >"$T_DIR/eve.list"
goes_on() { # NAME COMMAND...
	local name=$1
	shift
	"$@" >"$T_DIR/eve.$name" 2>&1 </dev/null &
	echo $! >>"$T_DIR/eve.list"
}
goes_on logs env CELLAR_CELL_KEYS="$E" ctr --cell $URL job logs -f web/0
goes_on exec env CELLAR_CELL_KEYS="$E" ctr --cell $URL job exec web/0 sh -c 'echo begun; exec sleep 4321'
ask_long() { # PATH
	curl -s -N -m 600 --connect-to "::10.99.0.1:$CELL_PORT" --cacert "$E/person-ca.crt" --cert "$E/person.crt" \
		--key "$E/person.key" "https://master.cellar$1"
}
goes_on events ask_long '/v1/events?follow=true'
goes_on news ask_long '/v1/jobs?index=9000000000000000000&wait=300'
all_go_on() { [ -s "$T_DIR/eve.events" ] && grep -q begun "$T_DIR/eve.exec" && pgrep -f 'sleep 4321' >/dev/null; }
t_wait 60 all_go_on && t_ok "it goes on" || t_fail "it goes on" "$(tail -n 3 "$T_DIR"/eve.*)"
revoke --operator eve
none_goes_on() { local p; for p in $(<"$T_DIR/eve.list"); do ! kill -0 "$p" 2>/dev/null || return 1; done; }
t_wait 60 none_goes_on && t_ok "and ends with her certificate" || t_fail "and ends with her certificate" "$(tail -n 3 "$T_DIR"/eve.*)"
t_match "with a sentence" 'the certificate of eve was revoked' "$(<"$T_DIR/eve.exec")"
t_match "whoever waits hears it, too" 'the certificate of (operator )?eve was revoked' "$(<"$T_DIR/eve.news")"
exec_ended() { ! pgrep -f 'sleep 4321' >/dev/null; }
t_wait 60 exec_ended && t_ok "the process in the task ends" || t_fail "the process in the task ends" "$(pgrep -af 'sleep 4321')"

t_status "a machine, too" 0 join --token "$(token)" --name m5 --root "$T_DIR/m5"
revoke --machine m5
t_match "which is heard no more" 'the certificate of agent m5 was revoked' "$(ask "$T_DIR/m5/pki" POST /v1/agent/sync '{}')"
t_match "audited" '^1 root done$' "$(audited '^revoke the certificate of agent m5$')"
ask "$A" POST "/v1/join?[1-60]" '{"secret":"0","request":"x"}' >"$T_DIR/strangers"
t_match "a stranger is refused" "the token is none of this cell's" "$(<"$T_DIR/strangers")"
# Twenty a minute: up to 40 when one ends meanwhile, and the few above.
n=$(audited '^join as somebody$' | grep -o '[0-9]* unknown' | cut -d' ' -f1)
((n >= 20 && n < 50)) && t_ok "who does not fill the audit" || t_fail "who does not fill the audit" "$n lines"
mkdir "$T_DIR/other"
celld master --root "$T_DIR/other/lib" --runroot "$T_DIR/other/run" --listen 10.99.0.1:7644 >"$T_DIR/other/log" 2>&1 &
OTHER=$!
t_kill_later $OTHER
t_wait 60 cell_is_ready "$T_DIR/other/log" || t_fail "another cell" "$(cat "$T_DIR/other/log")"
celld join --master https://10.99.0.1:7644 --token "$(celld token create --person eve --runroot "$T_DIR/other/run" 2>/dev/null)" \
	--to "$T_DIR/eve" >/dev/null
cp "$KEYS/person-ca.crt" "$T_DIR/eve/person-ca.crt"
t_match "the certificate of another cell" "the certificate is none of this cell's" "$(ask "$T_DIR/eve" GET /v1/jobs)"
CELLAR_CELL_KEYS=$T_DIR/eve t_status "and ctr says so" 1 ctr --cell $URL machine ls
t_match "and ctr says so: sentence" "the certificate is none of this cell's" "$T_ERR"
t_status "whoever is no master of ours" 1 ctr --cell https://10.99.0.1:7644 machine ls
kill -9 $OTHER

# ---- messages of agents ----
t_match "what is no message" 'report: missing' "$(ask "$A" POST /v1/agent/sync '{}')"
session=$(ask "$A" POST /v1/agent/sync '{"report":{"hash":"","set":[]}}' | jq -r .session)
head='{"machine":"m4","capacity":{"cpu_milli":1000,"memory_bytes":1000,"disk_bytes":0}}'
message() { # NUMBER HEAD
	echo "{\"session\":\"$session\",\"number\":$1,\"report\":{\"hash\":\"$(hash_of "$2")\",\"head\":$2,\"set\":[]}}"
}
# The master tells what it made of a head.
hash_of() {
	ask "$A" POST /v1/agent/sync "{\"session\":\"$session\",\"number\":$((++number)),\"report\":{\"hash\":\"x\",\"head\":$1,\"set\":[]}}" |
		sed -n 's/.*not what was sent (\([0-9a-f]*\),.*/\1/p'
}
number=0
first=$(message 100 "$head")
t_match "a message" '"wait_ms":' "$(ask "$A" POST /v1/agent/sync "$first")"
t_match "the same again" 'm4: message 100 came before: it does not count again' "$(ask "$A" POST /v1/agent/sync "$first")"
number=100
t_match "for another machine" 'the certificate is of machine m4, and speaks for no other \(m1\)' \
	"$(ask "$A" POST /v1/agent/sync "$(message 200 "${head/m4/m1}")")"
ask "$A" POST /v1/agent/sync '{"report":{"hash":"","set":[]}}' >/dev/null
t_match "of a session that is over" 'm4: this message is of a session that is over' "$(ask "$A" POST /v1/agent/sync "${first/100/300}")"
t_match "a body without end" 'the request.s body is too large' \
	"$(head -c 9000000 /dev/zero | tr '\0' ' ' >"$T_DIR/big"; ask "$A" POST /v1/agent/sync "@$T_DIR/big")"
t_is "the cell goes on" running "$(ctr --cell $URL job status web -o json | jq -r '.tasks[0].state')"

# ---- an earlier master is not heard ----
container=$(cell_tasks web | cut -d' ' -f2)
cell_agent_end m1 KILL
echo 1000 >"$CELL/m1/lib/pki/agent-epoch"
cell_agent_start m1
t_wait 60 grep -q 'a master of epoch [0-9]* is not heard: there was one of 1000' "$CELL/m1/log" &&
	t_ok "a master of an earlier epoch is not heard" || t_fail "an earlier epoch" "$(tail -n 3 "$CELL/m1/log")"
cell job stop --purge web >/dev/null
sleep 1
t_match "what it says is not done" "$container" "$(cell_containers)"
cell_agent_end m1 KILL
rm "$CELL/m1/lib/pki/agent-epoch"
cell_agent_start m1
t_wait 60 cell_nothing_left && t_ok "nothing is left" || t_fail "nothing is left" "$(cell_nothing_left)"

# ---- configuration ----
t_status "the commented file" 0 celld check-config "$T_TOP/packaging/celld.yaml"
sed 's/^#\([a-z]\)/\1/; s/^  #\([a-z]\)/  \1/' "$T_TOP/packaging/celld.yaml" >"$T_DIR/full.yaml"
t_status "without its comments" 0 celld check-config "$T_DIR/full.yaml"
bad() { # NAME SED PATTERN
	sed "$2" "$T_DIR/full.yaml" >"$T_DIR/bad.yaml"
	t_status "$1" 1 celld check-config "$T_DIR/bad.yaml"
	t_match "$1: sentence" "$3" "$T_ERR"
}
bad "a wrong amount" 's/cpu: .*/cpu: lots/' 'bad.yaml:[0-9]+:3: agent.cpu: "lots" is not an amount of CPU'
bad "a wrong word" 's/listen:/lisden:/' 'bad.yaml:[0-9]+:3: master.*lisden'
bad "too short a time" 's/detection: .*/detection: 1s/' 'bad.yaml:[0-9]+:3: master.detection'
bad "no path" 's|^root: .*|root: here|' 'root: "here" is no path that begins with a /'
bad "no cgroup" 's/cgroup: .*/cgroup: here/' 'agent.cgroup: "here" is no path of a cgroup, like /cellar-machine'
bad "no URL" 's|https://master.example:7643|master|' 'agent.master: "master" is no address of a master'
t_status "a machine that has not joined" 1 celld agent --root "$T_DIR/empty" --runroot "$T_DIR/empty-run"
t_match "a machine that has not joined: sentence" 'this machine has joined no cell .*celld join --master URL --token TOKEN' "$T_ERR"
t_status "a second master in the same place" 1 celld master --root "$CELL/master/lib" --runroot "$CELL/master/run" --listen 10.99.0.1:1
t_match "a second master: sentence" 'another celld is at work' "$T_ERR"
t_status "a port that is taken" 1 celld master --root "$T_DIR/o" --runroot "$T_DIR/or" --listen 10.99.0.1:$CELL_PORT
t_match "a port that is taken: sentence" 'listen at 10.99.0.1:7643: Address already in use' "$T_ERR"

# ---- units ----
if command -v systemd-analyze >/dev/null; then
	for unit in master agent; do
		sed "s|@CMAKE_INSTALL_FULL_BINDIR@|$CELLAR_BIN|; s|@CMAKE_INSTALL_FULL_SYSCONFDIR@|/etc|" \
			"$T_TOP/packaging/celld-$unit.service.in" >"$T_DIR/celld-$unit.service"
		t_is "celld-$unit.service" "" "$(systemd-analyze verify "$T_DIR/celld-$unit.service" 2>&1 | grep "celld-$unit.service")"
	done
else
	t_skip "units" "there is no systemd-analyze"
fi

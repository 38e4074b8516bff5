#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctr events: what is told, by whom, in which order; filters and times; over rotations and cut lines.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
c_residue >"$T_DIR/before"
log=$C_RUN/.engine/events
begin=$(date +%s.%N)
# Actions, a line each, of what was asked for.
told() { c events --since "$begin" --until 0s --format json "$@" | jq -r .action | xargs; }

# ---- who follows sees it all ----
ctr --root "$C_ROOT" --runroot "$C_RUN" events --format json >"$T_DIR/live" &
follower=$!
t_kill_later "$follower"
heard() { grep -q "\"$1\"" "$T_DIR/live"; }
# It may not look yet: say something until it hears.
t_wait 60 sh -c "ctr --root $C_ROOT --runroot $C_RUN volume create >/dev/null; grep -q volume $T_DIR/live" ||
	t_fail "follow" "nothing is heard"
c volume prune >/dev/null
c run -d --name web --network none "$IMAGE" sleep 1000 >/dev/null
c exec web true
c exec web sh -c 'exit 7'
c pause web >/dev/null
c unpause web >/dev/null
c rename web app
c update -m 64m app >/dev/null
c stop -t 0 app >/dev/null
c rm app >/dev/null
want="create start exec_start exec_die exec_start exec_die pause unpause rename update kill kill die stop destroy"
life() { jq -r 'select(.type == "container") | .action' "$T_DIR/live" | xargs; }
t_becomes "a life, in its order" "$want" life
t_is "and later" "$want" "$(told -f type=container)"
t_is "attributes" '0 7 137' "$(jq -r 'select(.attributes.exit_code) | .attributes.exit_code' "$T_DIR/live" | xargs)"
t_is "the name of that time" "web web app app" \
	"$(jq -r 'select(.id and (.action | IN("create", "start", "rename", "die"))) | .name' "$T_DIR/live" | xargs)"
t_is "and the other one" web "$(jq -r 'select(.action == "rename") | .attributes.old_name' "$T_DIR/live")"

# ---- the shim tells what happens without ctr ----
c run -d --name ends --restart on-failure:1 --network none "$IMAGE" sh -c 'exit 3' >/dev/null
t_is "wait" 3 "$(c wait ends)"
t_is "restarts" "create start die start die" "$(told -f container=ends)"
c rm ends >/dev/null
c run --rm --name short -v /anonymous "$IMAGE" true
t_is "--rm" "create start die destroy" "$(told -f container=short)"
t_is "volumes, also anonymous ones" true "$(told -f type=volume | grep -q 'create destroy$' && echo true)"
c run -d --name sick --network none --health-cmd 'test -e /ok' --health-interval 100ms --health-retries 1 "$IMAGE" \
	sleep 1000 >/dev/null
sick() { c events --since "$begin" --until 0s --format json -f container=sick -f event=health_status | jq -r .attributes.health | xargs; }
is_sick() { [ "$(sick)" = "$1" ]; }
t_wait 60 is_sick "starting unhealthy"
c exec sick touch /ok
t_wait 60 is_sick "starting unhealthy healthy" && t_ok "health" || t_fail "health" "$(sick)"
c rm -f sick >/dev/null
t_status "a start that fails" 127 c run --rm --name nope "$IMAGE" nosuch
t_is "tells of no container that never was" "" "$(told -f container=nope | tr ' ' '\n' | grep -v -e create -e die -e destroy)"
if [ -e /sys/fs/cgroup/memory ] || grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null; then
	c run --name hog -m 16m "$IMAGE" tail /dev/zero 2>/dev/null
	t_match "OOM" 'oom' "$(told -f container=hog)"
	c rm hog >/dev/null
	# One that wants no memory: who asks for some while the other dies may be killed next.
	c run -d --name lives --network none -m 16m "$IMAGE" sleep 1000 >/dev/null
	c exec lives tail /dev/zero 2>/dev/null
	ooms() { told -f container=lives | tr ' ' '\n' | grep -cx oom; }
	one() { [ "$(ooms)" = 1 ]; }
	t_wait 60 one && t_ok "OOM of an executed process" || t_fail "OOM of an executed process" "$(told -f container=lives)"
	t_status "an upgrade" 0 c upgrade lives
	c kill lives >/dev/null
	c wait lives >/dev/null
	t_is "does not tell of it again" 1 "$(ooms)"
	c rm lives >/dev/null
fi

# ---- filters, times, text ----
t_is "filters of one key: one of them" "die kill" "$(told -f container=app -f event=die -f event=kill | tr ' ' '\n' | sort -u | xargs)"
t_is "an image by its short name" "die" "$(told -f image=bb -f event=die -f container=app)"
t_is "no such image" "" "$(told -f image=b)"
t_is "a volume is no container" "" "$(told -f type=volume -f container=app)"
t_is "--until alone shows what was" true "$([ "$(c events --until 0s | wc -l)" -gt 20 ] && echo true)"
t_is "--since now shows nothing" "" "$(c events --since 0s --until 0s)"
t_match "text" '^20[0-9-]+T[0-9:.]+Z container die [0-9a-f]{64} \(exit_code=137, image=localhost/bb:latest, name=app\)$' \
	"$(c events --since "$begin" --until 0s -f event=die -f container=app)"
t_status "it ends at --until" 0 c events --until "$(date -d '+1 second' +%s.%N)"
t_status "an unknown filter" 1 c events --until 0s -f color=red
t_match "its sentence" '^ctr: events: --filter: "color=red" is unknown; there are container=NAME' "$T_ERR"
t_status "a time" 1 c events --since soon

# ---- rotation under who follows; a line that was cut ----
t_is "its mode" 600 "$(stat -c %a "$log")"
printf '{"time":"cut off' >>"$log"
echo >>"$log"
head -c 1100000 /dev/zero | tr '\0' '\n' >>"$log"
c volume create after >/dev/null
c volume rm after >/dev/null
t_wait 60 heard after || t_fail "rotation" "nothing is heard any more"
of_after() { jq -r 'select(.name == "after") | .action' "$T_DIR/live" | xargs; }
t_becomes "a follower loses nothing" "create destroy" of_after
t_is "a file is put aside" true "$([ -s "$log.1" ] && echo true)"
t_is "and is read" "die" "$(told -f container=app -f event=die)"
kill "$follower"
wait "$follower" 2>/dev/null
timeout 60 ctr --root "$C_ROOT" --runroot "$C_RUN" events --since 1h | head -n 1 >/dev/null &
head=$!
sleep 0.5
c volume create one >/dev/null
wait $head
t_is "it ends with its reader" 0 $?
c volume rm one >/dev/null
rm -f "$log.1"
c_nothing_left "$T_DIR/before"

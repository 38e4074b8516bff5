#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Secrets: files in memory of the task's user, and nowhere else in clear.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/dev.sh"
ip link set lo up
c_setup
BEFORE=$T_DIR/before
c_residue >"$BEFORE"
d_start --debug

# A value that nothing else has, in pieces so that no list of processes nor this script shows it.
VALUE="hush-$(head -c 9 /dev/urandom | od -An -tx1 | tr -d ' \n')"
NEXT="again-$(head -c 9 /dev/urandom | od -An -tx1 | tr -d ' \n')"
inside() { # COMMAND...
	c exec "$(of_task web 0 container)" "$@"
}
cat >"$T_DIR/web.yaml" <<-END
	job: web
	owner: search
	priority: 200
	tasks:
	  image: $IMAGE
	  command: [sleep, "1000"]
	  user: "1000:1000"
	  stop_grace: 100ms
	  resources: {cpu: 50m, memory: 16Mi}
	  secrets:
	    - {name: db, target: /etc/db/password}
	    - {name: bytes, target: /bytes}
END
t_status "a secret that is not there" 1 c job run "$T_DIR/web.yaml"
t_match "is told" 'owner search has no secret called db; `ctr secret set db' "$T_ERR"
t_is "secret set" db "$(printf %s "$VALUE" | c secret set db --owner search)"
printf 'a\0b\377c' | c secret set bytes --owner search >/dev/null
printf x | c secret set db --owner others >/dev/null
t_match "secret ls" '^search +db$' "$(c secret ls)"
t_status "set: no owner" 1 c secret set db
t_match "set: no owner: sentence" '--owner is missing' "$T_ERR"
t_status "set: a bad name" 1 c secret set Up_. --owner search
t_match "set: a bad name: sentence" 'is no name of a secret' "$T_ERR"
head -c 300000 /dev/zero >"$T_DIR/large"
from_file() { local file=$1; shift; "$@" <"$file"; }
t_status "set: too large" 1 from_file "$T_DIR/large" c secret set large --owner search
t_match "set: too large: sentence" 'has 256 KiB at most' "$T_ERR"
t_status "the API says so, too" 22 curl -sf -X PUT --data-binary "@$T_DIR/large" --unix-socket "$C_RUN/cell.sock" 'http://cell/v1/secrets/large?owner=search'
timeout 120 ctr --root "$C_ROOT" --runroot "$C_RUN" job run --wait "$T_DIR/web.yaml" >/dev/null
t_is "the task has it" "$VALUE" "$(inside cat /etc/db/password)"
t_is "any bytes" "$(printf 'a\0b\377c' | od -tx1)" "$(inside cat /bytes | od -tx1)"
t_is "its user alone" "400 1000 1000" "$(inside stat -c '%a %u %g' /etc/db/password)"
t_is "in memory" tmpfs "$(inside awk '$2 == "/etc/db/password" { print $3 }' /proc/mounts)"
t_status "it cannot be written to" 1 inside sh -c 'echo x >/etc/db/password'

# Nowhere in clear.
clear_in() { # VALUE: files of the engine's and cell's folders, but for memory
	grep -rlF --exclude-dir=.cell -- "$1" "$C_ROOT" "$C_RUN" "$T_DIR/celld.log" 2>/dev/null
}
t_is "nothing on the disk has it" "" "$(clear_in "$VALUE")"
t_is "nor inspect" 0 "$(c inspect "$(of_task web 0 container)" | grep -cF -- "$VALUE")"
t_is "nor what the API says" 0 "$({ c secret ls -o json; c job status web -o json; } | grep -cF -- "$VALUE")"
printf '%s\n' "$VALUE" >"$T_DIR/value"
t_is "nor any command line" 0 "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -cF -f "$T_DIR/value")"
t_is "the key is its owner's alone" 600 "$(stat -c %a "$C_ROOT/cell.db.key")"
t_is "the host's folder, too" 700 "$(stat -c %a "$C_RUN"/.cell/[0-9]*)"

# Another value, in the same file, also of an adopted task.
printf %s "$NEXT" | c secret set db --owner search >/dev/null
has_next() { [ "$(inside cat /etc/db/password)" = "$NEXT" ]; }
t_wait 60 has_next && t_ok "a running task finds the new value" || t_fail "a running task finds the new value" "$(inside cat /etc/db/password)"
kill -9 $D
wait $D 2>/dev/null
d_start --debug
printf %s "$VALUE" | c secret set db --owner search >/dev/null
has_first() { [ "$(inside cat /etc/db/password)" = "$VALUE" ]; }
t_wait 60 has_first && t_ok "also after celld was killed" || t_fail "also after celld was killed" "$(inside cat /etc/db/password)"
t_is "which started nothing anew" 0 "$(of_task web 0 restarts)"

t_status "rm of one in use" 1 c secret rm db --owner search
t_match "rm of one in use: sentence" 'job web uses it' "$T_ERR"
sed 's/^job: .*/job: thief/; s/^owner: .*/owner: others/' "$T_DIR/web.yaml" >"$T_DIR/thief.yaml"
t_status "another owner's secret" 1 c job run "$T_DIR/thief.yaml"
t_match "another owner's secret: sentence" 'owner others has no secret called bytes' "$T_ERR"

# Another key: what runs goes on, and what starts is told.
kill $D
wait $D 2>/dev/null
mv "$C_ROOT/cell.db.key" "$T_DIR/key"
head -c 32 /dev/urandom >"$C_ROOT/cell.db.key"
chmod 600 "$C_ROOT/cell.db.key"
d_start --debug
t_is "with another key it runs on" "running" "$(t_wait 60 is_state web running && of_task web 0 state)"
c job stop web >/dev/null
c job run "$T_DIR/web.yaml" >/dev/null
told() { of_task web 0 reason | grep -q 'sealed with another key'; }
t_wait 60 told && t_ok "one that starts is told" || t_fail "one that starts is told" "$(c job status web)"
c job stop --purge web >/dev/null
t_is "secret rm" db "$(c secret rm db --owner search)"
no_tasks() { ! c ps -aq | grep -q . && [ ! -e "$C_RUN/.cell" ]; }
t_wait 60 no_tasks && t_ok "the files go with the task" || t_fail "the files go with the task" "$(c ps -a; ls "$C_RUN/.cell")"
kill $D
wait $D 2>/dev/null
c_nothing_left "$BEFORE"

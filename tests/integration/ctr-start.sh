#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# create, start, and containers that have ended and run again: what stays, what is new.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
c run --rm --userns auto --network none "$IMAGE" true 2>/dev/null
c_residue >"$T_DIR/before"
field() { c inspect "$1" | jq -r ".[0].$2"; }
is_status() { [ "$(field "$1" status)" = "$2" ]; }
says() {
	local name=$1 status=$2 pattern=$3
	shift 3
	t_status "$name" "$status" c "$@"
	t_match "$name: sentence" "^ctr: .*$pattern" "$T_ERR"
}

# ---- create, and start ----
mkdir "$T_DIR/v"
t_is "create prints the id" 1 "$(c create --name one --cidfile "$T_DIR/cid" --hostname h -e A=b -l x=y -v "$T_DIR/v:/v" \
	-v vol:/vol "$IMAGE" sh -c \
	'echo "$A $(hostname)"; cat /f 2>/dev/null; echo more >>/f; touch /v/was /vol/was; exit 3' | grep -cE '^[0-9a-f]{64}$')"
id=$(cat "$T_DIR/cid")
t_is "it is created" "created 0" "$(field one status) $(field one pid)"
t_match "ps shows it" 'Created ' "$(c ps -a)"
t_is "ps without -a does not" "" "$(c ps -q)"
t_is "nothing of it lives" "" "$(t_processes; ls "$C_RUN/.engine/netns")"
says "exec is refused" 125 'is created, not running' exec one true
says "wait is refused" 1 'was never started' wait one
t_is "its log is empty" "" "$(c logs one)"
t_is "stop does nothing" one "$(c stop one)"
t_is "start prints its name" one "$(c start one)"
t_is "it runs" "3" "$(c wait one)"
t_is "as it was asked for" "b h" "$(c logs one)"
t_is "its volumes" "1 1" "$(ls "$T_DIR/v" | wc -l) $(ls "$C_ROOT/volumes/vol/data" | wc -l)"
finished=$(field one finished)
t_status "start -a stays with it" 3 c start -a one
t_is "what it wrote stays" "b h
more" "$T_OUT"
t_is "the log goes on" 3 "$(c logs one | wc -l)"
t_is "the exit is a new one" true "$([ "$finished" != "$(field one finished)" ] && echo true)"
t_is "restart takes an ended one, too" one "$(c restart one)"
t_is "and it runs" "3 6" "$(c wait one) $(c logs one | wc -l)"
t_is "no restarts are counted" 0 "$(field one restarts)"
t_is "start of several" "one
one" "$(c start one one)"
c wait one >/dev/null
c rm one >/dev/null
c volume rm vol >/dev/null
t_is "--rm of a created one" "" "$(c create --rm --name gone "$IMAGE" true >/dev/null; c start -a gone; c ps -aq)"
c create --name never "$IMAGE" true >/dev/null
t_status "rm of a created one" 0 c rm never

# ---- the network ----
c run -d --name web -p 127.0.0.1:18080:80 --network-alias other --mac-address 02:00:00:00:00:07 "$IMAGE" \
	sh -c 'mkdir -p /www; echo "$(ip -o -4 addr show eth0 | grep -o "inet [0-9.]*") $(cat /sys/class/net/eth0/address) $(grep -c "$(hostname -i)" /etc/hosts)" >/www/f; exec httpd -f -h /www' >/dev/null
serves() { curl -sf http://127.0.0.1:18080/f >"$T_DIR/served"; }
t_wait 60 serves || t_fail "a port" "it does not serve"
cp "$T_DIR/served" "$T_DIR/first"
c stop -t 0 web >/dev/null
# Another one must not get its address meanwhile.
c run --rm --name between "$IMAGE" true
t_is "start again" web "$(c start web)"
t_wait 60 serves || t_fail "a port, again" "it does not serve"
t_is "address, MAC, hosts file and port stay" "$(cat "$T_DIR/first")" "$(cat "$T_DIR/served")"
t_is "others find it by name" 0 "$(c run --rm "$IMAGE" wget -qO /dev/null http://web/f && c run --rm "$IMAGE" wget -qO /dev/null http://other/f; echo $?)"
c run -d --name join --network container:web --pid container:web "$IMAGE" sleep 1000 >/dev/null
c kill join >/dev/null
c wait join >/dev/null
t_is "one in another's namespaces" join "$(c start join)"
t_match "finds them" httpd "$(c exec join ps)"
c stop -t 0 join web >/dev/null
says "where those are gone" 1 'web' start join
t_is "it is as it was" exited "$(field join status)"
c rm join web >/dev/null

# ---- user namespace, policy, terminal, stdin ----
if c run --rm --userns auto --network none "$IMAGE" true 2>/dev/null; then
	c run --name own --userns auto -v own:/data "$IMAGE" sh -c 'id -u; touch /f /data/f; stat -c %u /f /data/f; cut -c 1-40 /proc/self/uid_map' >"$T_DIR/own1"
	c start -a own >"$T_DIR/own2"
	t_is "a user namespace has the same ids" "$(cat "$T_DIR/own1")" "$(cat "$T_DIR/own2")"
	c rm own >/dev/null
	c volume rm own >/dev/null
else
	t_skip "a user namespace" "this kernel cannot map layers"
fi
c run -d --name policy --restart on-failure:1 --network none "$IMAGE" sh -c 'echo run; exit 4' >/dev/null
c wait policy >/dev/null
t_is "restarts of the first run" 1 "$(field policy restarts)"
c start policy >/dev/null
t_is "the policy counts anew" "4 1 4" "$(c wait policy) $(field policy restarts) $(c logs policy | grep -c run)"
c rm policy >/dev/null
c run -dt --name term --network none "$IMAGE" tty >/dev/null
c wait term >/dev/null
c start term >/dev/null
t_is "a terminal" "0 2" "$(c wait term) $(c logs term | grep -c /dev/pts)"
c rm term >/dev/null
c create -i --name cat --network none "$IMAGE" cat >/dev/null
t_is "stdin" "hello" "$(echo hello | c start -ai cat)"
t_is "its end without -i" "" "$(c start -a cat </dev/null)"
c start cat >/dev/null
echo again >"$C_RUN/.engine/io/$(field cat id)/init.in"
said() { c logs cat | grep -qx again; }
t_wait 60 said && t_ok "and a FIFO without -a" || t_fail "and a FIFO without -a" "$(c logs cat)"
c rm -f cat >/dev/null
c create --name sick --network none --health-cmd true --health-interval 100ms "$IMAGE" sleep 1000 >/dev/null
c start sick >/dev/null
healthy() { c ps | grep -q '(healthy)'; }
t_wait 60 healthy && t_ok "health" || t_fail "health" "$(c ps)"

# ---- who runs already; who cannot; whose supervisor died ----
t_is "start of one that runs" sick "$(c start sick)"
says "start -a of one that runs" 1 'is running; write .ctr attach sick.' start -a sick
c pause sick >/dev/null
t_is "start of a paused one" "sick paused" "$(c start sick) $(field sick status)"
t_kill "$(pgrep -f "id $(field sick id) ")"
c kill sick >/dev/null 2>&1
c unpause sick >/dev/null 2>&1
c stop -t 0 sick >/dev/null
t_wait 60 is_status sick exited
t_is "one whose supervisor died" "sick running" "$(c start sick) $(field sick status)"
c rm -f sick >/dev/null
c create --name nope --network none "$IMAGE" nosuch >/dev/null
says "what cannot be executed" 1 'nosuch' start nope
t_status "and in the foreground" 127 c start -a nope
t_is "it is as it was, too" created "$(field nope status)"
says "-i without a stdin" 1 'made without -i' start -i nope
says "two with -a" 1 'for one container' start -a nope nope
says "nobody" 1 'not found' start nobody
says "-d with create" 125 'unknown option -d' create -d "$IMAGE" true
c rm nope >/dev/null
# Two at once: one starts it.
c create --name race --network none "$IMAGE" sh -c 'echo run; sleep 1000' >/dev/null
for _ in 1 2 3 4; do c start race >/dev/null 2>&1 & done
wait
t_wait 60 sh -c "[ -n \"\$(ctr --root $C_ROOT --runroot $C_RUN logs race)\" ]"
t_is "many at once start it once" "running 1" "$(field race status) $(c logs race | wc -l)"
c rm -f race >/dev/null

# ---- killed between creation and start: a start that cannot note itself leaves the same ----
keep() { # FILE...: no way to remove or write it
	for file; do mount --bind "$file" "$file" && mount -o remount,bind,ro "$file"; done
}
c create --name left --network none "$IMAGE" sh -c 'echo run; exit 4' >/dev/null
dir=$C_ROOT/containers/$(field left id)
for how in start restart; do
	mkdir "$dir/started"
	says "a start that stops half-way" 1 started start left
	rmdir "$dir/started"
	t_match "it is created, and has a process" 'created [1-9]' "$(field left status) $(field left pid)"
	says "start -a says what to do" 1 'write .ctr start left.' start -a left
	t_is "$how starts it" left "$(c $how left)"
	t_is "it runs" 4 "$(c wait left)"
	keep "$dir/exit.json" "$dir/started"
	says "the same over an end" 1 started start left
	umount "$dir/exit.json" "$dir/started"
	t_is "it has ended, still" exited "$(field left status)"
	t_is "$how starts it, too" left "$(c $how left)"
	t_is "and it runs" 4 "$(c wait left)"
	c rm left >/dev/null
	c create --name left --network none "$IMAGE" sh -c 'echo run; exit 4' >/dev/null
	dir=$C_ROOT/containers/$(field left id)
done
c_clean >/dev/null
c_nothing_left "$T_DIR/before"

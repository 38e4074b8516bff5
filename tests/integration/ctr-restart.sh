#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Restart policies: what stays over restarts, who ends them, what the verbs say in between, and that
# nothing leaks.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
c_residue >"$T_DIR/before"
field() { c inspect "$1" | jq -r ".[0].$2"; }
is_status() { [ "$(field "$1" status)" = "$2" ]; }
runs() { c logs "$1" 2>/dev/null | grep -c '^run'; }
ran() { [ "$(runs "$1")" -ge "$2" ]; }

# ---- on-failure:N ----
c run -d --name some --restart on-failure:3 "$IMAGE" sh -c \
	'echo run $(ip -o -4 addr show eth0 | grep -o "inet [0-9.]*") $(hostname); echo x >>/f; wc -l </f; exit 3' >/dev/null
t_is "wait waits for the last run" 3 "$(c wait some)"
t_is "as many runs as asked for" 4 "$(runs some)"
t_is "address and host name stay" 1 "$(c logs some | grep '^run' | sort -u | wc -l)"
t_is "what it wrote stays" "1 2 3 4" "$(c logs some | grep -v run | xargs)"
t_is "inspect tells" "on-failure:3 3 3 exited" \
	"$(field some restart) $(field some restarts) $(field some exit_code) $(field some status)"
c rm some >/dev/null

c run -d --name good --restart on-failure "$IMAGE" echo run >/dev/null
t_is "success is no failure" "0 1" "$(c wait good) $(runs good)"
c rm good >/dev/null

# ---- always, and its end ----
c run -d --name on --restart always --network none "$IMAGE" sh -c 'echo run; exit 5' >/dev/null
# The seventh wait is of 6.4 s: enough for what is asked in it, on a busy machine too.
t_wait 60 ran on 7 || t_fail "always" "it does not run again"
t_wait 60 is_status on restarting || t_fail "restarting" "the status is $(field on status)"
t_match "ps shows restarting, without -a" 'Restarting \(5\) [0-9]+ seconds? ago' "$(c ps)"
t_status "exec while it restarts" 125 c exec on true
t_match "exec while it restarts: sentence" 'is restarting, not running' "$T_ERR"
t_status "rm while it restarts" 1 c rm on
t_match "rm while it restarts: sentence" 'is restarting; stop it first' "$T_ERR"
t_status "stop ends it" 0 c stop on
t_is "and it stays so" exited "$(field on status)"
t_is "wait after that" 5 "$(c wait on)"
c rm on >/dev/null

c run -d --name long --restart unless-stopped --network none "$IMAGE" \
	sh -c 'trap "exit 9" TERM; trap "exit 8" HUP; echo run; while :; do usleep 10000; done' >/dev/null
t_wait 60 ran long 1
c kill -s HUP long >/dev/null
t_wait 60 ran long 2 && t_ok "another signal is followed by a restart" ||
	t_fail "another signal is followed by a restart" "it is not"
t_is "stop gives the program's own status" "long 9" "$(c stop -t 600 long) $(c wait long)"
t_is "stop is not followed by one" exited "$(field long status)"
c rm long >/dev/null

for how in "kill" "rm -f"; do
	c run -d --name end --restart always --network none "$IMAGE" sleep 1000 >/dev/null
	# shellcheck disable=SC2086
	c $how end >/dev/null
	if [ "$how" = kill ]; then
		t_is "kill ends it" 137 "$(c wait end)"
		c rm end >/dev/null
	else
		t_is "rm -f ends it" "" "$(c ps -aq)"
	fi
done

# ---- in the foreground, with a terminal, with stdin ----
t_status "in the foreground until the last run" 4 c run --name fg --restart on-failure:2 \
	--network none "$IMAGE" sh -c 'echo run; exit 4'
t_is "with the output of all runs" "run run run" "$(xargs <<<"$T_OUT")"
c rm fg >/dev/null
c run -dt --name term --restart on-failure:2 --network none "$IMAGE" sh -c 'tty; echo run; exit 1' >/dev/null
t_is "with a terminal" "1 3" "$(c wait term) $(c logs term | grep -c /dev/pts)"
c rm term >/dev/null

# ---- wrong ----
for policy in sometimes on-failure:0 on-failure:x always:3 on-failure:; do
	t_status "policy $policy" 125 c run --restart "$policy" "$IMAGE" true
	t_match "policy $policy: sentence" '^ctr: run: --restart: ' "$T_ERR"
done
t_status "--rm and --restart" 125 c run --rm --restart always "$IMAGE" true
t_status "a first start that fails is not repeated" 127 c run -d --restart always --name nope "$IMAGE" nosuch
c_clean >/dev/null

# ---- nothing leaks ----
c run -d --name leaky --restart always "$IMAGE" \
	sh -c 'trap "exit 3" USR1; echo run; while :; do sleep 0.1; done' >/dev/null
t_wait 60 ran leaky 1
pid=$(pgrep -f "id $(field leaky id) ")
fds() { ls /proc/"$pid"/fd | wc -l; }
memory() { awk '/^Private_Dirty/ { print $2 }' /proc/"$pid"/smaps_rollup; }
c kill -s USR1 leaky >/dev/null
t_wait 60 ran leaky 2
held() { grep -c "$T_DIR" /proc/self/mountinfo; find "$C_RUN" "$C_ROOT/networks" "$C_ROOT/containers" | wc -l; }
now() { echo "$(fds) $(held)"; }
# A shim that rests gives back what it can after a second.
rests() { before=$(now) && sleep 2 && [ "$(now)" = "$before" ]; }
t_wait 60 rests
kib=$(memory)
for ((i = 3; i <= 4; i++)); do
	c kill -s USR1 leaky >/dev/null
	t_wait 60 ran leaky $i
done
t_becomes "descriptors, files and mounts after restarts" "$before" now
little() { [ $(($(memory) - kib)) -le 32 ]; }
t_wait 60 little
t_at_most "memory of the shim after restarts, KiB more" 32 $(($(memory) - kib))
c_clean >/dev/null

c_nothing_left "$T_DIR/before"

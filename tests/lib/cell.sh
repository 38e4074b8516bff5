# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For tests of a cell of several machines: sourced after common.sh, t_need_root and t_own_namespaces.
# A machine is a PID, network, mount and UTS namespace, with a bash as its init, a state folder and a
# cgroup of its own, and an agent; the master runs beside them. A bridge connects all, in the test's own
# network namespace. All of it ends with the test, even when that is killed.
#
#	cell_setup			the bridge, the image, a master
#	cell_machine NAME [ARG...]	a machine that has joined, and its agent (with options)
#	cell ARG...			ctr with the master's socket: cell job run FILE
#	cell_in NAME COMMAND...		inside a machine
#	cell_ctr NAME ARG...		ctr of that machine
#	cell_master_start, cell_master_end SIGNAL
#	cell_agent_start NAME, cell_agent_end NAME SIGNAL
#	cell_lose NAME, cell_boot NAME	kill -9 of all that runs there; and back with an empty /run
#	cell_lose_by_cgroup NAME...	the same by the machines' cgroups, all at once
#	cell_cut NAME, cell_mend NAME	its link
#	cell_up COUNT			so many machines are up
IMAGE=localhost/bb:latest
CELL=$T_DIR/cell # master/{lib,run}, image/, NAME/{lib,log,args,init}
CELL_PORT=7643
CELL_MASTER=
CELL_MACHINES=()
CELL_CGROUP=/cellar-$T_ID # in each hierarchy; NAME in it
CELL_CGROUP2=/sys/fs/cgroup/unified
[ -e $CELL_CGROUP2/cgroup.procs ] || CELL_CGROUP2=/sys/fs/cgroup

cell() {
	ctr --root "$CELL/master/lib" --runroot "$CELL/master/run" "$@"
}

cell_is_ready() { # LOG
	grep -q "is ready" "$1"
}

cell_master_start() {
	: >>"$CELL/master/log"
	sed -i 's/is ready/was ready/' "$CELL/master/log"
	# shellcheck disable=SC2086
	setpriv --pdeathsig KILL celld master --root "$CELL/master/lib" --runroot "$CELL/master/run" --listen 10.99.0.1:$CELL_PORT \
		${CELL_MASTER_ARGS:-} >>"$CELL/master/log" 2>&1 &
	CELL_MASTER=$!
	t_wait 60 cell_is_ready "$CELL/master/log" || t_fail "the master is ready" "$(tail -n 5 "$CELL/master/log")"
}

cell_master_end() { # SIGNAL
	kill "-$1" "$CELL_MASTER" 2>/dev/null && wait "$CELL_MASTER" 2>/dev/null
	CELL_MASTER=
}

cell_setup() {
	ip link set lo up
	ip link add cells type bridge && ip addr add 10.99.0.1/24 dev cells && ip link set cells up
	mkdir -p "$CELL/master"
	ctr --root "$CELL/image" --runroot "$CELL/image-run" image import "$(t_image)" >/dev/null ||
		t_skip_all "the image cannot be imported"
	t_defer cell_clean
	cell_outlive
	cell_master_start
}

# Everything ends with its PID namespace; what is left in the host's cgroups is removed here.
cell_clean() {
	local name
	[ -z "$CELL_MASTER" ] || kill -9 "$CELL_MASTER"
	for name in "${CELL_MACHINES[@]}"; do
		cell_lose "$name"
	done
	cell_remove_cgroups
	ip link del cells
}

cell_remove_cgroups() {
	find /sys/fs/cgroup -depth -type d -path "*$CELL_CGROUP*" -exec rmdir {} \;
}

# For a test that is killed: its processes die with it (PDEATHSIG), this removes the rest.
cell_outlive() {
	export -f cell_remove_cgroups
	export CELL_CGROUP
	# shellcheck disable=SC2016
	setsid bash -c 'tail --pid="$0" -f /dev/null
		[ -e "$1" ] || exit
		sleep 1
		cell_remove_cgroups
		grep -o "$1[^ ]*" /proc/self/mountinfo | sort -ru | xargs -r umount -l
		rm -rf --one-file-system "$1"' $$ "$T_DIR" >/dev/null 2>&1 </dev/null &
	disown
}

cell_in() { # NAME COMMAND...
	local init
	init=$(cat "$CELL/$1/init")
	shift
	nsenter -t "$init" -n -m -u -p -- "$@"
}

cell_ctr() { # NAME ARG...
	local name=$1
	shift
	cell_in "$name" ctr --root "$CELL/$name/lib" --runroot "$CELL/$name/run" "$@"
}

# What a machine's processes are, outside: all, or those of a name.
cell_pids() { # NAME [COMM]
	local init
	init=$(cat "$CELL/$1/init")
	pgrep --ns "$init" --nslist pid ${2:+-x "$2"}
}

cell_boot() { # NAME
	local name=$1 number outer init
	number=$(cat "$CELL/$name/number")
	rm -f "$CELL/$name/init"
	# Where there is none of cgroup2, it stays where it is.
	mkdir -p "$CELL_CGROUP2$CELL_CGROUP/$name/machine" 2>/dev/null
	# shellcheck disable=SC2016
	setpriv --pdeathsig KILL unshare --kill-child --net --pid --mount --uts --fork --mount-proc --propagation slave -- \
		bash -c 'echo 0 2>/dev/null >"$2/cgroup.procs"; mount -t tmpfs none "$0" && hostname "$1" && ip link set lo up && touch "$0/booted"
			while :; do sleep 3600 & wait $!; done' "$CELL/$name/run" "$name" \
		"$CELL_CGROUP2$CELL_CGROUP/$name/machine" >/dev/null 2>&1 </dev/null &
	outer=$!
	disown
	cell_has_init() { init=$(pgrep -P "$outer") && [ -e "/proc/$init/root$CELL/$name/run/booted" ]; }
	t_wait 60 cell_has_init || t_fail "machine $name boots" "there is no init"
	echo "$init" >"$CELL/$name/init"
	ip link add "cell-$number" type veth peer name eth0 netns "$init" &&
		ip link set "cell-$number" master cells up &&
		cell_in "$name" sh -c "ip addr add 10.99.0.$number/24 dev eth0 && ip link set eth0 up &&
			ip route add default via 10.99.0.1"
}

cell_agent_start() { # NAME
	local name=$1
	: >>"$CELL/$name/log"
	sed -i 's/is ready/was ready/' "$CELL/$name/log"
	# shellcheck disable=SC2016
	cell_in "$name" bash -c 'echo 0 2>/dev/null >"$2/cgroup.procs"
		celld agent --root "$0/lib" --runroot "$0/run" --cgroup "$1" $(cat "$0/args") >>"$0/log" 2>&1 &' \
		"$CELL/$name" "$CELL_CGROUP/$name/work" "$CELL_CGROUP2$CELL_CGROUP/$name/machine"
	t_wait 60 cell_is_ready "$CELL/$name/log" || t_fail "agent $name is ready" "$(tail -n 5 "$CELL/$name/log")"
}

cell_agent_end() { # NAME SIGNAL
	local pid
	for pid in $(cell_pids "$1" celld); do
		# Those that it has started die with it.
		kill "-$2" "$pid"
	done
	cell_no_agent() { [ -z "$(cell_pids "$1" celld)" ]; }
	t_wait 60 cell_no_agent "$1" || t_fail "agent $1 ends" "it does not"
}

cell_machine() { # NAME [ARG...]
	local name=$1 token
	shift
	mkdir -p "$CELL/$name/run"
	cp -a "$CELL/image" "$CELL/$name/lib"
	echo "$*" >"$CELL/$name/args"
	echo $((${#CELL_MACHINES[@]} + 2)) >"$CELL/$name/number"
	CELL_MACHINES+=("$name")
	cell_boot "$name"
	token=$(celld token create --runroot "$CELL/master/run" 2>/dev/null)
	cell_in "$name" celld join --master https://10.99.0.1:$CELL_PORT --token "$token" --root "$CELL/$name/lib" \
		>/dev/null || t_fail "machine $name joins" "it cannot"
	cell_agent_start "$name"
}

cell_lose() { # NAME
	local init
	init=$(cat "$CELL/$1/init" 2>/dev/null) || return 0
	kill -9 "$init" 2>/dev/null
	cell_is_lost() { ! [ -e "/proc/$1" ]; }
	t_wait 60 cell_is_lost "$init"
	rm -f "$CELL/$1/init"
	ip link del "cell-$(cat "$CELL/$1/number")" 2>/dev/null || true
}

cell_lose_by_cgroup() { # NAME...
	local name
	for name in "$@"; do
		echo 1 2>/dev/null >"$CELL_CGROUP2$CELL_CGROUP/$name/cgroup.kill"
	done
	for name in "$@"; do
		cell_lose "$name"
	done
}

cell_cut() { # NAME
	ip link set "cell-$(cat "$CELL/$1/number")" down
}

cell_mend() { # NAME
	ip link set "cell-$(cat "$CELL/$1/number")" up
}

cell_up() { # COUNT
	[ "$(cell machine ls -o json | jq '[.[] | select(.state == "up")] | length')" = "$1" ]
}

# ---- jobs ----

# cell_job FILE NAME COUNT [MORE...]: a web job with one port, or what MORE (lines of a job file) makes of it
cell_job() {
	local file=$1 name=$2 count=$3
	shift 3
	cat >"$file" <<-END
		job: $name
		owner: tests
		priority: 200
		restart: {backoff: 100ms, backoff_max: 500ms}
		tasks:
		  count: $count
		  image: $IMAGE
		  command: ${CELL_COMMAND:-[httpd, -f, -p, "8080"]}
		  stop_grace: 100ms
		  resources: {cpu: 50m, memory: 16Mi}
		  ports: [{name: http, container: 8080}]
	END
	[ $# = 0 ] || printf '%s\n' "$@" >>"$file"
}

# A line for each task: machine container state.
cell_tasks() { # JOB
	cell job status "$1" -o json | jq -r '.tasks[] | "\(.machine) \(.container) \(.state)"'
}

cell_all_run() { # JOB COUNT
	[ "$(cell_tasks "$1" | grep -c ' running$')" = "$2" ]
}

# The containers of the cell that machines have which are not lost: machine name.
cell_containers() {
	local name
	for name in "${CELL_MACHINES[@]}"; do
		[ ! -e "$CELL/$name/init" ] ||
			find "$CELL/$name/lib/containers/.names" -type l -name 'cell.*' -printf "$name %f\n" 2>/dev/null
	done | sort
}

# cell_sound JOB COUNT...: every task of these jobs runs, each once, where the master says, and nothing else does
cell_sound() {
	local said=''
	while [ $# -gt 0 ]; do
		cell_all_run "$1" "$2" || return 1
		said+=$(cell_tasks "$1" | cut -d' ' -f1,2)$'\n'
		shift 2
	done
	[ "$(sort <<<"$said" | grep .)" = "$(cell_containers)" ]
}

# Tells what is wrong.
cell_tell() { # JOB...
	local job
	for job in "$@"; do
		cell job status "$job"
	done
	echo "there are: $(cell_containers | tr '\n' ';')"
	cell machine ls
	tail -n 3 "$CELL"/*/log
}

cell_init_pid() { # MACHINE CONTAINER: as the machine counts
	cell_ctr "$1" inspect "$2" | jq '.[0].pid'
}

# cell_nothing_left: no container, process, link or mount of one in machines that are all up
cell_nothing_left() {
	local name left
	for name in "${CELL_MACHINES[@]}"; do
		left+=$(ls "$CELL/$name/lib/containers")
		left+=$(cell_pids "$name" | while read -r pid; do cat "/proc/$pid/comm"; done 2>/dev/null | grep -vE '^(bash|sleep|celld|pgrep)$')
		left+=$(cell_in "$name" ip -o link | grep -o 'veth[^@:]*')
		left+=$(cell_in "$name" grep -o "$CELL/$name/lib/containers.*" /proc/self/mountinfo)
	done
	[ -z "$left" ] || { echo "left: $left" && return 1; }
}

# The folders of cgroups that containers left, of whatever machine.
cell_cgroups_left() {
	find /sys/fs/cgroup -type d -path "*$CELL_CGROUP/*/cellar-*" | grep .
}

cell_now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# COUNT containers (200) created, started and deleted, 8 at a time: what each takes of wall time must
# not grow with how many there are, nor must the system calls of one more. The kernel's own part does
# grow (crowd.c says by what): so the same calls are made bare in the same run, by a program that does
# nothing else, and where ours takes more than 1.5 times as long among many, it may take no more ms
# on top than the bare calls do, and a quarter for the machine's noise.
#
#	tests/bench/many.sh [--check] [COUNT]
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
check=
[ "${1:-}" != --check ] || { check=1 && shift; }
count=${1:-200}
command -v strace >/dev/null || t_skip_all "needs strace"

bundle=$T_DIR/bundle
mkdir -p "$bundle/rootfs"/{bin,dev,proc,sys} "$T_DIR/state"
mount -t tmpfs none "$T_DIR/state"
# shellcheck disable=SC2016
t_defer 'umount "$T_DIR/state"'
gcc -O2 -static -w -D_GNU_SOURCE -o "$T_DIR/crowd" "$T_TOP/tests/bench/crowd.c" || t_skip_all "no compiler"
printf '#include <unistd.h>\nint main(int c, char **v) { while (c == 1) pause(); return 0; }\n' |
	gcc -O2 -static -x c -o "$bundle/rootfs/bin/stay" - || t_skip_all "no compiler"
cellar spec -b "$bundle"
sed -i 's/"terminal": true/"terminal": false/; s/\["sh"\]/["\/bin\/stay"]/' "$bundle/config.json"
cp -r "$bundle" "$T_DIR/one"
sed -i 's/\["\/bin\/stay"\]/["\/bin\/stay", "not"]/' "$T_DIR/one/config.json"

export bundle T_ID T_DIR
one() { # VERB NUMBER
	local cellar="$CELLAR_BIN/cellar --root $T_DIR/state"
	case $1 in
	create) $cellar create -b "$bundle" "$T_ID-$2" </dev/null >/dev/null 2>&1 ;;
	start) $cellar start "$T_ID-$2" ;;
	delete) $cellar delete -f "$T_ID-$2" ;;
	bare-create) "$T_DIR/crowd" create "$bundle/rootfs" "$T_ID-bare-$2" "$T_DIR/state/bare-$2" </dev/null >/dev/null 2>&1 ;;
	bare-delete) "$T_DIR/crowd" delete "$T_ID-bare-$2" "$T_DIR/state/bare-$2" ;;
	esac
}
export -f one
t_defer "seq $count | xargs -P 8 -I{} bash -c 'one delete {}; one bare-delete {}' 2>/dev/null"

# slice VERB FROM TO: ms for each of those containers
slice() {
	local start=${EPOCHREALTIME/./}
	seq "$2" "$3" | xargs -P 8 -I{} bash -c "one $1 {}" || t_fail "$1 $2 to $3" "one failed"
	awk -v us=$((${EPOCHREALTIME/./} - start)) -v n=$(($3 - $2 + 1)) 'BEGIN { printf "%.2f", us / n / 1000 }'
}
declare -A first last
quarter=$((count / 4))
up() { # VERB: from few to many
	first[$1]=$(slice "$1" 1 $quarter)
	slice "$1" $((quarter + 1)) $((count - quarter)) >/dev/null
	last[$1]=$(slice "$1" $((count - quarter + 1)) "$count")
	printf '%-12s %10s %10s\n' "$1" "${first[$1]}" "${last[$1]}"
}
down() { # VERB: from many to few
	last[$1]=$(slice "$1" 1 $quarter)
	slice "$1" $((quarter + 1)) $((count - quarter)) >/dev/null
	first[$1]=$(slice "$1" $((count - quarter + 1)) "$count")
	printf '%-12s %10s %10s\n' "$1" "${first[$1]}" "${last[$1]}"
}
calls() { # the system calls of one more
	strace -f -qq -o "$T_DIR/trace" cellar --root "$T_DIR/state" run -b "$T_DIR/one" "$T_ID-more" </dev/null
	grep -vc 'resumed>\|+++\|---' "$T_DIR/trace"
}

calls >/dev/null # the first makes folders
before=$(calls)
printf '%-12s %10s %10s   ms each, 8 at a time, of %s; load %s\n' "" "few" "many" "$count" \
	"$(cut -d' ' -f1 /proc/loadavg)"
up bare-create
down bare-delete
up create
up start
running=$(cellar --root "$T_DIR/state" list -q | wc -l)
after=$(calls)
down delete
t_is "$count containers at once" "$count" "$running"
t_at_most "system calls of one more beside $count (beside none: $before)" $((before + 8)) "$after"
t_is "none left" 0 "$(cellar --root "$T_DIR/state" list -q | wc -l)"
judge() { # VERB
	local ratio grown bare=${first[bare-$1]:-}
	ratio=$(awk -v a="${last[$1]}" -v b="${first[$1]}" 'BEGIN { printf "%.2f", a / b }')
	if [ -z "$bare" ] || awk -v r="$ratio" 'BEGIN { exit !(r <= 1.5) }'; then
		t_at_most "$1, many against few" 1.5 "$ratio"
		return
	fi
	grown=$(awk -v a="${last[$1]}" -v b="${first[$1]}" 'BEGIN { printf "%.2f", a - b }')
	t_at_most "$1, $ratio times among many: what comes on top, at most the bare calls' and a quarter" \
		"$(awk -v a="${last[bare-$1]}" -v b="$bare" 'BEGIN { printf "%.2f", (a - b) * 1.25 }')" "$grown" ms
}
[ -z "$check" ] || for verb in create start delete; do judge $verb; done

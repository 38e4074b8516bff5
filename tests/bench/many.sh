#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# COUNT containers (200) created, started and deleted, 8 at a time: what each takes of wall time must
# not grow with how many there are, nor must the system calls of one more.
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
	esac
}
export -f one
t_defer "seq $count | xargs -P 8 -I{} bash -c 'one delete {}' 2>/dev/null"

# slice VERB FROM TO: ms for each of those containers
slice() {
	local start=${EPOCHREALTIME/./}
	seq "$2" "$3" | xargs -P 8 -I{} bash -c "one $1 {}" || t_fail "$1 $2 to $3" "one failed"
	awk -v us=$((${EPOCHREALTIME/./} - start)) -v n=$(($3 - $2 + 1)) 'BEGIN { printf "%.2f", us / n / 1000 }'
}
calls() { # the system calls of one more
	strace -f -qq -o "$T_DIR/trace" cellar --root "$T_DIR/state" run -b "$T_DIR/one" "$T_ID-more" </dev/null
	grep -vc 'resumed>\|+++\|---' "$T_DIR/trace"
}

calls >/dev/null # the first makes folders
before=$(calls)
quarter=$((count / 4))
printf '%-8s %10s %10s   ms each, 8 at a time, of %s; load %s\n' "" "first 1/4" "last 1/4" "$count" \
	"$(cut -d' ' -f1 /proc/loadavg)"
declare -A first last
for verb in create start; do
	first[$verb]=$(slice $verb 1 $quarter)
	slice $verb $((quarter + 1)) $((count - quarter)) >/dev/null
	last[$verb]=$(slice $verb $((count - quarter + 1)) "$count")
	printf '%-8s %10s %10s\n' $verb "${first[$verb]}" "${last[$verb]}"
	[ $verb = start ] || continue
	running=$(cellar --root "$T_DIR/state" list -q | wc -l)
	after=$(calls)
done
# From many to few.
last[delete]=$(slice delete 1 $quarter)
slice delete $((quarter + 1)) $((count - quarter)) >/dev/null
first[delete]=$(slice delete $((count - quarter + 1)) "$count")
printf '%-8s %10s %10s\n' delete "${first[delete]}" "${last[delete]}"
t_is "$count containers at once" "$count" "$running"
t_at_most "system calls of one more beside $count (beside none: $before)" $((before + 8)) "$after"
t_is "none left" 0 "$(cellar --root "$T_DIR/state" list -q | wc -l)"
[ -z "$check" ] || for verb in create start delete; do
	t_at_most "$verb, last quarter against first" 1.5 \
		"$(awk -v a="${last[$verb]}" -v b="${first[$verb]}" 'BEGIN { printf "%.2f", a / b }')"
done

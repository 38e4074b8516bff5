#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Where the time of `cellar run` and of `ctr run --rm` goes: the moments, in microseconds since the
# first program was executed, at which certain system calls begin: 10th percentile and median of RUNS
# runs. Only those calls stop under strace; each adds some 20 to 40 us to what follows it.
#
#	tests/bench/steps.sh [RUNS]
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
command -v strace >/dev/null || t_skip_all "needs strace"
runs=${1:-20}
calls=execve,execveat,exit_group,clone3,clone,bind,connect,mount,umount2,fsopen,mknodat,pivot_root
calls=$calls,setgroups,seccomp,waitid,wait4,rmdir,setns,memfd_create

# steps NAME COMMAND...: "@" becomes a fresh id
steps() {
	local name=$1 i
	shift
	for ((i = 0; i < runs; i++)); do
		strace -qq -f --seccomp-bpf -ttt -e signal=none -e trace="$calls" \
			-o "$T_DIR/trace.$i" "${@//@/$T_ID-$i}" >/dev/null </dev/null || {
			t_fail "$name" "it failed"
			return
		}
		# A shim goes on for a moment.
		t_wait 5 grep -q "exited\|exit_group" "$T_DIR/trace.$i"
	done
	echo "$name: us since execve (p10, median), process, call"
	for ((i = 0; i < runs; i++)); do
		sort -s -k2,2n "$T_DIR/trace.$i" | awk '
			$3 ~ /^<|^\+|^-/ { next }
			!start { start = $2 }
			{
				call = $3; sub(/\(.*/, "", call)
				word = ""
				if (match($0, /"[^"]*"/)) {
					word = substr($0, RSTART + 1, RLENGTH - 2)
					sub(/.*\//, "", word)
				}
				if (call ~ /^exec/) {
					if (call == "execveat") word = "cellar-init"
					role[$1] = substr(word, 1, 11)
				}
				if (!($1 in role)) role[$1] = "child"
				if (length(word) > 12 || call ~ /umount2|rmdir|mknodat|bind|connect/) word = ""
				key = role[$1] " " call " " word
				key = key (seen[key]++ ? " #" seen[key] : "")
				printf "%d\t%s\n", ($2 - start) * 1e6, key
			}'
	done | awk -F '\t' '{ print $2 "\t" $1 }' | sort -t "$(printf '\t')" -k1,1 -k2,2n | awk -F '\t' -v runs="$runs" '
		function flush() { if (n > runs / 2) printf "%8d %8d  %s\n", at[int((n + 9) / 10)], at[int((n + 1) / 2)], key }
		$1 != key { flush(); n = 0; key = $1 }
		{ at[++n] = $2 }
		END { flush() }' | sort -n
}

bundle=$T_DIR/bundle
mkdir -p "$bundle/rootfs"/{bin,dev,proc,sys}
printf 'int main(void) { return 0; }\n' | gcc -O2 -static -x c -o "$bundle/rootfs/bin/true" -
cellar spec -b "$bundle"
sed -i 's/"terminal": true/"terminal": false/; s/\["sh"\]/["\/bin\/true"]/' "$bundle/config.json"
steps "cellar run" cellar --root "$T_DIR/state" run -b "$bundle" @

. "$T_TOP/tests/lib/ctr.sh"
c_setup
steps "ctr run --rm" ctr --root "$C_ROOT" --runroot "$C_RUN" run --rm "$IMAGE" true

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and runs the tests: ./test.sh [--full] [SUITE]...
#
#	lint		format, layers, includes, licences, shell scripts, clang-tidy
#	unit		cmocka, with ASan and UBSan
#	integration	the real programs on this kernel
#	clients		containerd, Podman and Docker with our runtime
#	vm		integration in a virtual machine with cgroup v2 only, and one with systemd
#	fuzz		every fuzzer for a few seconds
#	show		what the issues ask to be shown: tests/show/TOPIC/*
#	bench		speed, as a ratio against the floor and runc in the same run (also: show)
#
# Without a suite: all but bench, in at most 25 minutes on two cores. --full takes the long counts.
# The last line counts what passed, failed and was skipped; each skip has its reason above it.
set -uo pipefail
cd "$(dirname "$0")" || exit 1

suites=()
export CELLAR_TEST_FULL=
while [ $# -gt 0 ]; do
	case $1 in
	--full) CELLAR_TEST_FULL=1 ;;
	-h | --help) sed -n '3,16s/^# \{0,1\}//p' "$0" && exit 0 ;;
	lint | unit | integration | clients | vm | fuzz | show | bench) suites+=("$1") ;;
	*) echo "test.sh: no suite is called '$1'; see ./test.sh --help" >&2 && exit 2 ;;
	esac
	shift
done
[ ${#suites[@]} -gt 0 ] || suites=(lint unit integration clients vm fuzz show)

logs=build/test-logs
passed=0 failed=0 skipped=0
reasons=()
mkdir -p "$logs"
# Out of the process list and the environment: what a test starts must not depend on the caller's.
unset CELLAR_BIN

# record NAME STATUS LOG SECONDS: counts the check lines that a script printed
record() {
	local name=$1 status=$2 log=$3 seconds=$4 ok bad skip
	ok=$(grep -ac '^ok ' "$log")
	bad=$(grep -ac '^FAIL ' "$log")
	skip=$(grep -ac '^skip ' "$log")
	if [ "$status" != 0 ] && [ "$status" != 77 ] && [ "$bad" = 0 ]; then
		bad=1
		echo "FAIL $name: ended with status $status" >>"$log"
	fi
	if [ $((ok + bad + skip)) = 0 ] && [ "$status" = 77 ]; then
		skip=1
		echo "skip $name: without a reason" >>"$log"
	elif [ $((ok + bad + skip)) = 0 ]; then
		bad=1
		echo "FAIL $name: it has checked nothing" >>"$log"
	fi
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	while read -r line; do
		reasons+=("$name: $line")
	done < <(sed -n 's/^skip //p' "$log")
	if [ "$bad" -gt 0 ]; then
		printf 'FAILED  %-40s %s of %s checks, %s s; whole log: %s\n' "$name" "$bad" \
			$((ok + bad)) "$seconds" "$log"
		grep -a '^FAIL ' "$log" | head -n 20 | sed 's/^/	/'
		if ! grep -q '^ok ' "$log" || tail -n 1 "$log" | grep -q "^FAIL $name: "; then
			tail -n 15 "$log" | sed 's/^/	/'
		fi
	else
		printf 'passed  %-40s %s checks, %s s\n' "$name" "$ok" "$seconds"
	fi
}

# run NAME TIMEOUT COMMAND...: the limits are ten times what things take, and end only what hangs
run() {
	local name=$1 limit_s=$2 log start=$SECONDS status=0
	shift 2
	log=$logs/${name//\//-}.log
	timeout -k 10 "$limit_s" "$@" >"$log" 2>&1 </dev/null || status=$?
	# 137: it did not even end by SIGTERM.
	if [ $status = 124 ] || { [ $status = 137 ] && [ $((SECONDS - start)) -ge "$limit_s" ]; }; then
		echo "FAIL $name: took longer than $limit_s s" >>"$log"
	fi
	record "$name" $status "$log" $((SECONDS - start))
}

# build PRESET [OPTION...]: options of cmake --build
build() {
	local preset=$1 log=$logs/build-$1.log
	shift
	if ! { cmake --preset "$preset" && cmake --build --preset "$preset" "$@"; } >"$log" 2>&1; then
		grep -E 'error|warning: ' "$log" | head -n 20
		tail -n 5 "$log"
		echo "test.sh: the $preset build failed; whole log: $log" >&2
		echo "0 passed, 1 failed"
		exit 1
	fi
}

suite_lint() {
	local script
	for script in tests/lint/*.sh; do
		run "lint/$(basename "$script" .sh)" 1800 bash "$script"
	done
}

suite_unit() {
	local program
	for program in build/debug/bin/unit-*; do
		run "unit/${program##*/unit-}" 600 tests/lib/cmocka.sh "$program"
	done
}

suite_integration() {
	local script
	for script in tests/integration/*.sh; do
		run "integration/$(basename "$script" .sh)" 900 bash "$script"
	done
}

suite_clients() {
	local script
	for script in tests/clients/*.sh; do
		[ "$script" = tests/clients/lib.sh ] ||
			run "clients/$(basename "$script" .sh)" 900 bash "$script"
	done
}

# One machine for all of it: a boot costs 10 s. It runs beside the suites before it, for it keeps
# little more than one core busy; its scripts report one by one in the end.
vm_pid=''
vm_start() {
	local limit=2400
	rm -rf "$logs/vm"
	[ -z "$CELLAR_TEST_FULL" ] || limit=10800
	timeout -k 10 $((limit + 100)) tests/vm/vm.sh --timeout $limit --env CELLAR_TEST_FULL -- \
		bash tests/vm/suite.sh >"$logs/vm.log" 2>&1 </dev/null &
	vm_pid=$!
}

vm_stop() {
	[ -z "$vm_pid" ] || { kill "$vm_pid" && wait "$vm_pid"; } 2>/dev/null
}
trap vm_stop EXIT
trap 'exit 130' INT TERM

suite_vm() {
	local log=$logs/vm.log start=$SECONDS status=0 name
	wait "$vm_pid" || status=$?
	vm_pid=''
	if [ $status != 0 ] || ! grep -q '^# end of suite$' "$log"; then
		echo "FAIL vm: the machine ended with status $status before the suite did" >>"$log"
		record vm $status "$log" $((SECONDS - start))
		suite_vm_systemd
		return
	fi
	while read -r _ name status seconds; do
		sed -n "/^# begin $name\$/,/^# done $name /p" "$log" >"$logs/vm-$name.log"
		record "vm/$name" "$status" "$logs/vm-$name.log" "$seconds"
	done < <(grep '^# done ' "$log" | cut -d' ' -f2-)
	suite_vm_systemd
}

# One more boot, with systemd as PID 1; in the long run also for its clients and a user's manager.
suite_vm_systemd() {
	local script scripts=(tests/integration/systemd-driver.sh tests/integration/systemd-user.sh
		tests/clients/podman-systemd.sh tests/clients/containerd-systemd.sh)
	# A boot with systemd alone takes two minutes here.
	[ -n "$CELLAR_TEST_FULL" ] || return 0
	for script in "${scripts[@]}"; do
		run "vm/$(basename "$script" .sh)" 900 env CELLAR_IN_VM=1 tests/vm/vm.sh --systemd --timeout 800 \
			--env CELLAR_IN_VM -- bash "$script"
	done
}

suite_fuzz() {
	local program seconds=5 what=(--target fuzzers)
	[ -z "$CELLAR_TEST_FULL" ] || seconds=120 what=()
	build clang "${what[@]}"
	for program in build/clang/bin/fuzz-*; do
		run "fuzz/${program##*/fuzz-}" $((seconds + 300)) \
			bash tests/fuzz/run.sh "$program" "$seconds"
	done
}

suite_show() {
	local script limit
	for script in tests/show/*/*; do
		limit=3600
		[ -n "$CELLAR_TEST_FULL" ] || limit=900
		case ${script##*/} in
		# fresh-clone runs this very script; bench needs a quiet machine; the rest takes long.
		fresh-clone | bench* | init | java | python-node | deadline | memory | upgrade) [ -n "$CELLAR_TEST_FULL" ] || continue ;;
		esac
		[ "${script##*/}" != fresh-clone ] || [ -z "${CELLAR_FRESH_CLONE:-}" ] || continue
		run "show/${script#tests/show/}" $limit bash "$script"
	done
}

suite_bench() {
	run bench/run 1800 bash tests/bench/run.sh
	cat "$logs/bench-run.log"
}

tools/install-deps.sh test || exit 1
build release
case " ${suites[*]} " in *' lint '* | *' unit '*) build debug ;; esac
case " ${suites[*]} " in
*' vm '*)
	# The machine sees this tree: what all tests share is made before it looks.
	bash -c '. tests/lib/common.sh && t_image' >"$logs/image.log" 2>&1
	[ -z "$CELLAR_TEST_FULL" ] || S_IMAGE_ONLY=1 bash tests/show/any-image/java >>"$logs/image.log" 2>&1
	vm_start
	;;
esac
for suite in "${suites[@]}"; do
	"suite_$suite"
done

if [ ${#reasons[@]} -gt 0 ]; then
	echo
	echo "Skipped:"
	printf '	%s\n' "${reasons[@]}"
fi
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# celld sim: the options and JSON keys that issue 6 fixes, each of them used and read; and wrong
# command lines and files, each with one sentence that names the place.
. "$(dirname "$0")/../lib/common.sh"
cd "$T_DIR" || exit 1

awk 'BEGIN {
	print "job,arrive_s,end_s,cpu_milli,memory_mib,priority" > "tasks.csv"
	for (j = 0; j < 120; j++)
		printf "j%d,%d,%d,%d,%d,%d\n", j, j * 10, j * 10 + 400, 500 + j % 7 * 700, \
			512 + j % 5 * 1024, j % 3 ? 200 : 100 > "tasks.csv"
	print "name,cpu_milli,memory_mib,rack" > "machines.csv"
	for (i = 0; i < 40; i++)
		printf "m%d,%d,32768,r%d\n", i, 8000 + i % 2 * 8000, i / 10 > "machines.csv"
}'
gzip -k tasks.csv
printf '500 rack r1 down\n700 rack r1 up\n800 machine m0 down\n' >faults

# sim NAME ARG...: runs, and every fixed key of the JSON is there with a value of its kind
sim() {
	local name=$1
	shift
	if ! celld sim --format cellar --json out.json "$@" >out 2>err; then
		t_fail "$name" "$(cat err)"
	elif ! jq -e '(.policy | type == "string") and ([.seed, .machines, .lower_bound, .placed,
		.refused, .preempted, .pending_p50_s, .pending_p99_s, .utilisation_cpu,
		.utilisation_memory, .stranded_cpu_milli, .stranded_memory_mib, .decisions,
		.decisions_per_second, .decision_p99_us, .wall_seconds, .peak_rss_bytes] |
		length == 17 and all(type == "number" and . >= 0))' out.json >/dev/null; then
		t_fail "$name" "a key is missing: $(cat out.json)"
	else
		t_ok "$name: $(jq -c '[.policy, .seed, .machines, .placed, .refused]' out.json)"
	fi
}
shapes=(--shape 8000:32768 --shape 16000:32768)
for policy in strand best-fit worst-fit e-pvm hybrid nomad kubernetes; do
	sim "--policy $policy" --tasks tasks.csv --machines machines.csv --policy $policy --seed 7
	t_is "its name and seed are told" "$policy 7" "$(jq -r '"\(.policy) \(.seed)"' out.json)"
done
sim "--shape, twice, with --count" --tasks tasks.csv.gz "${shapes[@]}" --count 30
t_is "gzip or not is the same" "120" "$(jq .placed out.json)"
sim "--smallest" --tasks tasks.csv "${shapes[@]}" --smallest
few=$(jq .machines out.json)
[ "$few" -ge "$(jq .lower_bound out.json)" ] || t_fail "the bound" "$(cat out.json)"
sim "--smallest --refuse" --tasks tasks.csv "${shapes[@]}" --smallest --refuse 0.1
[ "$(jq .machines out.json)" -lt "$few" ] || t_fail "--refuse 0.1" "needs as many: $(cat out.json)"
[ "$(jq .refused out.json)" -gt 0 ] && [ "$(jq .refused out.json)" -le 12 ] ||
	t_fail "--refuse 0.1" "refuses $(jq .refused out.json) of 120"
sim "--snapshot peak" --tasks tasks.csv "${shapes[@]}" --smallest --snapshot peak
sim "--snapshot SECONDS" --tasks tasks.csv "${shapes[@]}" --count 30 --snapshot 600
t_is "alive at 600 s" 40 "$(jq .placed out.json)"
sim "--compact" --tasks tasks.csv --machines machines.csv --snapshot 600 --compact --sample 0.6 \
	--orders 3 --pending 0.002
sim "--fault, --record" --tasks tasks.csv --machines machines.csv --fault faults --record log \
	--svg cell.svg
sim "--replay" --tasks tasks.csv --machines machines.csv --fault faults --replay log
sim "--record again" --tasks tasks.csv --machines machines.csv --fault faults --record log2
cmp log log2 >/dev/null && t_ok "two records are the same bytes" || t_fail "two records" "they differ"
sim "too few machines" --tasks tasks.csv --shape 8000:32768 --count 2
[ "$(jq .lower_bound out.json)" -gt 2 ] || t_fail "the bound" "of a cell too small is $(jq .lower_bound out.json)"
t_is "on a pipe no bar is drawn" "" "$(cat err)"

# wrong WORDS ARG...: status 1 and one sentence with the words
wrong() {
	local words=$1
	shift
	if celld sim "$@" >out 2>err; then
		t_fail "wrong: $*" "it was taken"
	elif ! grep -qF -- "$words" err || [ "$(wc -l <err)" != 1 ]; then
		t_fail "wrong: $*" "$(cat err), without '$words'"
	else
		t_ok "wrong: $(cut -c1-120 err)"
	fi
}
t=(--format cellar --tasks tasks.csv)
m=("${t[@]}" --machines machines.csv)
wrong "--format F is needed"
wrong "--tasks FILE is needed" --format cellar
wrong "'borg' is no format" --format borg --tasks tasks.csv "${shapes[@]}" --count 3
wrong "no policy 'best'" "${m[@]}" --policy best
wrong "none.csv: No such file" --format cellar --tasks none.csv "${shapes[@]}" --count 3
wrong "--machines FILE or --shape" "${t[@]}"
wrong "--shape needs --count" "${t[@]}" --shape 8000:32768
wrong "exclude each other" "${m[@]}" --shape 8000:32768 --count 3
wrong "--count is for --shape" "${m[@]}" --count 3
wrong "exclude each other" "${m[@]}" --smallest --compact
wrong "--refuse is for --smallest" "${m[@]}" --refuse 0.1
wrong "are for --compact" "${m[@]}" --sample 0.5
wrong "are for --compact" "${m[@]}" --orders 5
wrong "are for --compact" "${m[@]}" --pending 0.1
wrong "not a fraction" "${m[@]}" --compact --sample 60
wrong "not a fraction" "${m[@]}" --smallest --refuse -0.1
wrong "'peak' or seconds" "${m[@]}" --snapshot noon
wrong "are for a single run" "${m[@]}" --smallest --record log
for shape in 8000 8000: :32768 8000x32768 -8000:32768 8000:-1 0:1 1:0 200000000:1 8000:9999999999999 \
	8000:1:1 x:y; do
	wrong "is no shape of a machine" "${t[@]}" --shape "$shape" --count 3
done
for count in 0 -1 x 1.5 100001; do
	wrong "is not a whole number" "${t[@]}" --shape 8000:32768 --count $count
done
head -c 300 tasks.csv.gz >cut.gz
wrong "cut.gz: cannot be read to its end" --format cellar --tasks cut.gz "${shapes[@]}" --count 3
wrong "too few" "${t[@]}" --machines <(head -n 3 machines.csv) --smallest
sed 1d log >short
wrong "differs from the log at line 1" "${m[@]}" --fault faults --replay short

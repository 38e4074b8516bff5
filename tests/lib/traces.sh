# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The public traces that figures of placement are measured on: not part of the tree (one of them may
# not be copied). Sourced after common.sh; sets AZURE, OPENB, HUAWEI to folders, or skips.
for dir in "${CELLAR_TRACES:-}" "$T_TOP/../shared/traces" "$T_TOP/../../shared/traces"; do
	[ -n "$dir" ] && [ -e "$dir/azure-v1" ] && T_TRACES=$dir && break
done
[ -n "${T_TRACES:-}" ] || t_skip_all "no traces; CELLAR_TRACES names their folder"
# shellcheck disable=SC2034
AZURE=(--format azure-v1 --tasks "$T_TRACES/azure-v1/vms_dev.csv.gz")
# shellcheck disable=SC2034
OPENB=(--format openb --tasks "$T_TRACES/openb/pods.csv" --machines "$T_TRACES/openb/nodes.csv")
# shellcheck disable=SC2034
HUAWEI=(--format huawei --tasks "$T_TRACES/huawei-topology/vms_c1.csv"
	--machines "$T_TRACES/huawei-topology/machines.csv")

# t_sim KEY ARG...: runs celld sim and prints one figure of its JSON
t_sim() {
	local key=$1
	shift
	celld sim "$@" --json "$T_DIR/sim.json" >"$T_DIR/sim.out" 2>"$T_DIR/sim.err" ||
		{ cat "$T_DIR/sim.err" >&2; return 1; }
	jq -r ".$key" "$T_DIR/sim.json"
}

# t_median KEY SEEDS ARG...: the median over seeds 1..SEEDS
t_median() {
	local key=$1 seeds=$2 seed
	shift 2
	for ((seed = 1; seed <= seeds; seed++)); do
		t_sim "$key" "$@" --seed "$seed" || return 1
	done | sort -g | sed -n "$(((seeds + 1) / 2))p"
}

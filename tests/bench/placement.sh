#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The policies side by side on the public traces, with the bound: machines needed (azure-v1, openb)
# and the share of GPUs allocated. Some minutes; seed 1. With --windows also the smallest cells for
# other windows made out of azure-v1's one (windows.py), which no rule was picked on.
. "$(dirname "$0")/../lib/common.sh"
. "$T_TOP/tests/lib/traces.sh"
one=(--shape 64000:196608)
mixed=(--shape 32000:131072 --shape 64000:196608 --shape 96000:196608 --shape 48000:196608)

printf '%-11s %8s %9s %7s %12s %10s\n' policy azure-v1 snapshot mixed 'openb GPUs' compaction
t_sim machines "${AZURE[@]}" "${one[@]}" --smallest --snapshot peak >/dev/null
one_bound=$(jq .lower_bound "$T_DIR/sim.json")
t_sim machines "${AZURE[@]}" "${mixed[@]}" --smallest >/dev/null
mixed_bound=$(jq .lower_bound "$T_DIR/sim.json")
t_sim machines "${OPENB[@]}" --compact >/dev/null
printf '%-11s %8s %9s %7s %12s %10s\n' bound "$one_bound" "$one_bound" "$mixed_bound" 1 \
	"$(jq .lower_bound "$T_DIR/sim.json")"
for policy in strand nomad best-fit hybrid kubernetes e-pvm worst-fit; do
	p=(--policy "$policy")
	printf '%-11s %8s %9s %7s %12s %10s\n' "$policy" \
		"$(t_sim machines "${AZURE[@]}" "${one[@]}" --smallest "${p[@]}" || echo -)" \
		"$(t_sim machines "${AZURE[@]}" "${one[@]}" --smallest --snapshot peak "${p[@]}")" \
		"$(t_sim machines "${AZURE[@]}" "${mixed[@]}" --smallest "${p[@]}")" \
		"$(t_sim utilisation_devices "${OPENB[@]}" "${p[@]}")" \
		"$(t_sim machines "${OPENB[@]}" --compact "${p[@]}" 2>/dev/null || echo '> 1523')"
done

[ "${1:-}" = --windows ] || exit 0
"$T_TOP/tests/bench/windows.py" "$T_TRACES/azure-v1/vms_dev.csv.gz" "$T_DIR"
printf '\n%-13s %7s %9s %9s %9s\n' window bound strand nomad best-fit
for window in "$T_DIR"/*.csv.gz; do
	for when in "" "--snapshot peak"; do
		row=()
		for policy in strand nomad best-fit; do
			# shellcheck disable=SC2086
			row+=("$(t_sim machines --format azure-v1 --tasks "$window" "${one[@]}" \
				--smallest $when --policy $policy)")
		done
		name=$(basename "$window" .csv.gz)
		printf '%-13s %7s %9s %9s %9s %s\n' "$name" "$(jq .lower_bound "$T_DIR/sim.json")" \
			"${row[@]}" "$when"
	done
done

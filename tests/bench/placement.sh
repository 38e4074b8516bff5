#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The policies side by side on the public traces, with the bound: machines needed (azure-v1, openb)
# and the share of GPUs allocated. Some minutes; seed 1.
. "$(dirname "$0")/../lib/common.sh"
. "$T_TOP/tests/lib/traces.sh"
one=(--shape 64000:196608)
mixed=(--shape 32000:131072 --shape 64000:196608 --shape 96000:196608 --shape 48000:196608)

printf '%-11s %8s %9s %7s %12s %10s\n' policy azure-v1 snapshot mixed 'openb GPUs' compaction
for policy in strand nomad best-fit hybrid kubernetes e-pvm worst-fit; do
	p=(--policy "$policy")
	printf '%-11s %8s %9s %7s %12s %10s\n' "$policy" \
		"$(t_sim machines "${AZURE[@]}" "${one[@]}" --smallest "${p[@]}" || echo -)" \
		"$(t_sim machines "${AZURE[@]}" "${one[@]}" --smallest --snapshot peak "${p[@]}")" \
		"$(t_sim machines "${AZURE[@]}" "${mixed[@]}" --smallest "${p[@]}")" \
		"$(t_sim utilisation_devices "${OPENB[@]}" "${p[@]}")" \
		"$(t_sim machines "${OPENB[@]}" --compact "${p[@]}" 2>/dev/null || echo '> 1523')"
done

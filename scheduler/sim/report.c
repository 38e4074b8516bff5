/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/sim/report.h"

#include <inttypes.h>
#include <sys/resource.h>

#include "base/strbuf.h"

static uint64_t peak_rss_bytes(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)u.ru_maxrss * 1024;
}

static double per_second(const struct run_result *r)
{
	return r->decision_seconds > 0 ? (double)r->decisions / r->decision_seconds : 0;
}

void report_table(const struct run_result *r, FILE *out)
{
	fprintf(out, "policy             %s, seed %" PRIu64 "\n", policy_name(r->policy), r->seed);
	fprintf(out, "machines           %" PRIu64 " (lower bound %" PRIu64 ", %.2f %% over it)\n",
		r->machines, r->lower_bound,
		r->lower_bound ? 100.0 * ((double)r->machines / (double)r->lower_bound - 1) : 0);
	fprintf(out,
		"tasks              %" PRIu64 " placed, %" PRIu64 " refused, %" PRIu64
		" preempted\n",
		r->placed, r->refused, r->preempted);
	fprintf(out, "pending            p50 %.0f s, p99 %.0f s\n", r->pending_p50_s,
		r->pending_p99_s);
	fprintf(out, "use at its peak    CPU %.2f %%, memory %.2f %%", 100 * r->utilisation_cpu,
		100 * r->utilisation_memory);
	if (r->utilisation_devices > 0)
		fprintf(out, ", devices %.2f %%", 100 * r->utilisation_devices);
	fprintf(out, "\nstranded then      CPU %.0f cores, memory %.0f GiB\n",
		r->stranded_cpu_milli / 1000, r->stranded_memory_mib / 1024);
	fprintf(out, "decisions          %" PRIu64 ", %.0f a second, p99 %.1f us\n", r->decisions,
		per_second(r), r->decision_p99_us);
	fprintf(out, "time               %.2f s (CPU %.2f s), %.0f MiB at most\n", r->wall_seconds,
		r->cpu_seconds, (double)peak_rss_bytes() / (1 << 20));
}

/* Numbers with fractions are not in base/json's writer. */
char *report_json(const struct run_result *r)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };

	strbuf_addf(&sb,
		    "{\"policy\": \"%s\", \"seed\": %" PRIu64 ", \"machines\": %" PRIu64
		    ", \"lower_bound\": %" PRIu64,
		    policy_name(r->policy), r->seed, r->machines, r->lower_bound);
	strbuf_addf(&sb,
		    ", \"placed\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"preempted\": %" PRIu64,
		    r->placed, r->refused, r->preempted);
	strbuf_addf(&sb, ", \"pending_p50_s\": %.3f, \"pending_p99_s\": %.3f", r->pending_p50_s,
		    r->pending_p99_s);
	strbuf_addf(&sb,
		    ", \"utilisation_cpu\": %.6f, \"utilisation_memory\": %.6f"
		    ", \"utilisation_devices\": %.6f",
		    r->utilisation_cpu, r->utilisation_memory, r->utilisation_devices);
	strbuf_addf(&sb, ", \"stranded_cpu_milli\": %.0f, \"stranded_memory_mib\": %.0f",
		    r->stranded_cpu_milli, r->stranded_memory_mib);
	strbuf_addf(&sb,
		    ", \"decisions\": %" PRIu64 ", \"decisions_per_second\": %.0f"
		    ", \"decision_p99_us\": %.3f",
		    r->decisions, per_second(r), r->decision_p99_us);
	strbuf_addf(&sb,
		    ", \"wall_seconds\": %.3f, \"cpu_seconds\": %.3f"
		    ", \"peak_rss_bytes\": %" PRIu64 "}\n",
		    r->wall_seconds, r->cpu_seconds, peak_rss_bytes());
	return strbuf_take(&sb);
}

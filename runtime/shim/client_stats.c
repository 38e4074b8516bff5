/* SPDX-License-Identifier: Apache-2.0 */
/* Stats come in one of two dialects, by the host's cgroup version. */
#include <errno.h>
#include <string.h>

#include "runtime/shim/client_call.h"
#include "runtime/shim/metrics.pb-c.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/task.pb-c.h"

static int read_v1(const Pb__Any *any, struct shim_stats *ret, struct err *err)
{
	_cleanup_proto_ Metrics__V1 *m = NULL;
	int r = proto_unpack(&metrics__v1__descriptor, any->value.data, any->value.len, &m, err);

	if (r < 0)
		return r;
	if (m->memory && m->memory->usage) {
		ret->memory_usage_bytes = m->memory->usage->usage;
		ret->memory_limit_bytes = m->memory->usage->limit;
	}
	if (m->cpu && m->cpu->usage)
		ret->cpu_usage_ns = m->cpu->usage->total;
	if (m->pids) {
		ret->pids_current = m->pids->current;
		ret->pids_limit = m->pids->limit;
	}
	for (size_t i = 0; m->blkio && i < m->blkio->n_io_service_bytes_recursive; i++) {
		const Metrics__V1BlkioEntry *entry = m->blkio->io_service_bytes_recursive[i];

		if (!strcasecmp(entry->op, "read"))
			ret->io_read_bytes += entry->value;
		else if (!strcasecmp(entry->op, "write"))
			ret->io_write_bytes += entry->value;
	}
	return 0;
}

static int read_v2(const Pb__Any *any, struct shim_stats *ret, struct err *err)
{
	_cleanup_proto_ Metrics__V2 *m = NULL;
	int r = proto_unpack(&metrics__v2__descriptor, any->value.data, any->value.len, &m, err);

	if (r < 0)
		return r;
	if (m->memory) {
		ret->memory_usage_bytes = m->memory->usage;
		ret->memory_limit_bytes = m->memory->usage_limit;
	}
	if (m->cpu)
		ret->cpu_usage_ns = m->cpu->usage_usec * 1000;
	if (m->pids) {
		ret->pids_current = m->pids->current;
		ret->pids_limit = m->pids->limit;
	}
	for (size_t i = 0; m->io && i < m->io->n_usage; i++) {
		ret->io_read_bytes += m->io->usage[i]->rbytes;
		ret->io_write_bytes += m->io->usage[i]->wbytes;
	}
	return 0;
}

int shim_stats(struct shim_client *client, const char *id, struct shim_stats *ret, struct err *err)
{
	Task__TaskRequest request = TASK__TASK_REQUEST__INIT;
	_cleanup_proto_ Task__StatsResponse *response = NULL;
	struct shim_stats stats = { 0 };
	int r;

	request.id = proto_string(id);
	r = shim_call(client, "Stats", &request, &task__stats_response__descriptor, &response, err);
	if (r < 0)
		return r;
	if (proto_any_is(response->stats, "io.containerd.cgroups.v1.Metrics"))
		r = read_v1(response->stats, &stats, err);
	else if (proto_any_is(response->stats, "io.containerd.cgroups.v2.Metrics"))
		r = read_v2(response->stats, &stats, err);
	else
		r = err_say(err, EBADMSG, "the shim sent statistics of an unknown kind");
	if (r == 0)
		*ret = stats;
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Machines: what they say, what they are told, and when they are given up. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "scheduler/core/capacity.h"
#include "scheduler/core/reclaim.h"
#include "scheduler/master/calls.h"
#include "scheduler/master/inside.h"
#include "scheduler/master/rules.h"

#define NS_PER_MS INT64_C(1000000)

static int remember(struct master *master, uint32_t core, struct err *err)
{
	if (core >= master->machine_by_core_size) {
		size_t size = (core + 1) * (size_t)2;
		uint32_t *more = reallocarray(master->machine_by_core, size, sizeof(*more));

		if (!more)
			return err_set(err, ENOMEM, "add a machine");
		for (size_t i = master->machine_by_core_size; i < size; i++)
			more[i] = NOBODY;
		master->machine_by_core = more;
		master->machine_by_core_size = size;
	}
	master->machine_by_core[core] = (uint32_t)master->machine_count;
	return 0;
}

uint32_t machine_of_core(const struct master *master, uint32_t core)
{
	struct machine_view view;
	struct task_view alloc;

	if (cell_machine(master->cell, core, &view) == 0 && view.alloc != NOBODY) {
		cell_task(master->cell, view.alloc, &alloc);
		core = alloc.machine;
	}
	return core < master->machine_by_core_size ? master->machine_by_core[core] : NOBODY;
}

int machine_add(struct master *master, const char *name, const struct machine_spec *spec,
		struct held_machine **ret, struct err *err)
{
	struct held_machine *machine;

	if (strlen(name) >= MACHINE_NAME_MAX || !*name)
		return err_say(err, EINVAL, "\"%s\" is no name of a machine (1 to %d characters)",
			       name, MACHINE_NAME_MAX - 1);
	if (master->machine_count == master->machine_size) {
		size_t size = master->machine_size ? master->machine_size * 2 : 16;
		struct held_machine *more = reallocarray(master->machines, size, sizeof(*more));

		if (!more)
			return err_set(err, ENOMEM, "add machine %s", name);
		master->machines = more;
		master->machine_size = size;
	}
	machine = &master->machines[master->machine_count];
	*machine = (struct held_machine){ .spec = *spec, .seen_ns = master_now_ns(master) };
	snprintf(machine->name, sizeof(machine->name), "%s", name);
	machine->spec.rack = spec->rack ? arena_strdup(master->arena, spec->rack) : NULL;
	machine->spec.name = arena_strdup(master->arena, name);
	if (!machine->spec.name || (spec->rack && !machine->spec.rack))
		return err_set(err, ENOMEM, "add machine %s", name);
	err_try(cell_add_machine(master->cell, &machine->spec, &machine->core, err));
	err_try(remember(master, machine->core, err));
	master->machine_count++;
	if (names_add_machine(master, (uint32_t)master->machine_count - 1) < 0)
		return err_set(err, ENOMEM, "add machine %s", name);
	if (!master->loading)
		journal_machine(master, (uint32_t)master->machine_count - 1, JOURNAL_MACHINE_ADDED,
				NULL);
	*ret = machine;
	return 0;
}

static int write_machine(struct master *master, struct held_machine *machine, struct err *err)
{
	char key[MACHINE_NAME_MAX + 16];
	struct store_change change = { .key = key };
	_cleanup_free_ char *text = persist_machine(machine, &change.len);

	if (!text)
		return err_set(err, ENOMEM, "add machine %s", machine->name);
	change.value = text;
	snprintf(key, sizeof(key), "machine/%s", machine->name);
	err_try(master_commit(master, &change, 1, err));
	machine->written = true;
	return 0;
}

static struct amounts capacity_of(const struct machine_report *report)
{
	return (struct amounts){ .of = { [RESOURCE_CPU] = report->cpu_milli,
					 [RESOURCE_MEMORY] = report->memory_bytes,
					 [RESOURCE_DISK] = report->disk_bytes,
					 [RESOURCE_PORTS] = MACHINE_PORTS } };
}

/* It has more or less than before. */
static int change_capacity(struct master *master, struct held_machine *machine,
			   const struct machine_report *report, struct err *err)
{
	struct amounts capacity = capacity_of(report);

	if (amounts_equal(&capacity, &machine->spec.capacity))
		return 0;
	err_try(cell_set_capacity(master->cell, machine->core, &capacity, err));
	log_info("machine %s has %" PRId64 " millicores and %" PRId64 " bytes of memory now",
		 machine->name, report->cpu_milli, report->memory_bytes);
	machine->spec.capacity = capacity;
	machine->written = false;
	return 0;
}

static int register_machine(struct master *master, const struct machine_report *report,
			    struct held_machine **ret, struct err *err)
{
	struct machine_spec spec = { .name = report->machine,
				     .rack = report->rack,
				     .capacity = capacity_of(report) };

	spec.first_port = MACHINE_FIRST_PORT;
	return machine_add(master, report->machine, &spec, ret, err);
}

/* Its drain had time enough. */
static bool is_overdue(const struct master *master, const struct held_machine *machine)
{
	return machine->wish == MACHINE_DRAINING && machine->drain_by_ms &&
	       machine->drain_by_ms <= master->outside.now_ms;
}

static void set_state(struct master *master, const struct held_machine *machine)
{
	enum machine_state state = machine->wish;

	if (machine->pressed && state == MACHINE_UP)
		state = MACHINE_CORDONED;
	cell_set_machine(master->cell, machine->core, machine->down ? MACHINE_DOWN : state);
	cell_hurry_drain(master->cell, machine->core, is_overdue(master, machine));
}

void machines_set_states(struct master *master)
{
	for (size_t i = 0; i < master->machine_count; i++)
		set_state(master, &master->machines[i]);
}

/* ---- what it says ---- */

static void tell_end(struct master *master, struct held_task *task, const struct report *report)
{
	if (report->reason)
		journal_task(master, task, JOURNAL_TASK_ENDED, "%s", report->reason);
	else if (report->exit_code < 0)
		journal_task(master, task, JOURNAL_TASK_ENDED, NULL);
	else
		journal_task(master, task, JOURNAL_TASK_ENDED, "%s with status %d",
			     report->oom ? "OOM-killed" : "exited", report->exit_code);
}

/* The core knows the job's rule of restarts. One that is unhealthy has failed: its machine ends it
 * when it hears that it is over. */
static void end_task(struct master *master, struct held_task *task, const struct report *report)
{
	uint32_t core = task_core(master, task);
	struct task_view view = { .state = TASK_ENDED };
	enum task_end end = report->evicted	     ? END_PREEMPTED
			    : report->exit_code == 0 ? END_FINISHED
						     : END_FAILED;

	free(task->last_reason);
	task->last_reason = report->reason ? strdup(report->reason) : NULL;
	master->machines[task->at].news = true;

	task->live = task->paused = false;
	task->exit_code = report->exit_code;
	tell_end(master, task, report);
	if (core != NOBODY) {
		cell_end_task(master->cell, core, end);
		cell_task(master->cell, core, &view);
	}
	task->over = view.state == TASK_ENDED;
	task->restarts += !task->over;
	task_changed(master, task);
}

static const char *port_name(const struct held_job *job, uint16_t container)
{
	FIELD_EACH(job_port, port, job->file.tasks.ports)
	if (port->container == container)
		return port->name;
	return NULL;
}

static void write_port(struct json_writer *w, const char *name, uint16_t host, uint16_t container)
{
	json_open_object(w);
	json_field_string(w, "name", name);
	json_field_u64(w, "host", host);
	json_field_u64(w, "container", container);
	json_close_object(w);
}

/* On the machine's own network nothing is published: it listens where the cell says. */
static void write_own_ports(const struct master *master, const struct held_task *task,
			    struct json_writer *w)
{
	size_t i = 0;

	FIELD_EACH(job_port, port, task->job->file.tasks.ports)
	{
		uint16_t number = job_host_port(master, task, i++);

		write_port(w, port->name, number, number);
	}
}

static char *write_ports(const struct master *master, const struct held_task *task,
			 const struct report *report)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	bool own = task->job->file.tasks.network == JOB_NETWORK_HOST && task->live;
	size_t len;

	if (!w || (!own && !report->port_count))
		return NULL;
	json_open_array(w);
	if (own)
		write_own_ports(master, task, w);
	for (size_t i = 0; !own && i < report->port_count; i++)
		write_port(w, port_name(task->job, report->ports[i].container),
			   report->ports[i].host, report->ports[i].container);
	json_close_array(w);
	return json_writer_take(w, &len);
}

/* Usage comes when the machine has looked, not each time; what was said before stays. */
static void take_usage(struct master *master, struct held_task *task, const struct report *report,
		       int64_t cpu_milli, int64_t memory_bytes)
{
	uint32_t core = task_core(master, task);
	bool is_new = report->used_cpu_milli >= 0 && report->used_memory_bytes >= 0;

	task->used_cpu_milli = is_new ? report->used_cpu_milli : cpu_milli;
	task->used_memory_bytes = is_new ? report->used_memory_bytes : memory_bytes;
	if (is_new && task->live && report->state == REPORT_RUNNING && core != NOBODY)
		cell_report_usage(master->cell, core, report->used_cpu_milli,
				  report->used_memory_bytes);
}

static void take_report(struct master *master, uint32_t machine, const struct report *report)
{
	struct held_task *task = task_find(master, report->task);
	int64_t cpu_milli, memory_bytes;

	/* What is stale is not wanted, and will be told so. */
	if (!task || task->at != machine || task->incarnation != report->incarnation)
		return;
	cpu_milli = task->used_cpu_milli;
	memory_bytes = task->used_memory_bytes;
	task_forget_report(task);
	task->reported = true;
	task->state = report->state;
	task->oom = report->oom;
	task->reason = report->reason ? strdup(report->reason) : NULL;
	task->container = report->container ? strdup(report->container) : NULL;
	task->address = report->address ? strdup(report->address) : NULL;
	task->ports = write_ports(master, task, report);
	task->health = report->health;
	task->secrets = report->secrets;
	if (report->state == REPORT_RUNNING && !task->told_running) {
		journal_task(master, task, JOURNAL_TASK_RUNNING, NULL);
		task->told_running = true;
	}
	if ((report->state == REPORT_ENDED || report->health == REPORT_UNHEALTHY) && task->live)
		end_task(master, task, report);
	else
		take_usage(master, task, report, cpu_milli, memory_bytes);
}

int master_sync(struct master *master, const char *text, size_t len,
		const struct master_contact *contact, char **ret, size_t *ret_len, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct machine_report report;
	struct held_machine *machine;

	if (!arena)
		return err_set(err, ENOMEM, "read a machine's report");
	err_try(machine_report_parse(text, len, arena, &report, err));
	machine = machine_find(master, report.machine);
	master_tick(master);
	if (!machine)
		err_try(register_machine(master, &report, &machine, err));
	err_try(change_capacity(master, machine, &report, err));
	if (!machine->written)
		err_try(write_machine(master, machine, err));
	machine->seen_ns = master_now_ns(master);
	machine->contact = contact;
	/* A new agent has none of the programs. */
	for (struct held_task *task = machine->tasks; task; task = task->next_at)
		task->reported = false;
	if (machine->down)
		log_info("machine %s is back", machine->name);
	machine->down = false;
	machine->pressed = report.pressed;
	set_state(master, machine);
	leave_hear(master, (uint32_t)(machine - master->machines), &report);
	kept_hear(master, (uint32_t)(machine - master->machines), &report);
	for (size_t i = 0; i < report.task_count; i++)
		take_report(master, (uint32_t)(machine - master->machines), &report.tasks[i]);
	calls_take(master, (uint32_t)(machine - master->machines), &report);
	restart_step(master);
	master_settle(master);
	if (master->stuck)
		return err_say(err, EAGAIN, "the store does not take anything now");
	machine->news = false;
	return wants_write(master, machine, ret, ret_len, err);
}

bool master_beat(struct master *master, const char *name, const struct master_contact *contact)
{
	struct held_machine *machine = machine_find(master, name);

	if (!machine || machine->down || machine->contact != contact)
		return false;
	machine->seen_ns = master_now_ns(master);
	return true;
}

int master_wants(struct master *master, const char *name, char **ret, size_t *ret_len,
		 struct err *err)
{
	struct held_machine *machine = machine_find(master, name);

	if (!machine)
		return err_say(err, ENOENT, "there is no machine called %s", name);
	if (master->stuck)
		return err_say(err, EAGAIN, "the store does not take anything now");
	return wants_write(master, machine, ret, ret_len, err);
}

void machines_watch(struct master *master)
{
	int64_t now = master_now_ns(master);
	bool lost = false;

	for (size_t i = 0; i < master->machine_count; i++) {
		struct held_machine *machine = &master->machines[i];

		if (!machine->down && machine->drain_by_ms && machine->tasks) {
			master_tick(master);
			set_state(master, machine);
			lost |= is_overdue(master, machine);
		}
		if (machine->down || now - machine->seen_ns < master->detection_ns)
			continue;
		log_warn("machine %s is silent: its tasks start elsewhere", machine->name);
		machine->down = lost = true;
		machine->contact = NULL;
		master_tick(master);
		set_state(master, machine);
	}
	leave_watch(master);
	if (lost || leave_dirty(master))
		master_settle(master);
}

/* ---- what operators want ---- */

struct wish {
	enum machine_state state;
	int64_t drain_by_ms;
};

static int wish(struct master *master, const struct caller *caller, const char *name,
		const struct wish *wish, struct err *err)
{
	struct held_machine *machine = machine_find(master, name), was;
	int r;

	err_try(rules_check_operator(master, caller,
				     wish->state == MACHINE_DRAINING   ? "drain"
				     : wish->state == MACHINE_CORDONED ? "cordon"
								       : "uncordon",
				     err));
	if (!machine)
		return err_say(err, ENOENT, "there is no machine called %s", name);
	was = *machine;
	machine->wish = wish->state;
	machine->drain_by_ms = wish->drain_by_ms;
	snprintf(machine->wish_by, sizeof(machine->wish_by), "%s", caller->name);
	r = write_machine(master, machine, err);
	if (r < 0) {
		*machine = was;
		return r;
	}
	master_tick(master);
	master->acting = caller;
	set_state(master, machine);
	master->acting = NULL;
	master_settle(master);
	return 0;
}

int master_machine_cordon(struct master *master, const struct caller *caller, const char *machine,
			  struct err *err)
{
	int r = wish(master, caller, machine, &(struct wish){ MACHINE_CORDONED, 0 }, err);

	return master_audit(master, caller, r, err, "cordon machine %s", machine);
}

int master_machine_drain(struct master *master, const struct caller *caller, const char *machine,
			 int64_t deadline_ms, struct err *err)
{
	struct wish drain = { MACHINE_DRAINING, 0 };
	char by[48] = "";
	int r;

	master_tick(master);
	if (deadline_ms >= 0) {
		drain.drain_by_ms = master->outside.now_ms + deadline_ms;
		snprintf(by, sizeof(by), ", all of it after %" PRId64 " ms", deadline_ms);
	}
	r = wish(master, caller, machine, &drain, err);
	return master_audit(master, caller, r, err, "drain machine %s%s", machine, by);
}

int master_machine_uncordon(struct master *master, const struct caller *caller, const char *machine,
			    struct err *err)
{
	int r = wish(master, caller, machine, &(struct wish){ MACHINE_UP, 0 }, err);

	return master_audit(master, caller, r, err, "uncordon machine %s", machine);
}

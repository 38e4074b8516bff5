/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the kernel treats a process: process.scheduler, ioPriority and execCPUAffinity,
 * linux.personality, memoryPolicy and timeOffsets. Read and written here, next to each other.
 */
#include <errno.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>

#include "spec/oci_parse.h"

#ifndef SCHED_ISO
#define SCHED_ISO 4 /* reserved by the kernel, which refuses it */
#endif

struct word {
	const char *name;
	uint64_t value;
};

static const struct word policies[] = {
	{ "SCHED_OTHER", SCHED_NORMAL },
	{ "SCHED_FIFO", SCHED_FIFO },
	{ "SCHED_RR", SCHED_RR },
	{ "SCHED_BATCH", SCHED_BATCH },
	{ "SCHED_ISO", SCHED_ISO },
	{ "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
};

static const struct word scheduler_flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
};

static const struct word io_classes[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
};

/* As uname26 and the like know them; 0 and 8 to the kernel. */
static const struct word domains[] = { { "LINUX", 0 }, { "LINUX32", 8 } };

static const struct word memory_modes[] = {
	{ "MPOL_DEFAULT", MPOL_DEFAULT },	{ "MPOL_BIND", MPOL_BIND },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE }, { "MPOL_WEIGHTED_INTERLEAVE", 6 },
	{ "MPOL_PREFERRED", MPOL_PREFERRED },	{ "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
	{ "MPOL_LOCAL", MPOL_LOCAL },
};

static const struct word memory_flags[] = {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
};

static const struct word *find(const struct word *words, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i].name, name) == 0)
			return &words[i];
	return NULL;
}

/* As the json_get family: 1, 0 when absent, <0. */
static int get_word(const struct json_node *node, const char *key, const struct word *words,
		    size_t count, uint64_t *ret, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct word *word;
	const char *name = NULL;
	struct json_node bad;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "read %s", key);
	r = json_get_string(node, key, arena, &name, err);
	if (r <= 0)
		return r;
	word = find(words, count, name);
	if (word) {
		*ret = word->value;
		return 1;
	}
	json_get(node, key, &bad, err);
	return json_bad(&bad, err, "\"%s\" is none of those the specification knows (%s, ...)",
			name, words[0].name);
}

static int get_flags(const struct json_node *node, const char *key, const struct word *words,
		     size_t words_count, uint64_t *ret, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *const *names;
	struct json_node array;
	size_t count = 0;
	int r;

	if (!arena)
		return err_set(err, ENOMEM, "read %s", key);
	r = json_get_strings(node, key, arena, &names, &count, err);
	if (r <= 0)
		return r;
	err_try(json_get_array(node, key, &array, &count, err));
	for (size_t i = 0; i < count; i++) {
		const struct word *word = find(words, words_count, names[i]);
		struct json_node item = json_at(&array, i);

		if (!word)
			return json_bad(&item, err, "\"%s\" is no flag that is known here",
					names[i]);
		*ret |= word->value;
	}
	return 1;
}

#define GET_WORD(node, key, words, ret, err) get_word(node, key, words, ARRAY_SIZE(words), ret, err)
#define GET_FLAGS(node, key, words, ret, err) \
	get_flags(node, key, words, ARRAY_SIZE(words), ret, err)

static int parse_scheduler(const struct json_node *process, struct oci_scheduler *s,
			   struct err *err)
{
	struct json_node node;
	int64_t number = 0;
	uint64_t policy = 0;
	int r = json_get_object(process, "scheduler", &node, err);

	if (r <= 0)
		return r;
	err_try(json_need(GET_WORD(&node, "policy", policies, &policy, err), &node, "policy", err));
	s->policy = (uint32_t)policy;
	err_try(json_get_range(&node, "nice", -20, 19, &number, err));
	s->nice = (int32_t)number;
	number = 0;
	err_try(json_get_range(&node, "priority", 0, 99, &number, err));
	s->priority = (uint32_t)number;
	err_try(GET_FLAGS(&node, "flags", scheduler_flags, &s->flags, err));
	err_try(json_get_u64(&node, "runtime", &s->runtime_ns, err));
	err_try(json_get_u64(&node, "deadline", &s->deadline_ns, err));
	err_try(json_get_u64(&node, "period", &s->period_ns, err));
	s->set = true;
	return 1;
}

static int parse_io_priority(const struct json_node *process, struct oci_io_priority *p,
			     struct err *err)
{
	struct json_node node;
	int64_t priority = 0;
	uint64_t class = 0;
	int r = json_get_object(process, "ioPriority", &node, err);

	if (r <= 0)
		return r;
	err_try(json_need(GET_WORD(&node, "class", io_classes, &class, err), &node, "class", err));
	err_try(json_get_range(&node, "priority", 0, 7, &priority, err));
	*p = (struct oci_io_priority){ true, (uint32_t) class, (uint32_t)priority };
	return 1;
}

/* Whether a list is well-formed; which CPUs a host has is not judged here. */
static int get_cpus(const struct json_node *node, const char *key, struct arena *arena,
		    const char **ret, struct err *err)
{
	uint64_t mask[OCI_CPU_WORDS];
	struct json_node bad;
	int r = json_get_string(node, key, arena, ret, err);

	if (r <= 0)
		return r;
	if (**ret == '\0') {
		*ret = NULL;
		return 0;
	}
	if (oci_cpus_parse(*ret, mask) == 0)
		return 1;
	json_get(node, key, &bad, err);
	return json_bad(&bad, err, "\"%s\" is no list such as 0-3,7", *ret);
}

static int parse_affinity(const struct json_node *process, struct arena *arena,
			  struct oci_process *p, struct err *err)
{
	struct json_node node;
	int r = json_get_object(process, "execCPUAffinity", &node, err);

	if (r <= 0)
		return r;
	err_try(get_cpus(&node, "initial", arena, &p->exec_cpus_initial, err));
	return get_cpus(&node, "final", arena, &p->exec_cpus_final, err);
}

int oci_parse_scheduling(const struct json_node *process, struct arena *arena,
			 struct oci_process *p, struct err *err)
{
	err_try(parse_scheduler(process, &p->scheduler, err));
	err_try(parse_io_priority(process, &p->io_priority, err));
	return parse_affinity(process, arena, p, err);
}

static int parse_personality(const struct json_node *linux_, struct oci_config *c, struct err *err)
{
	struct json_node node, flags;
	uint64_t domain = 0;
	size_t count = 0;
	int r = json_get_object(linux_, "personality", &node, err);

	if (r <= 0)
		return r;
	err_try(json_need(GET_WORD(&node, "domain", domains, &domain, err), &node, "domain", err));
	err_try(json_get_array(&node, "flags", &flags, &count, err));
	if (count > 0)
		return json_bad(&flags, err, "the specification knows no flags yet");
	c->personality = (struct oci_u32){ true, (uint32_t)domain };
	return 1;
}

static int parse_memory_policy(const struct json_node *linux_, struct oci_config *c,
			       struct err *err)
{
	struct oci_memory_policy *p = &c->memory_policy;
	struct json_node node;
	uint64_t mode = 0;
	int r = json_get_object(linux_, "memoryPolicy", &node, err);

	if (r <= 0)
		return r;
	err_try(json_need(GET_WORD(&node, "mode", memory_modes, &mode, err), &node, "mode", err));
	err_try(GET_FLAGS(&node, "flags", memory_flags, &p->flags, err));
	err_try(get_cpus(&node, "nodes", c->arena, &p->nodes, err));
	p->set = true;
	p->mode = (uint32_t)mode;
	return 1;
}

static int parse_offset(const struct json_node *offsets, const char *clock,
			struct oci_time_offset *ret, struct err *err)
{
	struct json_node node;
	int64_t nanosecs = 0;
	int r = json_get_object(offsets, clock, &node, err);

	if (r <= 0)
		return r;
	err_try(json_get_i64(&node, "secs", &ret->secs, err));
	err_try(json_get_range(&node, "nanosecs", 0, 999999999, &nanosecs, err));
	ret->nanosecs = (uint32_t)nanosecs;
	ret->set = true;
	return 1;
}

int oci_parse_kernel_view(const struct json_node *linux_, struct oci_config *c, struct err *err)
{
	struct json_node node;
	int r;

	err_try(parse_personality(linux_, c, err));
	err_try(parse_memory_policy(linux_, c, err));
	r = json_get_object(linux_, "timeOffsets", &node, err);
	if (r <= 0)
		return r;
	err_try(parse_offset(&node, "monotonic", &c->monotonic, err));
	return parse_offset(&node, "boottime", &c->boottime, err);
}

/* ---- written ---- */

static const char *name_of(const struct word *words, size_t count, uint64_t value)
{
	for (size_t i = 0; i < count; i++)
		if (words[i].value == value)
			return words[i].name;
	return NULL;
}

static void put_flags(struct json_writer *w, const struct word *words, size_t count, uint64_t flags)
{
	if (!flags)
		return;
	json_key(w, "flags");
	json_open_array(w);
	for (size_t i = 0; i < count; i++)
		if (flags & words[i].value)
			json_put_string(w, words[i].name);
	json_close_array(w);
}

static void put_scheduler(struct json_writer *w, const struct oci_scheduler *s)
{
	if (!s->set)
		return;
	json_key(w, "scheduler");
	json_open_object(w);
	json_field_string(w, "policy", name_of(policies, ARRAY_SIZE(policies), s->policy));
	if (s->nice)
		json_field_i64(w, "nice", s->nice);
	if (s->priority)
		json_field_u64(w, "priority", s->priority);
	put_flags(w, scheduler_flags, ARRAY_SIZE(scheduler_flags), s->flags);
	if (s->runtime_ns)
		json_field_u64(w, "runtime", s->runtime_ns);
	if (s->deadline_ns)
		json_field_u64(w, "deadline", s->deadline_ns);
	if (s->period_ns)
		json_field_u64(w, "period", s->period_ns);
	json_close_object(w);
}

void oci_put_scheduling(struct json_writer *w, const struct oci_process *p)
{
	put_scheduler(w, &p->scheduler);
	if (p->io_priority.set) {
		json_key(w, "ioPriority");
		json_open_object(w);
		json_field_string(
			w, "class",
			name_of(io_classes, ARRAY_SIZE(io_classes), p->io_priority.class));
		json_field_u64(w, "priority", p->io_priority.priority);
		json_close_object(w);
	}
	if (p->exec_cpus_initial || p->exec_cpus_final) {
		json_key(w, "execCPUAffinity");
		json_open_object(w);
		json_field_string(w, "initial", p->exec_cpus_initial);
		json_field_string(w, "final", p->exec_cpus_final);
		json_close_object(w);
	}
}

static void put_offset(struct json_writer *w, const char *clock, const struct oci_time_offset *o)
{
	if (!o->set)
		return;
	json_key(w, clock);
	json_open_object(w);
	json_field_i64(w, "secs", o->secs);
	json_field_u64(w, "nanosecs", o->nanosecs);
	json_close_object(w);
}

void oci_put_kernel_view(struct json_writer *w, const struct oci_config *c)
{
	const struct oci_memory_policy *p = &c->memory_policy;

	if (c->personality.set) {
		json_key(w, "personality");
		json_open_object(w);
		json_field_string(w, "domain",
				  name_of(domains, ARRAY_SIZE(domains), c->personality.value));
		json_close_object(w);
	}
	if (p->set) {
		json_key(w, "memoryPolicy");
		json_open_object(w);
		json_field_string(w, "mode",
				  name_of(memory_modes, ARRAY_SIZE(memory_modes), p->mode));
		json_field_string(w, "nodes", p->nodes);
		put_flags(w, memory_flags, ARRAY_SIZE(memory_flags), p->flags);
		json_close_object(w);
	}
	if (c->monotonic.set || c->boottime.set) {
		json_key(w, "timeOffsets");
		json_open_object(w);
		put_offset(w, "monotonic", &c->monotonic);
		put_offset(w, "boottime", &c->boottime);
		json_close_object(w);
	}
}

const char *oci_memory_mode_name(size_t index)
{
	return index < ARRAY_SIZE(memory_modes) ? memory_modes[index].name : NULL;
}

const char *oci_memory_flag_name(size_t index)
{
	return index < ARRAY_SIZE(memory_flags) ? memory_flags[index].name : NULL;
}

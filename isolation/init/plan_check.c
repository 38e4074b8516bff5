/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a block of bytes a sound plan? Every list lies inside the block and is aligned, every string
 * offset points into it, every number that selects something is in range. The tables below name
 * each offset of the format; nothing else in a plan is followed.
 */
#include "isolation/init/plan_format.h"

#include <errno.h>
#include <stdbool.h>
#include <linux/filter.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Strings of the header. */
static const uint16_t strings[] = {
	offsetof(struct plan, rootfs),	      offsetof(struct plan, hostname),
	offsetof(struct plan, domainname),    offsetof(struct plan, keyring),
	offsetof(struct plan, cwd),	      offsetof(struct plan, apparmor_profile),
	offsetof(struct plan, selinux_label), offsetof(struct plan, time_offsets),
};

#define NONE 0xffff

struct list_format {
	uint16_t at;	     /* of the struct plan_list in its owner */
	uint16_t size;	     /* of a record */
	uint16_t required;   /* so many of its strings may not be absent */
	uint16_t strings[4]; /* offsets in the record, up to NONE */
	const struct list_format *nested;
	uint16_t nested_count;
};

static const struct list_format mount_lists[] = {
	{ offsetof(struct plan_mount, options),
	  sizeof(struct plan_option),
	  1,
	  { offsetof(struct plan_option, key), offsetof(struct plan_option, value), NONE } },
	{ offsetof(struct plan_mount, uid_maps), sizeof(struct plan_map), 0, { NONE } },
	{ offsetof(struct plan_mount, gid_maps), sizeof(struct plan_map), 0, { NONE } },
};

#define SLOTS 0xfffe /* a list of string slots, closed by a slot of 0 */

static const struct list_format hook_lists[] = {
	{ offsetof(struct plan_hook, args), sizeof(uint64_t), 0, { SLOTS } },
	{ offsetof(struct plan_hook, env), sizeof(uint64_t), 0, { SLOTS } },
};

#define HOOKS(name)                                                                               \
	{                                                                                         \
		offsetof(struct plan, name), sizeof(struct plan_hook), 1,                         \
			{ offsetof(struct plan_hook, path), NONE }, hook_lists, COUNT(hook_lists) \
	}

static const struct list_format lists[] = {
	{ offsetof(struct plan, namespaces),
	  sizeof(struct plan_namespace),
	  1,
	  { offsetof(struct plan_namespace, path), NONE } },
	{ offsetof(struct plan, uid_maps), sizeof(struct plan_map), 0, { NONE } },
	{ offsetof(struct plan, gid_maps), sizeof(struct plan_map), 0, { NONE } },
	{ offsetof(struct plan, mounts),
	  sizeof(struct plan_mount),
	  1,
	  { offsetof(struct plan_mount, target), offsetof(struct plan_mount, source),
	    offsetof(struct plan_mount, type), NONE },
	  mount_lists,
	  COUNT(mount_lists) },
	{ offsetof(struct plan, devices),
	  sizeof(struct plan_device),
	  1,
	  { offsetof(struct plan_device, path), NONE } },
	{ offsetof(struct plan, links),
	  sizeof(struct plan_link),
	  2,
	  { offsetof(struct plan_link, path), offsetof(struct plan_link, target), NONE } },
	{ offsetof(struct plan, masked),
	  sizeof(struct plan_path),
	  1,
	  { offsetof(struct plan_path, path), NONE } },
	{ offsetof(struct plan, readonly),
	  sizeof(struct plan_path),
	  1,
	  { offsetof(struct plan_path, path), NONE } },
	{ offsetof(struct plan, sysctls),
	  sizeof(struct plan_sysctl),
	  3,
	  { offsetof(struct plan_sysctl, key), offsetof(struct plan_sysctl, path),
	    offsetof(struct plan_sysctl, value), NONE } },
	{ offsetof(struct plan, rlimits), sizeof(struct plan_rlimit), 0, { NONE } },
	{ offsetof(struct plan, gids), sizeof(uint32_t), 0, { NONE } },
	{ offsetof(struct plan, args), sizeof(uint64_t), 0, { SLOTS } },
	{ offsetof(struct plan, env), sizeof(uint64_t), 0, { SLOTS } },
	HOOKS(create_hooks),
	HOOKS(start_hooks),
	{ offsetof(struct plan, filter), sizeof(struct sock_filter), 0, { NONE } },
	{ offsetof(struct plan, cpus), sizeof(uint64_t), 0, { NONE } },
	{ offsetof(struct plan, memory_nodes), sizeof(uint64_t), 0, { NONE } },
};

static int check_slots(const struct plan *plan, const struct plan_list *list, struct err *err)
{
	const uint64_t *slots = plan_records(plan, *list);

	for (uint32_t i = 0; i < list->count; i++)
		if (slots[i] == 0 || slots[i] >= plan->size)
			return err_say(err, EINVAL, "plan: a string lies outside of it");
	if (slots[list->count] != 0)
		return err_say(err, EINVAL, "plan: a list of strings has no end");
	return 0;
}

static int check_list(const struct plan *plan, const void *owner, const struct list_format *format,
		      struct err *err);

static int check_record(const struct plan *plan, const char *record,
			const struct list_format *format, struct err *err)
{
	for (uint16_t i = 0; format->strings[i] != NONE; i++) {
		uint32_t offset = *(const uint32_t *)(record + format->strings[i]);

		if (offset >= plan->size || (offset == 0 && i < format->required))
			return err_say(err, EINVAL, "plan: a string is missing or outside of it");
	}
	for (uint16_t i = 0; i < format->nested_count; i++)
		if (check_list(plan, record, &format->nested[i], err) < 0)
			return -EINVAL;
	return 0;
}

static int check_list(const struct plan *plan, const void *owner, const struct list_format *format,
		      struct err *err)
{
	const struct plan_list *list = (const struct plan_list *)((const char *)owner + format->at);
	bool slots = format->strings[0] == SLOTS;
	uint64_t end = list->offset + ((uint64_t)list->count + slots) * format->size;
	const char *record = plan_records(plan, *list);

	if (list->count == 0 && list->offset == 0)
		return 0;
	if (list->offset < sizeof(struct plan) || list->offset % 8 || end > plan->size)
		return err_say(err, EINVAL, "plan: a list lies outside of it");
	if (slots)
		return check_slots(plan, list, err);
	for (uint32_t i = 0; i < list->count; i++, record += format->size)
		if (check_record(plan, record, format, err) < 0)
			return -EINVAL;
	return 0;
}

static int check_values(const struct plan *plan, struct err *err)
{
	if (plan->filter.count > BPF_MAXINSNS)
		return err_say(err, EINVAL, "plan: a seccomp filter of %u instructions",
			       plan->filter.count);
	if (plan->preserve_fds > 1 << 20)
		return err_say(err, EINVAL, "plan: %u fds to preserve", plan->preserve_fds);
	if (plan->flags & PLAN_NEEDS_HOME && plan->env.count == 0)
		return err_say(err, EINVAL, "plan: no place for HOME");
	if (plan->flags & PLAN_FILE_SYSTEM && !plan->rootfs)
		return err_say(err, EINVAL, "plan: no root file system");
	PLAN_EACH(plan_mount, mount, plan, plan->mounts)
	if (mount->kind >= PLAN_MOUNT_KINDS || (mount->kind == PLAN_MOUNT_FS && !mount->type) ||
	    (mount->kind == PLAN_MOUNT_BIND && !mount->source))
		return err_say(err, EINVAL, "plan: an incomplete mount");
	return 0;
}

int plan_check(const void *block, size_t size, struct err *err)
{
	const struct plan *plan = block;

	if (size < sizeof(*plan) + 1 || size > PLAN_SIZE_MAX || (uintptr_t)block % 8)
		return err_say(err, EINVAL, "plan: %zu bytes make no plan", size);
	if (plan->magic != PLAN_MAGIC || plan->version != PLAN_VERSION || plan->size != size)
		return err_say(err, EINVAL, "plan: made by another version of Cellar");
	if (((const char *)block)[size - 1] != '\0')
		return err_say(err, EINVAL, "plan: no end");
	for (size_t i = 0; i < COUNT(strings); i++)
		if (*(const uint32_t *)((const char *)block + strings[i]) >= size)
			return err_say(err, EINVAL, "plan: a string lies outside of it");
	for (size_t i = 0; i < COUNT(lists); i++)
		if (check_list(plan, plan, &lists[i], err) < 0)
			return -EINVAL;
	return check_values(plan, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the bytes of a plan. Failure (memory, size) is sticky and comes out of plan_finish().
 *
 * Records are gathered in a strbuf of the caller while their strings go straight into the block,
 * and are put behind them whole by plan_put_list().
 */
#pragma once

#include "base/strbuf.h"
#include "isolation/init/plan_format.h"
#include "isolation/plan.h"

struct plan_builder {
	struct strbuf block;
	struct plan head; /* copied in front at the end */
	const struct oci_config *config;
	const struct plan_options *options;
};

/* An empty plan; undone by strbuf_deinit(&builder->block). */
void plan_begin(struct plan_builder *b, const struct oci_config *config,
		const struct plan_options *options);

/* Offset of a copy; NULL gives 0. */
uint32_t plan_put_string(struct plan_builder *b, const char *s);
struct plan_list plan_put_list(struct plan_builder *b, const struct strbuf *records, size_t size);
struct plan_list plan_put_bytes(struct plan_builder *b, const void *records, size_t count,
				size_t size);
/* Strings as slots; list is NULL-terminated or NULL. */
struct plan_list plan_put_strings(struct plan_builder *b, const char *const *list);

void plan_put_maps(struct plan_builder *b, const struct oci_id_map *maps, size_t count,
		   struct plan_list *ret);

/*
 * plan_mount_owner.c: an option of a mount. The kernel refuses the uid= and gid= of one that a new
 * user namespace does not map, and so do we; but the tty group of a devpts, which every default
 * bundle has, only stands for a convention: 1 where it is to be left out. 0: to be taken.
 */
int plan_check_owner(struct plan_builder *b, const struct oci_mount *mount, size_t index,
		     const char *option, struct err *err);

/* plan_mount_idmap.c: the maps in the value of crun's idmap option; -EINVAL when it is none. */
int plan_put_idmap(struct plan_builder *b, const char *text, struct plan_mount *ret);

/* plan_mount_proc.c: -EINVAL for a mount that may not be there, else flags of it are set. */
int plan_check_proc(const struct oci_mount *mount, size_t index, bool bind, struct plan_mount *ret,
		    struct err *err);

int plan_finish(struct plan_builder *b, struct plan **ret, struct err *err);

/* The parts of a plan, each by its own file. */
int plan_put_mounts(struct plan_builder *b, struct err *err);	  /* plan_mounts.c */
int plan_put_devices(struct plan_builder *b, struct err *err);	  /* plan_devices.c */
int plan_put_namespaces(struct plan_builder *b, struct err *err); /* plan_namespaces.c */
int plan_put_sysctls(struct plan_builder *b, struct err *err);	  /* plan_sysctls.c */
int plan_put_process(struct plan_builder *b, const struct oci_process *process,
		     struct err *err); /* plan_process.c */

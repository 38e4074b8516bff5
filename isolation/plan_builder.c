/* SPDX-License-Identifier: Apache-2.0 */
#include "isolation/plan_builder.h"

#include <errno.h>
#include <string.h>

void plan_begin(struct plan_builder *b, const struct oci_config *config,
		const struct plan_options *options)
{
	*b = (struct plan_builder){ .config = config, .options = options };
	b->head.magic = PLAN_MAGIC;
	b->head.version = PLAN_VERSION;
	strbuf_add(&b->block, &b->head, sizeof(b->head));
}

static uint32_t offset(struct plan_builder *b)
{
	if (b->block.len > PLAN_SIZE_MAX)
		b->block.failed = true;
	return (uint32_t)b->block.len;
}

static void align(struct plan_builder *b)
{
	static const char zeros[8];

	strbuf_add(&b->block, zeros, -b->block.len & 7);
}

uint32_t plan_put_string(struct plan_builder *b, const char *s)
{
	uint32_t at = offset(b);

	if (!s)
		return 0;
	strbuf_add(&b->block, s, strlen(s) + 1);
	return at;
}

struct plan_list plan_put_bytes(struct plan_builder *b, const void *records, size_t count,
				size_t size)
{
	struct plan_list list = { 0 };

	if (count == 0)
		return list;
	align(b);
	list.offset = offset(b);
	list.count = (uint32_t)count;
	strbuf_add(&b->block, records, count * size);
	return list;
}

struct plan_list plan_put_list(struct plan_builder *b, const struct strbuf *records, size_t size)
{
	if (records->failed)
		b->block.failed = true;
	return plan_put_bytes(b, records->data, records->len / size, size);
}

struct plan_list plan_put_strings(struct plan_builder *b, const char *const *list)
{
	_cleanup_strbuf_ struct strbuf slots = { 0 };
	struct plan_list put;
	uint64_t slot;

	for (; list && *list; list++) {
		slot = plan_put_string(b, *list);
		strbuf_add(&slots, &slot, sizeof(slot));
	}
	slot = 0;
	strbuf_add(&slots, &slot, sizeof(slot));
	put = plan_put_list(b, &slots, sizeof(slot));
	if (put.count > 0)
		put.count--;
	return put;
}

int plan_finish(struct plan_builder *b, struct plan **ret, struct err *err)
{
	align(b);
	strbuf_add(&b->block, "\0\0\0\0\0\0\0", 8);
	b->head.size = offset(b);
	if (!strbuf_ok(&b->block))
		return err_say(err, ENOMEM, "the plan of the container is too large");
	memcpy(b->block.data, &b->head, sizeof(b->head));
	*ret = (struct plan *)(void *)strbuf_take(&b->block);
	return plan_check(*ret, (*ret)->size, err);
}

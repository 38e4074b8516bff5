/* SPDX-License-Identifier: Apache-2.0 */
/* What others keep in the master's store. */
#include <string.h>

#include "scheduler/master/inside.h"

struct walk {
	const char *prefix;
	master_note_fn fn;
	void *data;
};

int master_put_note(struct master *master, const char *key, const char *text, struct err *err)
{
	struct store_change change = { key, text, text ? strlen(text) : 0 };

	return master_commit(master, &change, 1, err);
}

static int one(void *data, const struct store_change *item, struct err *err)
{
	const struct walk *walk = data;

	if (strncmp(item->key, walk->prefix, strlen(walk->prefix)) != 0)
		return 0;
	return walk->fn(walk->data, item->key, item->value, item->len, err);
}

int master_each_note(struct master *master, const char *prefix, master_note_fn fn, void *data,
		     struct err *err)
{
	struct walk walk = { prefix, fn, data };
	uint64_t revision;

	return cell_store_load(master->store, one, &walk, &revision, err);
}

bool master_knows_machine(struct master *master, const char *machine)
{
	return machine_find(master, machine) != NULL;
}

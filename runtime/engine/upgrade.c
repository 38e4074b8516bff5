/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "base/program.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/layout.h"
#include "runtime/shim/client.h"

#define TRIES 50
#define PAUSE_MS 100

/* Nobody tells when what is being started or ended is through with it. */
static int ask(struct shim_client *client, const char *id, const char *binary, struct err *err)
{
	int r = -EBUSY;

	for (int i = 0; i < TRIES && r == -EBUSY; i++) {
		if (i > 0)
			poll(NULL, 0, PAUSE_MS);
		err_clear(err);
		r = shim_upgrade(client, id, binary, err);
	}
	return r;
}

int engine_upgrade_at(const char *socket_path, struct err *err)
{
	_cleanup_shim_client_ struct shim_client *client = NULL;
	char binary[PATH_MAX], address[PATH_MAX];
	int r = program_find(LAYOUT_SHIM_PROGRAM, binary, err);

	if (r < 0)
		return r;
	if (snprintf(address, sizeof(address), "unix://%s", socket_path) >= (int)sizeof(address))
		return err_set(err, ENAMETOOLONG, "socket %s", socket_path);
	r = shim_connect(address, &client, err);
	if (r == 0)
		r = ask(client, "", binary, err);
	/* Nobody is there, or somebody else's shim. */
	if (r == -ECONNREFUSED || r == -ENOENT || r == -ENOSYS) {
		err_clear(err);
		return 1;
	}
	return r < 0 ? err_add(err, "upgrade the shim at %s", socket_path) : 0;
}

int engine_upgrade(struct engine *engine, const struct engine_container *container, struct err *err)
{
	_cleanup_shim_client_ struct shim_client *client = NULL;
	char binary[PATH_MAX];
	int r = program_find(LAYOUT_SHIM_PROGRAM, binary, err);

	if (r == 0)
		r = engine_connect(engine, container, &client, err);
	if (r < 0)
		return r;
	r = ask(client, container->id, binary, err);
	return r < 0 ? err_add(err, "upgrade the shim of container %s", container->name) : 0;
}

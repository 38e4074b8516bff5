/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>

#include "base/program.h"
#include "runtime/engine/engine.h"
#include "runtime/engine/layout.h"
#include "runtime/shim/client.h"

#define TRIES 50
#define PAUSE_MS 100

int engine_upgrade(struct engine *engine, const struct engine_container *container, struct err *err)
{
	_cleanup_shim_client_ struct shim_client *client = NULL;
	char binary[PATH_MAX];
	int r = program_find(LAYOUT_SHIM_PROGRAM, binary, err);

	if (r == 0)
		r = engine_connect(engine, container, &client, err);
	if (r < 0)
		return r;
	/* Nobody tells when what is being started or ended is through with it. */
	for (int i = 0; i < TRIES; i++) {
		err_clear(err);
		r = shim_upgrade(client, container->id, binary, err);
		if (r != -EBUSY)
			break;
		poll(NULL, 0, PAUSE_MS);
	}
	return r < 0 ? err_add(err, "upgrade the shim of container %s", container->name) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container put down on the disk by CRIU, to go on later on the same host: its processes end,
 * its memory lies in images in its folder, and all else stays as with one that has ended. It goes
 * on once; then the images are gone.
 *
 *	checkpoint.new/	images that are being written, or were when somebody was killed, or that
 *			are being removed
 *	checkpoint/	they are whole, and on the disk
 *	checkpoint.used	it is about to go on from them, or did: once it was started (LAYOUT_STARTED,
 *			which its preparation removes) they are no checkpoint any more
 */
#pragma once

#include "runtime/engine/engine.h"

/* Writes it down and ends it; patience_s at most, -ETIMEDOUT. After a failure it runs on, or is
 * still being written (-ETIMEDOUT), or has ended. */
int engine_checkpoint(struct engine *engine, const struct engine_container *container,
		      int patience_s, struct err *err);

/* Is there a whole one, that it did not go on from? */
bool engine_has_checkpoint(const struct engine_container *container);

struct engine_restore_options {
	const char *name;     /* that it has from now on */
	struct labels labels; /* in place of all that it has */
	const char *criu;     /* the program; NULL: as for its creation */
	/* It has its CPU as others do from now on, and not the least weight, in which CRIU would
	 * hardly come to an end. Who wants it back asks for it when it runs (shim_update). */
	bool cpu_as_others;
	/* Before it goes on; may be NULL. */
	int (*before)(void *data, const struct engine_container *container,
		      struct shim_client *client, struct err *err);
	void *data;
};

/*
 * Lets it go on from its checkpoint, under a name of its own; then there is no checkpoint any more,
 * also where its images cannot be removed or somebody is killed before that.
 * What fails after the new name was taken leaves it as one that has ended, with its checkpoint.
 */
int engine_restore(struct engine *engine, const struct engine_container *container,
		   const struct engine_restore_options *options, struct err *err);

/* Its shim may still be letting it go on, for somebody who was killed: that is called off, and its
 * checkpoint counts again. 0 also when there is nothing of the kind; -errno: it may run by now. */
int engine_call_restore_off(const struct engine_container *container, struct err *err);

/* Of one that was let go on by somebody who was killed right then: it goes on, and its images are
 * needed no more. 0 also when there are none. */
int engine_drop_checkpoint(const struct engine_container *container, struct err *err);

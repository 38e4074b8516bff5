/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One writer, any number of readers: the sinks of a stream. A sink is a non-blocking descriptor
 * (FIFO, pipe, terminal, file).
 *
 * Two kinds. One that holds is the client the process was made for: while it has not taken all,
 * nothing more may be written, so it slows the process as a pipe would. One that does not hold (an
 * attached client) gets a bounded buffer; a client that is too slow for it is dropped and told.
 *
 * Invariants
 *  1 A sink that holds has at most one write's worth pending; another at most FANOUT_PENDING_MAX.
 *  2 A sink whose reader has gone is closed at once, or at the next write where the kernel does not
 *    tell.
 *  3 Callbacks come from the loop or from fanout_write(); the fanout must not be freed in them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/loop.h"
#include "runtime/shim/upgrade.pb-c.h"

#define FANOUT_PENDING_MAX (256u << 10)

struct fanout;
struct fanout_sink;

enum fanout_loss { FANOUT_GONE, FANOUT_TOO_SLOW, FANOUT_CLOSED };

/* The sink is lost and freed already. */
typedef void (*fanout_lost_fn)(void *data, enum fanout_loss why);

int fanout_new(struct loop *loop, struct fanout **ret, struct err *err);
struct fanout *fanout_free(struct fanout *fanout);

/* Who writes: ready when no sink holds any more, empty when the last one has gone. May be NULL. */
void fanout_set_writer(struct fanout *fanout, void (*ready)(void *data), void (*empty)(void *data),
		       void *data);

/* Takes fd over, also on failure. lost may be NULL; ret may be NULL. */
int fanout_add(struct fanout *fanout, int fd, bool holds, fanout_lost_fn lost, void *data,
	       struct fanout_sink **ret, struct err *err);

/* Without calling lost. Takes NULL. */
void fanout_remove(struct fanout_sink *sink);
void fanout_clear(struct fanout *fanout); /* all of them */

/* For who takes our place: the sinks, which the message points into; freed by fanout_unsave(). */
int fanout_save(const struct fanout *fanout, Upgrade__End *ret);
void fanout_unsave(Upgrade__End *end);
/* Takes the descriptors over. */
int fanout_restore(struct fanout *fanout, const Upgrade__End *end, struct err *err);

void fanout_write(struct fanout *fanout, const void *data, size_t len);
bool fanout_is_held(const struct fanout *fanout);
bool fanout_is_empty(const struct fanout *fanout);
size_t fanout_count(const struct fanout *fanout);

/* Closes every sink once it has taken what is pending, for the readers' end of file; calls lost. */
void fanout_close(struct fanout *fanout);

/* Nobody has anything pending. */
bool fanout_is_drained(const struct fanout *fanout);

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start-after: the tasks of a job stand aside (as if behind a timer that never rings) until the
 * jobs that it names are over. A job may only name jobs that are there, so that no circle can come
 * to be.
 */
#pragma once

#include "scheduler/core/state.h"

/* All named jobs are there? 0, or -EINVAL with the one that is not. */
int after_check(const struct cell *cell, const struct job *job, struct err *err);
/* Notes whom the job waits for. 0 or -ENOMEM, with nothing noted. */
int after_add(struct cell *cell, const struct job *job, uint32_t j);
/* The last task of the job has ended: whoever waited for nobody else comes into the queue. */
void after_release(struct cell *cell, uint32_t job);
/* The job itself goes, waiting or not. */
void after_forget(struct cell *cell, uint32_t job);

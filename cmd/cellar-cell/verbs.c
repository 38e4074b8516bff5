/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar-cell/verbs.h"

extern const struct verb verb_job_run, verb_job_plan, verb_job_validate, verb_job_ls,
	verb_job_status, verb_job_why, verb_job_history, verb_job_scale, verb_job_resize,
	verb_job_restart, verb_job_logs, verb_job_exec, verb_job_stop, verb_alloc_ls,
	verb_alloc_status, verb_alloc_resize, verb_machine_ls, verb_machine_status,
	verb_machine_cordon, verb_machine_uncordon, verb_machine_drain, verb_secret_set,
	verb_secret_ls, verb_secret_rm, verb_cell_status, verb_cell_events, verb_cell_top,
	verb_cell_backup, verb_cell_restore;

const struct verb *const verbs[] = {
	&verb_job_run,	      &verb_job_plan,	      &verb_job_validate,
	&verb_job_ls,	      &verb_job_status,	      &verb_job_why,
	&verb_job_history,    &verb_job_scale,	      &verb_job_resize,
	&verb_job_restart,    &verb_job_logs,	      &verb_job_exec,
	&verb_job_stop,	      &verb_alloc_ls,	      &verb_alloc_status,
	&verb_alloc_resize,   &verb_machine_ls,	      &verb_machine_status,
	&verb_machine_cordon, &verb_machine_uncordon, &verb_machine_drain,
	&verb_secret_set,     &verb_secret_ls,	      &verb_secret_rm,
	&verb_cell_status,    &verb_cell_events,      &verb_cell_top,
	&verb_cell_backup,    &verb_cell_restore,     NULL,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fingers know from Docker, Podman and containerd's own ctr, and this one has not: each with
 * what to write instead. A word that comes to be here leaves its table.
 */
#pragma once

#include "cmd/options.h"

extern const struct option_hint foreign_run_options[];
extern const struct option_hint foreign_events_options[];
extern const struct option_hint foreign_exec_options[];
extern const struct option_hint foreign_ps_options[];
extern const struct option_hint foreign_inspect_options[];
extern const struct option_hint foreign_image_ls_options[];
extern const struct option_hint foreign_update_options[];
extern const struct option_hint foreign_start_options[];
extern const struct option_hint foreign_stop_options[];

/* The end of "there is no command \"images\": "; NULL: a word that nobody knows. group: "image" for
 * `ctr image WORD`, "volume", or NULL for `ctr WORD`. */
const char *foreign_command(const char *group, const char *word);

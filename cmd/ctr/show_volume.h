/* SPDX-License-Identifier: Apache-2.0 */
/* A volume as JSON. */
#pragma once

#include "cmd/ctr/show.h"
#include "runtime/engine/volume.h"

/* An object of its own. */
void show_volume_json(struct json_writer *w, const struct engine_volume *volume);

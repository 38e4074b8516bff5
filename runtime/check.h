/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be right about a config.json before anything is made: rules that join several fields,
 * which the parser, field by field, cannot judge. Pure.
 */
#pragma once

#include "base/err.h"
#include "spec/oci_config.h"

/* Errors name the JSON path. */
int check_config(const struct oci_config *config, struct err *err);

/* The process of a container, or of exec. path: "process" or "" in front of the fields' names. */
int check_process(const struct oci_process *process, const char *path, struct err *err);

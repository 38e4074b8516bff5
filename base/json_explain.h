/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "base/err.h"

/*
 * Says where a text that yajl refused stops being JSON, by line and column. text: changed while it
 * is looked at, and restored; why: yajl's words, of which one line is used. Returns -EINVAL.
 */
int json_explain(char *text, size_t len, char *why, struct err *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* The keys by which a person leaves a terminal, in what is typed: ctrl-p ctrl-q unless told else.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define DETACH_KEYS_MAX 8
#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"

struct detach_keys {
	char keys[DETACH_KEYS_MAX];
	size_t count;	/* 0: none */
	size_t matched; /* so many of them were typed just now, and are held back */
};

/* "ctrl-a,x", "ctrl-@"; "": none. -EINVAL. */
int detach_keys_parse(const char *text, struct detach_keys *ret, struct err *err);

/*
 * Takes the keys out of what was typed; what turned out to be something else comes later. data has
 * room for DETACH_KEYS_MAX more. True when they were typed whole.
 */
bool detach_keys_filter(struct detach_keys *keys, char *data, size_t *len);

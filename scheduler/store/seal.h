/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in a store and must not be read there: sealed by AES-256 in GCM, with a key in a file
 * beside the store that its owner alone may read. Each sealing has a nonce of its own, and is bound
 * to a label: what was sealed under one is refused under another.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"

struct seal;

/* make: the file is made where it is missing, with a key from the kernel's generator. -ENOENT: it
 * is missing; -EBADMSG: it holds no key; -EPERM: others may read it. */
int seal_open(const char *key_path, bool make, struct seal **ret, struct err *err);
struct seal *seal_close(struct seal *seal);

/* ret: text, owned by the caller. */
int seal_wrap(const struct seal *seal, const char *label, const void *data, size_t len, char **ret,
	      struct err *err);
/* ret: owned by the caller, to be wiped by seal_wipe(). -EBADMSG: another key, another label, or
 * somebody has changed it. */
int seal_unwrap(const struct seal *seal, const char *label, const char *text, void **ret,
		size_t *ret_len, struct err *err);

/* Overwrites and frees. Takes NULL. */
void seal_wipe(void *data, size_t len);

CLEANUP_DEFINE(struct seal, seal, seal_close);
#define _cleanup_seal_ _cleanup_(cleanup_seal)

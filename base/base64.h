/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648, section 4); our own, because nettle's brings a start-up of its
 * own into programs that live for milliseconds. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Bytes that a text of so many characters can have at most. */
#define BASE64_ROOM(len) (((len) + 3) / 4 * 3)

/* Padded, and without anything between. data holds BASE64_ROOM(strlen(text)). Returns the number of
 * bytes, or -EINVAL. */
ssize_t base64_read(const char *text, void *data);

/* Padded; owned by the caller. NULL when out of memory. */
char *base64_write(const void *data, size_t len);

/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, as the OCI image specification writes digests: "sha256:" and 64 hex digits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_HEX_SIZE 65  /* 64 digits and NUL */
#define DIGEST_TEXT_SIZE 72 /* "sha256:", 64 digits and NUL */

struct digest_state;

struct digest_state *digest_new(void); /* NULL when out of memory */
struct digest_state *digest_free(struct digest_state *state);
void digest_update(struct digest_state *state, const void *data, size_t len);
void digest_final(struct digest_state *state, char hex[static DIGEST_HEX_SIZE]);

void digest_of(const void *data, size_t len, char hex[static DIGEST_HEX_SIZE]);

/* "sha256:" followed by exactly 64 lower-case hex digits. */
bool digest_is_valid(const char *text);

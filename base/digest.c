/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

struct digest_state {
	struct sha256_ctx sha256;
};

struct digest_state *digest_new(void)
{
	struct digest_state *state = malloc(sizeof(*state));

	if (state)
		sha256_init(&state->sha256);
	return state;
}

struct digest_state *digest_free(struct digest_state *state)
{
	free(state);
	return NULL;
}

void digest_update(struct digest_state *state, const void *data, size_t len)
{
	sha256_update(&state->sha256, len, data);
}

void digest_final(struct digest_state *state, char hex[static DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[SHA256_DIGEST_SIZE];

	sha256_digest(&state->sha256, sizeof(raw), raw);
	for (size_t i = 0; i < sizeof(raw); i++) {
		hex[2 * i] = digits[raw[i] >> 4];
		hex[2 * i + 1] = digits[raw[i] & 15];
	}
	hex[2 * sizeof(raw)] = '\0';
}

void digest_of(const void *data, size_t len, char hex[static DIGEST_HEX_SIZE])
{
	struct digest_state state;

	sha256_init(&state.sha256);
	digest_update(&state, data, len);
	digest_final(&state, hex);
}

bool digest_is_valid(const char *text)
{
	return strncmp(text, "sha256:", 7) == 0 && strlen(text) == 71 &&
	       strspn(text + 7, "0123456789abcdef") == 64;
}

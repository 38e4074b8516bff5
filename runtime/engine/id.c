/* SPDX-License-Identifier: Apache-2.0 */
/* Ids from the kernel's randomness. */
#include "runtime/engine/id.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

int id_make(char ret[static LAYOUT_ID_SIZE], struct err *err)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[32];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return err_set(err, errno, "make an id");
	for (size_t i = 0; i < sizeof(bytes); i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[2 * sizeof(bytes)] = '\0';
	return 0;
}

bool id_is_prefix(const char *text)
{
	size_t len = strspn(text, "0123456789abcdef");

	return len > 0 && len < LAYOUT_ID_SIZE && !text[len];
}

bool id_is_valid(const char *text)
{
	return id_is_prefix(text) && strlen(text) == LAYOUT_ID_SIZE - 1;
}

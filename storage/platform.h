/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platforms as images name them: os/architecture[/variant], "linux/arm64/v8". Variants of amd64,
 * arm64 and arm are levels: a machine of one runs what is built for it or for a lower one. Pure,
 * but for platform_host().
 */
#pragma once

#include "base/err.h"

struct platform {
	char os[32], architecture[32];
	char variant[16]; /* "" stands for the architecture's common one: v1, v8, v7 */
};

/* This machine's; of amd64 the highest level that its processor has. */
void platform_host(struct platform *ret);

/*
 * "linux/arm64/v8", "linux/arm64", or an architecture alone; uname's words (x86_64, aarch64) and
 * Debian's (armhf, armel) are read too.
 */
int platform_parse(const char *text, struct platform *ret, struct err *err);

/*
 * How well an image suits who wants a platform: 0 not at all, else the more the better (the highest
 * level that is not above the wanted one). NULL or "": not told, which suits anybody a little.
 */
unsigned platform_rank(const struct platform *want, const char *os, const char *architecture,
		       const char *variant);

/* "linux/arm64/v8", variant only where there is one. */
#define PLATFORM_TEXT_SIZE 84
const char *platform_format(const char *os, const char *architecture, const char *variant,
			    char ret[static PLATFORM_TEXT_SIZE]);

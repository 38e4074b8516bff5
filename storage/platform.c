/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms: words of several worlds for the same processors, and which runs what. */
#include "storage/platform.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"

#define WORD_CHARS "abcdefghijklmnopqrstuvwxyz0123456789._-"

static const struct {
	const char *word, *architecture, *variant;
} known[] = {
	{ "x86_64", "amd64", "" },
	{ "aarch64", "arm64", "" },
	{ "armv8l", "arm", "v8" },
	{ "armv7l", "arm", "v7" },
	{ "armv6l", "arm", "v6" },
	{ "armhf", "arm", "v7" },
	{ "armel", "arm", "v6" },
	{ "i686", "386", "" },
	{ "i586", "386", "" },
	{ "i386", "386", "" },
	{ "loongarch64", "loong64", "" },
	{ "ppc64el", "ppc64le", "" },
};

static void set(struct platform *p, const char *os, const char *architecture, const char *variant)
{
	snprintf(p->os, sizeof(p->os), "%s", os);
	snprintf(p->architecture, sizeof(p->architecture), "%s", architecture);
	snprintf(p->variant, sizeof(p->variant), "%s", variant);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcmp(p->architecture, known[i].word) != 0)
			continue;
		snprintf(p->architecture, sizeof(p->architecture), "%s", known[i].architecture);
		if (!p->variant[0])
			snprintf(p->variant, sizeof(p->variant), "%s", known[i].variant);
		return;
	}
}

/* The levels of the x86-64 ABI, by the instructions that set each apart. */
static const char *host_variant(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("ssse3") || !__builtin_cpu_supports("sse4.2") ||
	    !__builtin_cpu_supports("popcnt"))
		return "";
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") ||
	    !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("fma"))
		return "v2";
	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
	    !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") ||
	    !__builtin_cpu_supports("avx512vl"))
		return "v3";
	return "v4";
#else
	return "";
#endif
}

void platform_host(struct platform *ret)
{
	struct utsname uts = { 0 };

	uname(&uts);
	set(ret, "linux", uts.machine[0] ? uts.machine : "unknown", "");
	if (strcmp(ret->architecture, "amd64") == 0)
		set(ret, "linux", "amd64", host_variant());
}

int platform_parse(const char *text, struct platform *ret, struct err *err)
{
	char word[3][32] = { "", "", "" };
	const char *rest = text;
	size_t count = 0;

	for (; count < 3; count++) {
		size_t len = strcspn(rest, "/");

		if (len == 0 || len >= sizeof(word[0]) || strspn(rest, WORD_CHARS) < len)
			break;
		memcpy(word[count], rest, len);
		rest += len;
		if (*rest != '/') {
			count++;
			break;
		}
		rest++;
	}
	if (count == 0 || *rest || rest[-1] == '/' || strlen(word[2]) >= sizeof(ret->variant))
		return err_say(
			err, EINVAL,
			"'%.100s' is no platform: write OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, as in linux/arm64/v8",
			text);
	if (count == 1)
		set(ret, "linux", word[0], "");
	else
		set(ret, word[0], word[1], word[2]);
	return 0;
}

/* "v8.2" of arm64 as a number; absent: the common one. -1: a word of its own. */
static int level_of(const char *architecture, const char *variant)
{
	char *end;
	long major, minor = 0;

	if (!variant || !*variant) {
		if (strcmp(architecture, "amd64") == 0)
			return 1 << 8;
		if (strcmp(architecture, "arm64") == 0)
			return 8 << 8;
		return strcmp(architecture, "arm") == 0 ? 7 << 8 : 0;
	}
	if (variant[0] != 'v' || !isdigit((unsigned char)variant[1]))
		return -1;
	major = strtol(variant + 1, &end, 10);
	if (*end == '.' && isdigit((unsigned char)end[1]))
		minor = strtol(end + 1, &end, 10);
	return *end || major > 99 || minor > 99 ? -1 : (int)(major << 8 | minor);
}

unsigned platform_rank(const struct platform *want, const char *os, const char *architecture,
		       const char *variant)
{
	int has, can;

	if (os && *os && strcmp(os, want->os) != 0)
		return 0;
	if (!architecture || !*architecture)
		return 1;
	if (strcmp(architecture, want->architecture) != 0)
		return 0;
	has = level_of(architecture, variant);
	can = level_of(architecture, want->variant);
	if (has < 0 || can < 0)
		return strcmp(variant ? variant : "", want->variant) == 0 ? 2 : 0;
	return has <= can ? 2 + (unsigned)has : 0;
}

const char *platform_format(const char *os, const char *architecture, const char *variant,
			    char ret[static PLATFORM_TEXT_SIZE])
{
	snprintf(ret, PLATFORM_TEXT_SIZE, "%.30s/%.30s%s%.16s", os && *os ? os : "?",
		 architecture && *architecture ? architecture : "?", variant && *variant ? "/" : "",
		 variant ? variant : "");
	return ret;
}

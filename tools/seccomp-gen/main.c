/* SPDX-License-Identifier: Apache-2.0 */
#include "gen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void gen_fail(const struct gen_file *file, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fprintf(stderr, "%s:%u: ", file->path, file->line);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

int main(int argc, char **argv)
{
	static struct gen_calls calls;
	static struct gen_profile profile;
	const struct gen_family *family;

	if (argc != 5) {
		fprintf(stderr, "usage: seccomp-gen ARCHITECTURE PROFILE NEWER OUTPUT\n");
		return 1;
	}
	family = gen_family_find(argv[1]);
	if (!family) {
		fprintf(stderr, "seccomp-gen: architecture %s is not known\n", argv[1]);
		return 1;
	}
	gen_calls_collect(family, argv[3], &calls);
	gen_profile_read(family, &calls, argv[2], &profile);
	gen_write(family, &calls, &profile, argv[4]);
	free(profile.rows);
	free(profile.tests);
	return 0;
}

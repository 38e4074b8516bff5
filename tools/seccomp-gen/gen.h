/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp-gen: a program of the build, never installed. It reads the default profile and the list
 * of newer calls, asks libseccomp for names and numbers of the target's ABIs, and writes
 * seccomp_tables.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isolation/seccomp_tables.h"

#define GEN_TEXTS_MAX 65536
#define GEN_CALLS_MAX 2048

/* What a target's processes can speak. */
struct gen_family {
	const char *name;
	size_t abis_count;
	struct seccomp_abi abis[SECCOMP_ABI_MAX];
	uint32_t libseccomp_arch[SECCOMP_ABI_MAX]; /* SCMP_ARCH_* */
	size_t muxes_count;
	struct seccomp_mux muxes[2]; /* of socketcall and of ipc */
};

struct gen_calls {
	char texts[GEN_TEXTS_MAX];
	size_t texts_len;
	struct seccomp_name names[GEN_CALLS_MAX];
	size_t count;
};

struct gen_profile {
	struct seccomp_row *rows;
	size_t rows_count;
	struct seccomp_test *tests;
	size_t tests_count;
	struct seccomp_defaults defaults;
	uint64_t capabilities;
	uint64_t ready[16];
	size_t ready_count;
};

/* An open text file and where we are in it, for messages. */
struct gen_file {
	const char *path;
	unsigned line;
};

/* Ends the program: "PATH:LINE: message". */
_Noreturn void gen_fail(const struct gen_file *file, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

const struct gen_family *gen_family_find(const char *name); /* NULL */

/* All calls of the family's ABIs, sorted by name. */
void gen_calls_collect(const struct gen_family *family, const char *newer_path,
		       struct gen_calls *ret);

/* A name that exists at all: in the tables, or in libseccomp for any architecture. */
bool gen_calls_is_name(const struct gen_calls *calls, const char *name);

void gen_profile_read(const struct gen_family *family, const struct gen_calls *calls,
		      const char *path, struct gen_profile *ret);

/* The tables as seccomp_tables.h shows them, without ready filters. */
struct seccomp_tables gen_tables(const struct gen_family *family, const struct gen_calls *calls,
				 const struct gen_profile *profile);

void gen_write(const struct gen_family *family, const struct gen_calls *calls,
	       const struct gen_profile *profile, const char *path);

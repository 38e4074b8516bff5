/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables that tools/seccomp-gen.c writes when Cellar is built: the ABIs of the target, the names
 * and numbers of their calls (from libseccomp and seccomp_newer.txt), the default profile
 * (seccomp_profile.txt) as rows, and its finished filters for the usual sets of capabilities.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>

#include "isolation/seccomp_table.h"

/* A call that is reached through another one (socketcall, ipc), told by the first argument. */
struct seccomp_mux {
	uint8_t abi;
	uint16_t nr;   /* of socketcall or ipc */
	uint32_t mask; /* of the argument: ipc keeps a version in the upper half */
};

struct seccomp_name {
	uint16_t text;		     /* offset into .texts */
	int16_t nr[SECCOMP_ABI_MAX]; /* -1: the ABI does not have it */
	uint8_t mux;		     /* index + 1 into .muxes; 0: none */
	uint8_t mux_call;	     /* value of the first argument */
};

struct seccomp_row {
	uint16_t nr;
	uint8_t abi;
	int8_t capability; /* -1: always */
	bool without;	   /* with the capability's absence, not its presence */
	uint8_t tests_count;
	uint16_t first_test;
	uint32_t action;
};

/* The default profile for one set of those capabilities that it asks for. */
struct seccomp_ready {
	uint64_t capabilities;
	const struct sock_filter *filter;
	unsigned short count;
};

struct seccomp_tables {
	const struct seccomp_abi *abis;
	size_t abis_count;
	const char *texts;
	const struct seccomp_name *names; /* sorted by text */
	size_t names_count;
	const struct seccomp_mux *muxes;
	const struct seccomp_row *rows;
	size_t rows_count;
	const struct seccomp_test *tests;
	struct seccomp_defaults defaults; /* of the default profile */
	uint64_t capabilities;		  /* that any row asks for */
	const struct seccomp_ready *ready;
	size_t ready_count;
};

extern const struct seccomp_tables seccomp_tables;

/* The entry of a name, or NULL. */
const struct seccomp_name *seccomp_tables_find(const struct seccomp_tables *tables,
					       const char *name);

/* The default profile for any set of capabilities, compiled now; owned by the caller. */
int seccomp_tables_compile(const struct seccomp_tables *tables, uint64_t capabilities,
			   struct sock_filter **ret, unsigned short *ret_count, struct err *err);

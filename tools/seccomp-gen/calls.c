/* SPDX-License-Identifier: Apache-2.0 */
/* Names and numbers of all calls of a target, from libseccomp and the list of newer ones. */
#include "gen.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/audit.h>
#include <seccomp.h>

/*
 * libseccomp numbers calls behind socketcall -100 - n and behind ipc -200 - n, where n is the
 * multiplexer's first argument.
 */
#define PSEUDO_STEP 100
#define PSEUDO_CALLS 32

static const struct gen_family families[] = {
	{ .name = "x86_64",
	  .abis_count = 3,
	  .abis = { { "x86_64", "SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64, 0, true },
		    { "x86", "SCMP_ARCH_X86", AUDIT_ARCH_I386, 0, false },
		    { "x32", "SCMP_ARCH_X32", AUDIT_ARCH_X86_64, 0x40000000, true } },
	  .libseccomp_arch = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32 },
	  .muxes_count = 2,
	  .muxes = { { 1, 102, UINT32_MAX }, { 1, 117, 0xffff } } },
	{ .name = "aarch64",
	  .abis_count = 3,
	  .abis = { { "aarch64", "SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64, 0, true },
		    { "arm", "SCMP_ARCH_ARM", AUDIT_ARCH_ARM, 0, false },
		    { "arm_private", "SCMP_ARCH_ARM", AUDIT_ARCH_ARM, 0xf0000, false } },
	  .libseccomp_arch = { SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, SCMP_ARCH_ARM } },
	{ .name = "riscv64",
	  .abis_count = 1,
	  .abis = { { "riscv64", "SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64, 0, true } },
	  .libseccomp_arch = { SCMP_ARCH_RISCV64 } },
};

const struct gen_family *gen_family_find(const char *name)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (strcmp(families[i].name, name) == 0)
			return &families[i];
	return NULL;
}

/* Texts are kept only while they are sorted; until then names are looked for one by one. */
static struct seccomp_name *entry(struct gen_calls *calls, const char *text)
{
	size_t len = strlen(text) + 1;
	struct seccomp_name *name;

	for (size_t i = 0; i < calls->count; i++)
		if (strcmp(calls->texts + calls->names[i].text, text) == 0)
			return &calls->names[i];
	if (calls->count == GEN_CALLS_MAX || calls->texts_len + len > GEN_TEXTS_MAX)
		gen_fail(&(struct gen_file){ "libseccomp", 0 }, "too many calls");
	name = &calls->names[calls->count++];
	memset(name->nr, -1, sizeof(name->nr));
	name->text = (uint16_t)calls->texts_len;
	memcpy(calls->texts + calls->texts_len, text, len);
	calls->texts_len += len;
	return name;
}

static void collect_abi(const struct gen_family *family, size_t abi, struct gen_calls *calls)
{
	for (uint32_t nr = 0; nr < SECCOMP_NR_MAX; nr++) {
		char *text = seccomp_syscall_resolve_num_arch(family->libseccomp_arch[abi],
							      (int)(family->abis[abi].base + nr));
		if (text)
			entry(calls, text)->nr[abi] = (int16_t)nr;
		free(text);
	}
}

static void collect_mux(const struct gen_family *family, size_t mux, struct gen_calls *calls)
{
	uint32_t arch = family->libseccomp_arch[family->muxes[mux].abi];

	for (int call = 1; call < PSEUDO_CALLS; call++) {
		char *text = seccomp_syscall_resolve_num_arch(arch,
							      -PSEUDO_STEP * (int)(mux + 1) - call);

		if (text) {
			struct seccomp_name *name = entry(calls, text);

			name->mux = (uint8_t)(mux + 1);
			name->mux_call = (uint8_t)call;
		}
		free(text);
	}
}

static void add_newer(const struct gen_file *file, const struct gen_family *family, char *line,
		      struct gen_calls *calls)
{
	char *save = NULL, *number = strtok_r(line, " \t\n", &save);
	char *text = strtok_r(NULL, " \t\n", &save), *only = strtok_r(NULL, " \t\n", &save);

	if (!number)
		return;
	long nr = strtol(number, NULL, 10);

	if (!text || nr <= 0 || nr >= SECCOMP_NR_MAX)
		gen_fail(file, "expected: number, name, ABI");
	entry(calls, text); /* known, even where no ABI of the target has it */
	for (size_t abi = 0; abi < family->abis_count; abi++) {
		/* Bands that only widen another ABI have no general calls. */
		bool general = strcmp(family->abis[abi].name, "arm_private") != 0;
		int16_t *known;

		if (only ? strcmp(only, family->abis[abi].name) != 0 : !general)
			continue;
		known = &entry(calls, text)->nr[abi];
		if (*known >= 0 && *known != nr)
			gen_fail(file, "%s is %d on %s, says libseccomp", text, *known,
				 family->abis[abi].name);
		*known = (int16_t)nr;
	}
}

static const char *compared_texts;

static int compare(const void *a, const void *b)
{
	return strcmp(compared_texts + ((const struct seccomp_name *)a)->text,
		      compared_texts + ((const struct seccomp_name *)b)->text);
}

void gen_calls_collect(const struct gen_family *family, const char *newer_path,
		       struct gen_calls *ret)
{
	struct gen_file file = { newer_path, 0 };
	FILE *stream = fopen(newer_path, "re");
	char line[256];

	if (!stream)
		gen_fail(&file, "cannot be read");
	for (size_t abi = 0; abi < family->abis_count; abi++)
		collect_abi(family, abi, ret);
	for (size_t mux = 0; mux < family->muxes_count; mux++)
		collect_mux(family, mux, ret);
	while (fgets(line, sizeof(line), stream)) {
		file.line++;
		line[strcspn(line, "#")] = '\0';
		add_newer(&file, family, line, ret);
	}
	fclose(stream);
	compared_texts = ret->texts;
	qsort(ret->names, ret->count, sizeof(ret->names[0]), compare);
}

bool gen_calls_is_name(const struct gen_calls *calls, const char *name)
{
	static const uint32_t all[] = { SCMP_ARCH_X86_64,  SCMP_ARCH_X86, SCMP_ARCH_ARM,
					SCMP_ARCH_AARCH64, SCMP_ARCH_PPC, SCMP_ARCH_RISCV64 };

	for (size_t i = 0; i < calls->count; i++)
		if (strcmp(calls->texts + calls->names[i].text, name) == 0)
			return true;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (seccomp_syscall_resolve_name_arch(all[i], name) != __NR_SCMP_ERROR)
			return true;
	return false;
}

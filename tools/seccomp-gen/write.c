/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the tables and the ready filters as C. */
#include "gen.h"

#include <stdio.h>
#include <stdlib.h>

struct seccomp_tables gen_tables(const struct gen_family *family, const struct gen_calls *calls,
				 const struct gen_profile *profile)
{
	return (struct seccomp_tables){
		.abis = family->abis,
		.abis_count = family->abis_count,
		.texts = calls->texts,
		.names = calls->names,
		.names_count = calls->count,
		.muxes = family->muxes,
		.rows = profile->rows,
		.rows_count = profile->rows_count,
		.tests = profile->tests,
		.defaults = profile->defaults,
		.capabilities = profile->capabilities,
	};
}

static void write_family(FILE *out, const struct gen_family *family)
{
	fprintf(out, "static const struct seccomp_abi abis[] = {\n");
	for (size_t i = 0; i < family->abis_count; i++) {
		const struct seccomp_abi *abi = &family->abis[i];

		fprintf(out, "\t{ \"%s\", \"%s\", %#x, %#x, %d },\n", abi->name, abi->oci_name,
			abi->audit_arch, abi->base, abi->wide);
	}
	fprintf(out, "};\n\nstatic const struct seccomp_mux muxes[] = {\n");
	for (size_t i = 0; i < family->muxes_count; i++)
		fprintf(out, "\t{ %u, %u, %#x },\n", family->muxes[i].abi, family->muxes[i].nr,
			family->muxes[i].mask);
	fprintf(out, "\t{ 0, 0, 0 },\n};\n\n");
}

static void write_calls(FILE *out, const struct gen_calls *calls)
{
	size_t offset = 0;

	fprintf(out, "static const char texts[] =");
	for (size_t i = 0; i < calls->count; i++)
		fprintf(out, "\n\t\"%s\\0\"", calls->texts + calls->names[i].text);
	fprintf(out, ";\n\nstatic const struct seccomp_name names[] = {\n");
	for (size_t i = 0; i < calls->count; i++) {
		const struct seccomp_name *name = &calls->names[i];
		const char *text = calls->texts + name->text;

		fprintf(out, "\t{ %zu, { %d, %d, %d, %d }, %u, %u }, /* %s */\n", offset,
			name->nr[0], name->nr[1], name->nr[2], name->nr[3], name->mux,
			name->mux_call, text);
		offset += (size_t)snprintf(NULL, 0, "%s", text) + 1;
	}
	fprintf(out, "};\n\n");
}

static void write_profile(FILE *out, const struct gen_profile *profile)
{
	fprintf(out, "static const struct seccomp_row rows[] = {\n");
	for (size_t i = 0; i < profile->rows_count; i++) {
		const struct seccomp_row *row = &profile->rows[i];

		fprintf(out, "\t{ %u, %u, %d, %d, %u, %u, %#x },\n", row->nr, row->abi,
			row->capability, row->without, row->tests_count, row->first_test,
			row->action);
	}
	fprintf(out, "};\n\nstatic const struct seccomp_test tests[] = {\n");
	for (size_t i = 0; i < profile->tests_count; i++) {
		const struct seccomp_test *test = &profile->tests[i];

		fprintf(out, "\t{ %#llx, %#llx, %u, %u },\n", (unsigned long long)test->value,
			(unsigned long long)test->mask, test->arg, test->op);
	}
	fprintf(out, "\t{ 0 },\n};\n\n");
}

static void write_ready(FILE *out, const struct seccomp_tables *tables,
			const struct gen_profile *profile, unsigned short *counts)
{
	for (size_t i = 0; i < profile->ready_count; i++) {
		struct sock_filter *filter = NULL;
		struct err err = { 0 };

		if (seccomp_tables_compile(tables, profile->ready[i], &filter, &counts[i], &err) <
		    0)
			gen_fail(&(struct gen_file){ "profile", 0 }, "%s", err.text);
		fprintf(out, "static const struct sock_filter ready_%zu[] = {\n", i);
		for (unsigned n = 0; n < counts[i]; n++)
			fprintf(out, "\t{ %#x, %u, %u, %#x },\n", filter[n].code, filter[n].jt,
				filter[n].jf, filter[n].k);
		fprintf(out, "};\n\n");
		free(filter);
	}
	fprintf(out, "static const struct seccomp_ready ready[] = {\n");
	for (size_t i = 0; i < profile->ready_count; i++)
		fprintf(out, "\t{ %#llx, ready_%zu, %u },\n",
			(unsigned long long)(profile->ready[i] & profile->capabilities), i,
			counts[i]);
	fprintf(out, "};\n\n");
}

void gen_write(const struct gen_family *family, const struct gen_calls *calls,
	       const struct gen_profile *profile, const char *path)
{
	struct seccomp_tables tables = gen_tables(family, calls, profile);
	const struct seccomp_defaults *d = &profile->defaults;
	unsigned short counts[sizeof(profile->ready) / sizeof(profile->ready[0])];
	FILE *out = fopen(path, "we");

	if (!out)
		gen_fail(&(struct gen_file){ path, 0 }, "cannot be written");
	fprintf(out, "/* Written by seccomp-gen for %s; do not edit. */\n", family->name);
	fprintf(out, "#include \"isolation/seccomp_tables.h\"\n\n");
	write_family(out, family);
	write_calls(out, calls);
	write_profile(out, profile);
	write_ready(out, &tables, profile, counts);
	fprintf(out, "const struct seccomp_tables seccomp_tables = {\n");
	fprintf(out, "\t.abis = abis,\n\t.abis_count = %zu,\n", family->abis_count);
	fprintf(out, "\t.texts = texts,\n\t.names = names,\n\t.names_count = %zu,\n", calls->count);
	fprintf(out, "\t.muxes = muxes,\n\t.rows = rows,\n\t.rows_count = %zu,\n",
		profile->rows_count);
	fprintf(out, "\t.tests = tests,\n\t.defaults = { %#x, %#x, %#x, %#x, %#x },\n", d->abis,
		d->action, d->newer, d->closed, d->foreign);
	fprintf(out, "\t.capabilities = %#llx,\n", (unsigned long long)profile->capabilities);
	fprintf(out, "\t.ready = ready,\n\t.ready_count = %zu,\n};\n", profile->ready_count);
	if (fclose(out) != 0)
		gen_fail(&(struct gen_file){ path, 0 }, "cannot be written");
}

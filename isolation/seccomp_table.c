/* SPDX-License-Identifier: Apache-2.0 */
/* A table of calls and the way from it to spans: one slot for each number of each ABI. */
#include "isolation/seccomp_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

struct slot {
	bool decided;	    /* by a rule without conditions */
	uint32_t action;    /* if decided */
	uint32_t last_case; /* index + 1, 0: none */
};

struct band {
	uint32_t known; /* numbers below this are known to the profile */
	struct slot slots[SECCOMP_NR_MAX];
};

struct seccomp_table {
	const struct seccomp_abi *abis;
	size_t abis_count;
	struct seccomp_case *cases;
	size_t cases_count, cases_size;
	struct seccomp_test *tests;
	size_t tests_count, tests_size;
	struct band bands[]; /* one an ABI; pages are touched as numbers are used */
};

struct seccomp_table *seccomp_table_new(const struct seccomp_abi *abis, size_t abis_count)
{
	struct seccomp_table *table;

	assert(abis_count <= SECCOMP_ABI_MAX);
	table = calloc(1, sizeof(*table) + abis_count * sizeof(table->bands[0]));
	if (table) {
		table->abis = abis;
		table->abis_count = abis_count;
	}
	return table;
}

struct seccomp_table *seccomp_table_free(struct seccomp_table *table)
{
	if (table) {
		free(table->cases);
		free(table->tests);
		free(table);
	}
	return NULL;
}

void seccomp_table_know(struct seccomp_table *table, size_t abi, uint32_t nr)
{
	assert(abi < table->abis_count && nr < SECCOMP_NR_MAX);
	if (table->bands[abi].known <= nr)
		table->bands[abi].known = nr + 1;
}

/* Makes room for n more elements. */
static int grow(void **array, size_t *size, size_t count, size_t n, size_t element_size)
{
	size_t want = *size ? *size : 16;
	void *moved;

	if (count + n <= *size)
		return 0;
	while (want < count + n)
		want *= 2;
	moved = reallocarray(*array, want, element_size);
	if (!moved)
		return -ENOMEM;
	*array = moved;
	*size = want;
	return 0;
}

int seccomp_table_add(struct seccomp_table *table, size_t abi, uint32_t nr, uint32_t action,
		      const struct seccomp_test *tests, size_t tests_count)
{
	struct slot *slot = &table->bands[abi].slots[nr];

	seccomp_table_know(table, abi, nr);
	if (slot->decided)
		return 0;
	if (!tests_count) {
		slot->decided = true;
		slot->action = action;
		slot->last_case = 0;
		return 0;
	}
	if (grow((void **)&table->cases, &table->cases_size, table->cases_count, 1,
		 sizeof(*table->cases)) < 0 ||
	    grow((void **)&table->tests, &table->tests_size, table->tests_count, tests_count,
		 sizeof(*table->tests)) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < tests_count; i++)
		table->tests[table->tests_count + i] = tests[i];
	table->cases[table->cases_count++] = (struct seccomp_case){
		.action = action,
		.first_test = (uint32_t)table->tests_count,
		.tests_count = (uint32_t)tests_count,
		.before = slot->last_case ? slot->last_case - 1 : SECCOMP_NO_CASE,
	};
	table->tests_count += tests_count;
	slot->last_case = (uint32_t)table->cases_count;
	return 0;
}

/* The next span, unless it only continues the one before. */
static void append(struct seccomp_span *spans, size_t *count, uint32_t first, uint32_t action,
		   uint32_t last_case)
{
	if (*count && last_case == SECCOMP_NO_CASE &&
	    spans[*count - 1].last_case == SECCOMP_NO_CASE && spans[*count - 1].action == action)
		return;
	spans[(*count)++] = (struct seccomp_span){ first, action, last_case };
}

static void append_band(const struct seccomp_table *table, const struct seccomp_defaults *defaults,
			size_t abi, struct seccomp_span *spans, size_t *count)
{
	const struct band *band = &table->bands[abi];
	uint32_t base = table->abis[abi].base;

	if (!(defaults->abis & 1U << abi)) {
		append(spans, count, base, defaults->closed, SECCOMP_NO_CASE);
		return;
	}
	for (uint32_t nr = 0; nr < band->known; nr++) {
		const struct slot *slot = &band->slots[nr];

		append(spans, count, base + nr, slot->decided ? slot->action : defaults->action,
		       slot->last_case ? slot->last_case - 1 : SECCOMP_NO_CASE);
	}
	append(spans, count, base + band->known, band->known ? defaults->newer : defaults->action,
	       SECCOMP_NO_CASE);
}

/*
 * All ABIs of abis[first]'s architecture. -1 is no call but a tracer's way to say "skip it", so it
 * is never treated as an ABI's.
 */
static int fill_section(const struct seccomp_table *table, const struct seccomp_defaults *defaults,
			size_t first, struct seccomp_section *section)
{
	size_t count = 0;
	struct seccomp_span *spans =
		reallocarray(NULL, table->abis_count * (SECCOMP_NR_MAX + 1) + 1, sizeof(*spans));

	if (!spans)
		return -ENOMEM;
	for (size_t i = first; i < table->abis_count; i++)
		if (table->abis[i].audit_arch == table->abis[first].audit_arch)
			append_band(table, defaults, i, spans, &count);
	append(spans, &count, UINT32_MAX, defaults->newer, SECCOMP_NO_CASE);
	*section = (struct seccomp_section){
		.audit_arch = table->abis[first].audit_arch,
		.wide = table->abis[first].wide,
		.spans = spans,
		.spans_count = count,
	};
	return 0;
}

static bool has_section(const struct seccomp_section *sections, size_t count, uint32_t audit_arch)
{
	for (size_t i = 0; i < count; i++)
		if (sections[i].audit_arch == audit_arch)
			return true;
	return false;
}

int seccomp_table_compile(const struct seccomp_table *table,
			  const struct seccomp_defaults *defaults, struct sock_filter **ret,
			  unsigned short *ret_count, struct err *err)
{
	struct seccomp_section sections[SECCOMP_SECTIONS_MAX];
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < table->abis_count && r == 0; i++) {
		if (!(defaults->abis & 1U << i) ||
		    has_section(sections, count, table->abis[i].audit_arch))
			continue;
		r = fill_section(table, defaults, i, &sections[count]);
		count += r == 0;
	}
	if (r == 0) {
		struct seccomp_source source = {
			.sections = sections,
			.sections_count = count,
			.cases = table->cases,
			.tests = table->tests,
			.foreign_action = defaults->foreign,
		};
		r = seccomp_filter_build(&source, ret, ret_count, err);
	} else {
		r = err_set(err, -r, "compile the seccomp filter");
	}
	for (size_t i = 0; i < count; i++)
		free((void *)sections[i].spans);
	return r;
}

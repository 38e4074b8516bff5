/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of seccomp_profile.txt, whose head describes the format. */
#include "gen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/seccomp.h>

#include "spec/oci_config.h"

#define BLANK " \t\n"
#define TESTS_MAX 6

/* The group whose calls are being read. */
struct group {
	bool open;
	uint32_t action;
	uint32_t abis;
	int8_t capability;
	bool without;
	uint16_t first_test;
	uint8_t tests_count;
};

struct reader {
	struct gen_file file;
	const struct gen_family *family;
	const struct gen_calls *calls;
	struct gen_profile *profile;
	struct group group;
	char *save; /* of strtok_r */
};

static char *next_word(struct reader *r)
{
	return strtok_r(NULL, BLANK, &r->save);
}

static char *need_word(struct reader *r, const char *what)
{
	char *word = next_word(r);

	if (!word)
		gen_fail(&r->file, "%s is missing", what);
	return word;
}

static uint32_t read_action(struct reader *r, const char *word)
{
	if (strcmp(word, "allow") == 0)
		return SECCOMP_RET_ALLOW;
	if (strcmp(word, "kill") == 0)
		return SECCOMP_RET_KILL_PROCESS;
	if (strcmp(word, "errno") == 0) {
		word = need_word(r, "errno's name");
		if (strcmp(word, "EPERM") == 0)
			return SECCOMP_RET_ERRNO | EPERM;
		if (strcmp(word, "ENOSYS") == 0)
			return SECCOMP_RET_ERRNO | ENOSYS;
	}
	gen_fail(&r->file, "\"%s\" is not an action", word);
}

static uint64_t read_number(struct reader *r)
{
	char *word = need_word(r, "a number"), *end;
	bool inverted = *word == '~';
	uint64_t value = strtoull(word + inverted, &end, 0);

	if (*end || end == word + inverted)
		gen_fail(&r->file, "\"%s\" is not a number", word);
	return inverted ? ~value : value;
}

static enum seccomp_op read_op(struct reader *r, const char *word)
{
	static const char *const ops[] = {
		[SECCOMP_OP_EQ] = "==", [SECCOMP_OP_NE] = "!=", [SECCOMP_OP_LT] = "<",
		[SECCOMP_OP_LE] = "<=", [SECCOMP_OP_GE] = ">=", [SECCOMP_OP_GT] = ">",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		if (strcmp(word, ops[i]) == 0)
			return (enum seccomp_op)i;
	gen_fail(&r->file, "\"%s\" is not an operator", word);
}

static void read_test(struct reader *r)
{
	const char *what = need_word(r, "argN or intN"), *word;
	bool narrow = strncmp(what, "int", 3) == 0;
	struct seccomp_test test = { .mask = narrow ? UINT32_MAX : UINT64_MAX };

	if ((!narrow && strncmp(what, "arg", 3) != 0) || what[3] < '0' || what[3] > '5' || what[4])
		gen_fail(&r->file, "\"%s\" is neither arg0 to arg5 nor int0 to int5", what);
	test.arg = (uint8_t)(what[3] - '0');
	word = need_word(r, "an operator");
	if (strcmp(word, "&") == 0) {
		test.mask &= read_number(r);
		word = need_word(r, "an operator");
	}
	test.op = (uint8_t)read_op(r, word);
	test.value = read_number(r);
	if (test.op > SECCOMP_OP_NE && test.mask != UINT64_MAX)
		gen_fail(&r->file, "only == and != work on parts of an argument");
	if (r->group.tests_count == TESTS_MAX)
		gen_fail(&r->file, "more than %d conditions", TESTS_MAX);
	struct gen_profile *p = r->profile;

	p->tests = reallocarray(p->tests, p->tests_count + 1, sizeof(*p->tests));
	if (!p->tests)
		abort();
	p->tests[p->tests_count++] = test;
	r->group.tests_count++;
}

static int8_t read_capability(struct reader *r)
{
	const char *word = need_word(r, "a capability");
	int capability = oci_capability_parse(word);

	if (capability < 0)
		gen_fail(&r->file, "\"%s\" is not a capability", word);
	return (int8_t)capability;
}

/* The ABIs in the rest of the line; names of other targets' are skipped. */
static uint32_t read_abis(struct reader *r)
{
	static const char *const known[] = { "x86_64", "x86",	      "x32",	"aarch64",
					     "arm",    "arm_private", "riscv64" };
	uint32_t abis = 0;

	for (char *word = next_word(r); word; word = next_word(r)) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			found |= strcmp(known[i], word) == 0;
		if (!found)
			gen_fail(&r->file, "\"%s\" is not an ABI", word);
		for (size_t i = 0; i < r->family->abis_count; i++)
			if (strcmp(r->family->abis[i].name, word) == 0)
				abis |= 1U << i;
	}
	return abis;
}

/* ACTION [when TEST [and TEST]...] [if CAP | unless CAP] [on ABI...] */
static void read_group(struct reader *r, const char *word)
{
	struct gen_profile *p = r->profile;
	bool more;

	r->group = (struct group){
		.open = true,
		.abis = UINT32_MAX,
		.capability = -1,
		.first_test = (uint16_t)p->tests_count,
	};
	r->group.action = read_action(r, word);
	for (word = next_word(r); word; word = next_word(r)) {
		more = r->group.tests_count && strcmp(word, "and") == 0;
		if (more || (!r->group.tests_count && strcmp(word, "when") == 0)) {
			read_test(r);
		} else if (strcmp(word, "if") == 0 || strcmp(word, "unless") == 0) {
			r->group.without = *word == 'u';
			r->group.capability = read_capability(r);
			p->capabilities |= 1ULL << r->group.capability;
		} else if (strcmp(word, "on") == 0) {
			r->group.abis = read_abis(r);
		} else {
			gen_fail(&r->file, "\"%s\" is not expected here", word);
		}
	}
}

static void add_row(struct reader *r, size_t abi, int nr)
{
	struct gen_profile *p = r->profile;
	const struct group *g = &r->group;

	p->rows = reallocarray(p->rows, p->rows_count + 1, sizeof(*p->rows));
	if (!p->rows)
		abort();
	p->rows[p->rows_count++] = (struct seccomp_row){
		.nr = (uint16_t)nr,
		.abi = (uint8_t)abi,
		.capability = g->capability,
		.without = g->without,
		.tests_count = g->tests_count,
		.first_test = g->first_test,
		.action = g->action,
	};
}

static void read_calls(struct reader *r, char *word)
{
	const struct gen_calls *calls = r->calls;

	uint32_t abis = r->group.abis & r->profile->defaults.abis;

	if (!r->group.open)
		gen_fail(&r->file, "calls without a group");
	for (; word; word = next_word(r)) {
		if (!gen_calls_is_name(calls, word))
			gen_fail(&r->file, "\"%s\" is not a call", word);
		for (size_t i = 0; i < calls->count; i++) {
			if (strcmp(calls->texts + calls->names[i].text, word) != 0)
				continue;
			for (size_t abi = 0; abi < r->family->abis_count; abi++)
				if (abis & 1U << abi && calls->names[i].nr[abi] >= 0)
					add_row(r, abi, calls->names[i].nr[abi]);
		}
	}
}

static void read_ready(struct reader *r)
{
	struct gen_profile *p = r->profile;
	uint64_t set = 0;

	for (char *word = next_word(r); word; word = next_word(r)) {
		int capability = oci_capability_parse(word);

		if (strcmp(word, "all") == 0)
			set = UINT64_MAX;
		else if (capability >= 0)
			set |= 1ULL << capability;
		else if (strcmp(word, "none") != 0)
			gen_fail(&r->file, "\"%s\" is not a capability", word);
	}
	if (p->ready_count == ARRAY_SIZE(p->ready))
		gen_fail(&r->file, "too many ready filters");
	p->ready[p->ready_count++] = set;
}

static void read_line(struct reader *r, char *line)
{
	bool indented = *line == '\t' || *line == ' ';
	char *colon, *word;

	line[strcspn(line, "#")] = '\0';
	colon = strchr(line, ':');
	if (colon)
		*colon = ' ';
	word = strtok_r(line, BLANK, &r->save);
	if (!word)
		return;
	if (indented)
		read_calls(r, word);
	else if (colon)
		read_group(r, word);
	else if (strcmp(word, "open") == 0)
		r->profile->defaults.abis = read_abis(r);
	else if (strcmp(word, "default") == 0)
		r->profile->defaults.action = read_action(r, need_word(r, "an action"));
	else if (strcmp(word, "newer") == 0)
		r->profile->defaults.newer = read_action(r, need_word(r, "an action"));
	else if (strcmp(word, "foreign") == 0)
		r->profile->defaults.foreign = read_action(r, need_word(r, "an action"));
	else if (strcmp(word, "ready") == 0)
		read_ready(r);
	else
		gen_fail(&r->file, "\"%s\" is not expected here", word);
}

void gen_profile_read(const struct gen_family *family, const struct gen_calls *calls,
		      const char *path, struct gen_profile *ret)
{
	struct reader r = { .file = { path, 0 }, .family = family, .calls = calls, .profile = ret };
	FILE *stream = fopen(path, "re");
	char line[512];

	if (!stream)
		gen_fail(&r.file, "cannot be read");
	while (fgets(line, sizeof(line), stream)) {
		r.file.line++;
		read_line(&r, line);
	}
	fclose(stream);
	if (!ret->defaults.action || !ret->defaults.newer)
		gen_fail(&r.file, "\"default\" or \"newer\" is missing");
	ret->defaults.closed = ret->defaults.newer;
}

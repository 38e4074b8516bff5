/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/seccomp_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "base/json.h"
#include "isolation/seccomp.h"

#define FILE_LIMIT (4 << 20)

/* ---- the host ---- */

void seccomp_host_of(uint64_t capabilities, struct seccomp_host *ret)
{
	static const struct {
		const char *machine, *word, *scmp;
	} machines[] = {
		{ "x86_64", "amd64", "SCMP_ARCH_X86_64" },
		{ "aarch64", "arm64", "SCMP_ARCH_AARCH64" },
		{ "riscv64", "riscv64", "SCMP_ARCH_RISCV64" },
	};
	struct utsname name = { 0 };

	*ret = (struct seccomp_host){ .capabilities = capabilities,
				      .architecture = "",
				      .scmp_architecture = "" };
	uname(&name);
	sscanf(name.release, "%u.%u", &ret->kernel_major, &ret->kernel_minor);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (strcmp(name.machine, machines[i].machine) == 0) {
			ret->architecture = machines[i].word;
			ret->scmp_architecture = machines[i].scmp;
		}
}

/* ---- conditions ---- */

static bool has_word(const char *const *list, const char *word)
{
	for (; list && *list; list++)
		if (strcmp(*list, word) == 0)
			return true;
	return false;
}

/* What no kernel of ours has no container has. */
static bool has_capability(const struct seccomp_host *host, const char *name)
{
	int cap = oci_capability_parse(name);

	return cap >= 0 && host->capabilities & UINT64_C(1) << cap;
}

struct condition {
	const char *const *caps, *const *arches;
	unsigned major, minor; /* 0: any kernel */
};

static int parse_condition(const struct json_node *rule, const char *key, struct arena *arena,
			   struct condition *ret, struct err *err)
{
	const char *kernel = NULL;
	struct json_node node;
	char rest;
	size_t count;
	int r = json_get_object(rule, key, &node, err);

	*ret = (struct condition){ 0 };
	if (r <= 0)
		return r;
	err_try(json_get_strings(&node, "caps", arena, &ret->caps, &count, err));
	err_try(json_get_strings(&node, "arches", arena, &ret->arches, &count, err));
	r = json_get_string(&node, "minKernel", arena, &kernel, err);
	if (r > 0 && *kernel && sscanf(kernel, "%u.%u%c", &ret->major, &ret->minor, &rest) != 2)
		return json_bad(&node, err, "minKernel: \"%s\" is not written as 4.8", kernel);
	return r;
}

static bool kernel_is_at_least(const struct seccomp_host *host, const struct condition *c)
{
	return host->kernel_major != c->major ? host->kernel_major > c->major
					      : host->kernel_minor >= c->minor;
}

/* Every part that is given must be met. */
static bool includes(const struct condition *c, const struct seccomp_host *host)
{
	for (const char *const *cap = c->caps; cap && *cap; cap++)
		if (!has_capability(host, *cap))
			return false;
	if (c->arches && *c->arches && !has_word(c->arches, host->architecture))
		return false;
	return kernel_is_at_least(host, c);
}

/* Any part that is met is enough. */
static bool excludes(const struct condition *c, const struct seccomp_host *host)
{
	for (const char *const *cap = c->caps; cap && *cap; cap++)
		if (has_capability(host, *cap))
			return true;
	if (has_word(c->arches, host->architecture))
		return true;
	return c->major && kernel_is_at_least(host, c);
}

/* ---- the document ---- */

static int parse_rule(const struct json_node *node, const struct seccomp_host *host,
		      struct arena *arena, struct oci_seccomp_rule *ret, bool *ret_applies,
		      struct err *err)
{
	struct condition in, out;

	err_try(oci_seccomp_rule_parse(node, arena, ret, err));
	err_try(parse_condition(node, "includes", arena, &in, err));
	err_try(parse_condition(node, "excludes", arena, &out, err));
	*ret_applies = includes(&in, host) && !excludes(&out, host);
	return 0;
}

/* The entry of the host, with its subordinate architectures behind it. */
static int parse_arch_map(const struct json_node *root, const struct seccomp_host *host,
			  struct arena *arena, struct oci_seccomp *ret, struct err *err)
{
	struct json_node array;
	size_t count, subs_count = 0;
	int r = json_get_array(root, "archMap", &array, &count, err);

	if (r <= 0)
		return r;
	if (ret->architectures && *ret->architectures)
		return err_say(err, EINVAL, "archMap: stands beside architectures; one has to go");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);
		const char *name = NULL, *const *subs = NULL, **all;

		err_try(json_object(&item, err));
		err_try(json_need(json_get_string(&item, "architecture", arena, &name, err), &item,
				  "architecture", err));
		err_try(json_get_strings(&item, "subArchitectures", arena, &subs, &subs_count,
					 err));
		if (strcmp(name, host->scmp_architecture) != 0)
			continue;
		all = arena_calloc(arena, subs_count + 2, sizeof(*all));
		if (!all)
			return err_set(err, ENOMEM, "read the profile");
		all[0] = name;
		if (subs_count)
			memcpy(all + 1, subs, subs_count * sizeof(*all));
		ret->architectures = all;
	}
	return 0;
}

/* Instead of the names of a rule that does not apply: no call, which profiles may name. */
static const char *const not_here[] = { "-", NULL };

/* With the rules that do not apply, so that the index of a wrong one is the file's. */
static int check(const struct oci_seccomp *profile, struct err *err)
{
	static const char prefix[] = "linux.seccomp.";
	struct seccomp_program program = { 0 };
	struct err why = { 0 };
	int r = seccomp_compile(profile, &program, &why);

	seccomp_deinit(&program);
	if (r < 0)
		return err_say(err, why.code, "%s",
			       strncmp(why.text, prefix, strlen(prefix)) == 0
				       ? why.text + strlen(prefix)
				       : why.text);
	return 0;
}

static void drop_rules(struct oci_seccomp_rule *rules, struct oci_seccomp *profile)
{
	size_t count = 0;

	for (size_t i = 0; i < profile->rules_count; i++)
		if (rules[i].names != not_here)
			rules[count++] = rules[i];
	profile->rules_count = count;
}

static int parse_head(const struct json_node *root, struct arena *arena, struct oci_seccomp *ret,
		      struct err *err)
{
	size_t count;
	int r;

	err_try(json_need(json_get_string(root, "defaultAction", arena, &ret->default_action, err),
			  root, "defaultAction", err));
	r = json_get_u32(root, "defaultErrnoRet", &ret->default_errno_ret.value, err);
	ret->default_errno_ret.set = r > 0;
	if (r >= 0)
		r = json_get_strings(root, "architectures", arena, &ret->architectures, &count,
				     err);
	return r < 0 ? r : json_get_strings(root, "flags", arena, &ret->flags, &count, err);
}

int seccomp_file_parse(const char *text, size_t len, const struct seccomp_host *host,
		       struct arena *arena, const struct oci_seccomp **ret, struct err *err)
{
	struct oci_seccomp *profile = arena_calloc(arena, 1, sizeof(*profile));
	_cleanup_json_ struct json_doc *doc = NULL;
	struct oci_seccomp_rule *rules;
	struct json_node root, array;
	size_t count = 0;

	if (!profile)
		return err_set(err, ENOMEM, "read the profile");
	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(json_object(&root, err));
	err_try(parse_head(&root, arena, profile, err));
	err_try(parse_arch_map(&root, host, arena, profile, err));
	err_try(json_get_array(&root, "syscalls", &array, &count, err));
	rules = arena_calloc(arena, count + 1, sizeof(*rules));
	if (!rules)
		return err_set(err, ENOMEM, "read the profile");
	for (size_t i = 0; i < count; i++) {
		struct json_node item = json_at(&array, i);
		bool applies = true;

		err_try(parse_rule(&item, host, arena, &rules[i], &applies, err));
		if (!applies)
			rules[i].names = not_here;
	}
	profile->rules = rules;
	profile->rules_count = count;
	err_try(check(profile, err));
	drop_rules(rules, profile);
	*ret = profile;
	return 0;
}

int seccomp_file_load(const char *path, const struct seccomp_host *host, struct arena *arena,
		      const struct oci_seccomp **ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = file_read(AT_FDCWD, path, FILE_LIMIT, &text, &len, err);

	if (r < 0)
		return err_add(err, "--security-opt seccomp");
	r = seccomp_file_parse(text, len, host, arena, ret, err);
	return r < 0 ? err_add(err, "--security-opt seccomp: %s", path) : 0;
}

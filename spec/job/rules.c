/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/job/rules.h"

#include <errno.h>
#include <string.h>

#define RULES_BYTES_MAX ((size_t)1 << 20)
#define AT(type, member) .offset = offsetof(struct type, member)

const char *const rules_bands[] = { "free", "batch", "mid", "production", "monitoring", NULL };

static const char *const quota_words[] = { "where-set", "required", NULL };

/* clang-format off */
static const struct field caller_fields[] = {
	{ "name", FIELD_TEXT, AT(rules_caller, name), true, "of a token, of a certificate, or uid-N" },
	{ "operator", FIELD_BOOL, AT(rules_caller, operator_), .help = "may do everything" },
	{ "owners", FIELD_TEXTS, AT(rules_caller, owners), .help = "for whom it speaks, beside its own name" },
	FIELD_END,
};
static const struct field owner_fields[] = {
	{ "owner", FIELD_TEXT, AT(rules_owner, owner), true, "its name, or * for all others" },
	{ "bands", FIELD_TEXTS, AT(rules_owner, bands), .help = "free, batch, mid, production, monitoring; all but the last when left out" },
	{ "privileged", FIELD_BOOL, AT(rules_owner, privileged), .help = "privileged tasks" },
	{ "host_network", FIELD_BOOL, AT(rules_owner, host_network), .help = "tasks on the machine's network" },
	{ "host_paths", FIELD_TEXTS, AT(rules_owner, host_paths), .help = "paths of machines that tasks may mount, with all below" },
	{ "devices", FIELD_TEXTS, AT(rules_owner, devices), .help = "devices of machines that tasks may use" },
	FIELD_END,
};
static const struct field rules_fields[] = {
	{ "quota", FIELD_WORD, AT(rules, quota), .help = "whether an owner without quota may have anything above free: where-set (yes) or required", .words = quota_words },
	{ "callers", FIELD_OBJECTS, AT(rules, callers), .help = "who may ask", .fields = caller_fields, .size = sizeof(struct rules_caller) },
	{ "owners", FIELD_OBJECTS, AT(rules, owners), .help = "what their tasks may be", .fields = owner_fields, .size = sizeof(struct rules_owner) },
	FIELD_END,
};
/* clang-format on */

static bool is_band(const char *word)
{
	for (const char *const *band = rules_bands; *band; band++)
		if (strcmp(*band, word) == 0)
			return true;
	return false;
}

static int check(const struct yaml_node *root, const struct rules *rules, struct err *err)
{
	FIELD_EACH(rules_owner, o, rules->owners)
	{
		for (const char *const *band = o->bands; band && *band; band++)
			if (!is_band(*band))
				return yaml_fail(root, err, "owners: \"%s\" is no band", *band);
		for (const char *const *path = o->host_paths; path && *path; path++)
			if (**path != '/' || strstr(*path, "/.."))
				return yaml_fail(root, err,
						 "owners.host_paths: \"%s\" is no plain path",
						 *path);
		for (const struct rules_owner *p = rules->owners.items; p < o; p++)
			if (strcmp(p->owner, o->owner) == 0)
				return yaml_fail(root, err, "owners: \"%s\" twice", o->owner);
	}
	return 0;
}

int rules_parse(const char *name, const char *text, size_t len, struct arena *arena,
		struct rules *ret, struct err *err)
{
	_cleanup_yaml_ struct yaml *doc = NULL;
	struct rules rules = { 0 };
	struct yaml_node root;

	if (len > RULES_BYTES_MAX)
		return err_say(err, E2BIG, "%s: a policy has 1 MiB at most", name);
	err_try(yaml_parse(name, text, len, &doc, err));
	root = yaml_root(doc);
	err_try(fields_read(&root, rules_fields, arena, &rules, err));
	err_try(check(&root, &rules, err));
	*ret = rules;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/master/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "scheduler/core/quota.h"
#include "scheduler/master/audit.h"
#include "spec/job/rules.h"

#define WHAT_SIZE 256
#define KEY_SIZE 160
#define DEFAULT_ENTRY "*"

struct held_quota {
	struct held_quota *next;
	char owner[64];
	enum band band;
	struct amounts limit;
};

struct held_rules {
	struct arena *arena; /* of the file; NULL: there is none */
	struct rules file;
	char *text;
	struct held_quota *quotas;
};

struct held_rules *rules_new(void)
{
	return calloc(1, sizeof(struct held_rules)); /* no file: where it is set */
}

struct held_rules *rules_free(struct held_rules *rules)
{
	struct held_quota *next;

	if (!rules)
		return NULL;
	for (struct held_quota *quota = rules->quotas; quota; quota = next) {
		next = quota->next;
		free(quota);
	}
	arena_free(rules->arena);
	free(rules->text);
	free(rules);
	return NULL;
}

/* ---- who ---- */

static const struct rules_caller *find_caller(const struct held_rules *rules, const char *name)
{
	FIELD_EACH(rules_caller, c, rules->file.callers)
	if (strcmp(c->name, name) == 0)
		return c;
	return NULL;
}

static bool is_operator(const struct master *master, const struct caller *caller)
{
	const struct rules_caller *entry = find_caller(master->rules, caller->name);

	return caller->role == CALLER_OPERATOR ||
	       (caller->role == CALLER_OWNER && entry && entry->operator_);
}

static bool has_word(const char *const *words, const char *word)
{
	for (; words && *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

int rules_check_operator(const struct master *master, const struct caller *caller, const char *what,
			 struct err *err)
{
	return is_operator(master, caller)
		       ? 0
		       : err_say(err, EPERM, "%s: only the operator may, and %s is none", what,
				 caller->name);
}

int rules_check_owner(const struct master *master, const struct caller *caller, const char *owner,
		      struct err *err)
{
	const struct rules_caller *entry = find_caller(master->rules, caller->name);

	/* Of a task calls.c has seen to it. */
	if (caller->role == CALLER_TASK || is_operator(master, caller))
		return 0;
	/* A name that nobody has vouched for. */
	if (strcmp(caller->name, "unknown") != 0 &&
	    (strcmp(caller->name, owner) == 0 || (entry && has_word(entry->owners, owner))))
		return 0;
	return err_say(err, EPERM,
		       "%s does not speak for %s; the operator can say so in the policy",
		       caller->name, owner);
}

/* ---- what ---- */

static const struct rules_owner *find_owner(const struct held_rules *rules, const char *owner)
{
	const struct rules_owner *others = NULL;

	FIELD_EACH(rules_owner, o, rules->file.owners)
	{
		if (strcmp(o->owner, owner) == 0)
			return o;
		if (strcmp(o->owner, DEFAULT_ENTRY) == 0)
			others = o;
	}
	return others;
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	while (len && folder[len - 1] == '/')
		len--;
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || !path[len]) &&
	       !strstr(path, "/../") &&
	       (strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
}

static bool may_mount(const struct rules_owner *owner, const char *path)
{
	for (const char *const *p = owner ? owner->host_paths : NULL; p && *p; p++)
		if (is_below(path, *p))
			return true;
	return false;
}

static int refuse(const struct job_file *file, const char *what, struct err *err)
{
	return err_say(err, EPERM,
		       "%s: %s: owner %s may not have that; the operator can allow it in "
		       "the policy",
		       file->file, what, file->owner);
}

static int check_band(const struct rules_owner *owner, const struct job_file *file, struct err *err)
{
	enum band band = band_of((unsigned)file->priority);

	if (owner && owner->bands ? has_word(owner->bands, rules_bands[band])
				  : band != BAND_MONITORING)
		return 0;
	return err_say(err, EPERM, "%s: priority: owner %s may have nothing in the band %s",
		       file->file, file->owner, rules_bands[band]);
}

static int check_tasks(const struct rules_owner *owner, const struct job_file *file,
		       struct err *err)
{
	const struct job_tasks *tasks = &file->tasks;
	char what[WHAT_SIZE];

	if (tasks->network == JOB_NETWORK_HOST && !(owner && owner->host_network))
		return refuse(file, "tasks.network: host", err);
	if (tasks->privileged && !(owner && owner->privileged))
		return refuse(file, "tasks.privileged", err);
	for (const char *const *device = tasks->devices; device && *device; device++)
		if (!(owner && has_word(owner->devices, *device))) {
			snprintf(what, sizeof(what), "tasks.devices: %s", *device);
			return refuse(file, what, err);
		}
	FIELD_EACH(job_volume, v, tasks->volumes)
	if (v->source[0] == '/' && !may_mount(owner, v->source)) {
		snprintf(what, sizeof(what), "tasks.volumes: %s", v->source);
		return refuse(file, what, err);
	}
	return 0;
}

int rules_check_file(const struct master *master, const struct caller *caller,
		     const struct job_file *file, struct err *err)
{
	const struct rules_owner *owner = find_owner(master->rules, file->owner);

	if (is_operator(master, caller))
		return 0;
	err_try(rules_check_owner(master, caller, file->owner, err));
	err_try(check_band(owner, file, err));
	return file->job ? check_tasks(owner, file, err) : 0;
}

/* ---- the file ---- */

static int take_file(struct master *master, const char *name, const char *text, size_t len,
		     struct err *err)
{
	struct held_rules *rules = master->rules;
	struct arena *arena = arena_new();
	char *copy = strndup(text, len);
	struct rules file;
	int r = !arena || !copy ? err_set(err, ENOMEM, "read the policy")
				: rules_parse(name, text, len, arena, &file, err);

	if (r < 0) {
		arena_free(arena);
		free(copy);
		return r;
	}
	arena_free(rules->arena);
	free(rules->text);
	rules->arena = arena;
	rules->text = copy;
	rules->file = file;
	cell_demand_quota(master->cell,
			  file.quota == RULES_QUOTA_REQUIRED ? QUOTA_OF_ALL : QUOTA_WHERE_SET);
	return 0;
}

int rules_load(struct master *master, const char *name, const struct json_node *root,
	       struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const char *text = "";

	(void)name;
	if (!arena)
		return err_set(err, ENOMEM, "load the policy");
	err_try(json_need(json_get_string(root, "text", arena, &text, err), root, "text", err));
	return take_file(master, "policy", text, strlen(text), err);
}

static int set_policy(struct master *master, const struct caller *caller, const char *name,
		      const char *text, size_t len, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *copy = strndup(text, len), *value = NULL;
	struct store_change change = { .key = "policy/file" };
	struct rules tried;

	err_try(rules_check_operator(master, caller, "policy", err));
	if (!w || !arena || !copy)
		return err_set(err, ENOMEM, "set the policy");
	err_try(rules_parse(name, text, len, arena, &tried, err));
	json_open_object(w);
	json_field_string(w, "text", copy);
	json_close_object(w);
	value = json_writer_take(w, &change.len);
	if (!value)
		return err_say(err, EINVAL, "%s: this is no text", name);
	change.value = value;
	err_try(master_commit(master, &change, 1, err));
	return take_file(master, name, text, len, err);
}

int master_set_policy(struct master *master, const struct caller *caller, const char *name,
		      const char *text, size_t len, struct err *err)
{
	int r = set_policy(master, caller, name, text, len, err);

	return master_audit(master, caller, r, err, "set the policy");
}

void master_write_policy(struct master *master, struct json_writer *w)
{
	json_open_object(w);
	json_field_string(w, "text", master->rules->text ? master->rules->text : "");
	json_close_object(w);
}

/* ---- quotas ---- */

static struct held_quota *find_quota(const struct held_rules *rules, const char *owner,
				     enum band band)
{
	for (struct held_quota *quota = rules->quotas; quota; quota = quota->next)
		if (quota->band == band && strcmp(quota->owner, owner) == 0)
			return quota;
	return NULL;
}

static int keep_quota(struct master *master, const char *owner, enum band band,
		      const struct amounts *limit, struct err *err)
{
	struct held_quota *quota = find_quota(master->rules, owner, band);

	if (!quota && !(quota = calloc(1, sizeof(*quota))))
		return err_set(err, ENOMEM, "set the quota of %s", owner);
	if (!*quota->owner) {
		snprintf(quota->owner, sizeof(quota->owner), "%s", owner);
		quota->band = band;
		quota->next = master->rules->quotas;
		master->rules->quotas = quota;
	}
	quota->limit = *limit;
	return 0;
}

static const char *const names[RESOURCE_COUNT] = {
	[RESOURCE_CPU] = "cpu_milli",
	[RESOURCE_MEMORY] = "memory_bytes",
	[RESOURCE_DISK] = "disk_bytes",
	[RESOURCE_PORTS] = "ports",
};

/* What is not said is not limited. */
static int read_amounts(const struct json_node *root, struct amounts *ret, struct err *err)
{
	for (int r = 0; r < RESOURCE_COUNT; r++) {
		ret->of[r] = QUOTA_UNLIMITED;
		err_try(json_get_range(root, names[r], 0, AMOUNT_MAX, &ret->of[r], err));
	}
	return 0;
}

static void write_amounts(const struct amounts *a, struct json_writer *w)
{
	for (int r = 0; r < RESOURCE_COUNT; r++)
		if (a->of[r] != QUOTA_UNLIMITED)
			json_field_i64(w, names[r], a->of[r]);
}

static int find_band(const char *word, enum band *ret, struct err *err)
{
	for (int band = 0; rules_bands[band]; band++)
		if (strcmp(rules_bands[band], word) == 0) {
			*ret = (enum band)band;
			return 0;
		}
	return err_say(err, EINVAL,
		       "\"%s\" is no band; there are free, batch, mid, production and monitoring",
		       word);
}

int rules_load_quota(struct master *master, const char *name, const struct json_node *root,
		     struct err *err)
{
	const char *slash = strrchr(name, '/');
	struct err why = { 0 };
	struct amounts limit;
	char owner[64];
	enum band band;

	if (!slash || (size_t)(slash - name) >= sizeof(owner))
		return 0;
	memcpy(owner, name, (size_t)(slash - name));
	owner[slash - name] = '\0';
	err_try(find_band(slash + 1, &band, err));
	err_try(read_amounts(root, &limit, err));
	/* A cell that has shrunk since cannot promise it. */
	if (cell_set_quota(master->cell, owner, band, &limit, &why) < 0)
		log_error("quota of %s: %s", owner, why.text);
	return keep_quota(master, owner, band, &limit, err);
}

static int write_quota(struct master *master, const char *owner, enum band band,
		       const struct amounts *limit, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *text = NULL;
	char key[KEY_SIZE];
	struct store_change change = { .key = key };

	snprintf(key, sizeof(key), "quota/%s/%s", owner, rules_bands[band]);
	if (w) {
		json_open_object(w);
		write_amounts(limit, w);
		json_close_object(w);
		text = json_writer_take(w, &change.len);
	}
	change.value = text;
	return text ? master_commit(master, &change, 1, err)
		    : err_set(err, ENOMEM, "set the quota of %s", owner);
}

static int set_quota(struct master *master, const struct caller *caller, const char *owner,
		     const char *band_name, const char *body, size_t len, struct err *err)
{
	_cleanup_json_ struct json_doc *doc = NULL;
	struct held_quota *was;
	struct json_node root;
	struct amounts limit;
	enum band band = BAND_FREE;
	int r;

	err_try(rules_check_operator(master, caller, "quota", err));
	if (!*owner || strlen(owner) > 63 || strchr(owner, '/'))
		return err_say(err, EINVAL, "\"%s\" is no name of an owner", owner);
	err_try(find_band(band_name, &band, err));
	if (band == BAND_FREE)
		return err_say(err, EINVAL, "the band free needs no quota");
	if (json_parse(body, len, &doc, err) < 0)
		return err_add(err, "the request's body");
	root = json_root(doc);
	err_try(json_object(&root, err));
	err_try(read_amounts(&root, &limit, err));
	was = find_quota(master->rules, owner, band);
	err_try(cell_set_quota(master->cell, owner, band, &limit, err));
	r = write_quota(master, owner, band, &limit, err);
	if (r == 0)
		return keep_quota(master, owner, band, &limit, err);
	/* Nothing has been there: what the store does not know is no limit. */
	cell_set_quota(master->cell, owner, band,
		       was ? &was->limit
			   : &(struct amounts){ { QUOTA_UNLIMITED, QUOTA_UNLIMITED, QUOTA_UNLIMITED,
						  QUOTA_UNLIMITED } },
		       NULL);
	return r;
}

int master_set_quota(struct master *master, const struct caller *caller, const char *owner,
		     const char *band, const char *body, size_t len, struct err *err)
{
	int r = set_quota(master, caller, owner, band, body, len, err);

	return master_audit(master, caller, r, err, "set the quota of %s in %s to %.*s", owner,
			    band, (int)(len > 100 ? 100 : len), body);
}

void master_write_quotas(struct master *master, struct json_writer *w)
{
	json_open_array(w);
	for (struct held_quota *quota = master->rules->quotas; quota; quota = quota->next) {
		struct amounts used = { 0 };

		cell_quota_used(master->cell, quota->owner, quota->band, &used);
		json_open_object(w);
		json_field_string(w, "owner", quota->owner);
		json_field_string(w, "band", rules_bands[quota->band]);
		json_key(w, "limit");
		json_open_object(w);
		write_amounts(&quota->limit, w);
		json_close_object(w);
		json_key(w, "used");
		json_open_object(w);
		write_amounts(&used, w);
		json_close_object(w);
		json_close_object(w);
	}
	json_close_array(w);
}

/* ---- the audit ---- */

int master_audit(struct master *master, const struct caller *caller, int r, const struct err *err,
		 const char *fmt, ...)
{
	char what[WHAT_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	audit_write(master->audit, caller, r, err, what);
	return r;
}

int master_allow_operator(struct master *master, const struct caller *caller, const char *what,
			  struct err *err)
{
	int r = rules_check_operator(master, caller, what, err);

	return r < 0 ? master_audit(master, caller, r, err, "%s", what) : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/master/secrets.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "scheduler/store/seal.h"

#define NAME_MAX_LEN 63
#define LABEL_SIZE (2 * (NAME_MAX_LEN + 1))
#define KEY_SIZE (LABEL_SIZE + 8)

struct secret {
	struct secret *next;
	char label[LABEL_SIZE]; /* "OWNER/NAME" */
	uint64_t version;	/* another one each time it is set */
	void *value;		/* NULL: it cannot be opened */
	size_t len;
};

struct secrets {
	char *key_path;
	struct seal *seal; /* NULL: not opened yet */
	struct secret *list;
};

struct secrets *secrets_new(const char *key_path)
{
	struct secrets *secrets = calloc(1, sizeof(*secrets));

	if (secrets && !(secrets->key_path = strdup(key_path)))
		return secrets_free(secrets);
	return secrets;
}

static void secret_free(struct secret *secret)
{
	if (!secret)
		return;
	seal_wipe(secret->value, secret->len);
	free(secret);
}

CLEANUP_DEFINE(struct secret, secret, secret_free);

struct secrets *secrets_free(struct secrets *secrets)
{
	struct secret *next;

	if (!secrets)
		return NULL;
	for (struct secret *secret = secrets->list; secret; secret = next) {
		next = secret->next;
		secret_free(secret);
	}
	seal_close(secrets->seal);
	free(secrets->key_path);
	free(secrets);
	return NULL;
}

static struct secret **find(const struct secrets *secrets, const char *owner, const char *name)
{
	size_t len = strlen(owner);
	struct secret *const *at = &secrets->list;

	while (*at && (strncmp((*at)->label, owner, len) != 0 || (*at)->label[len] != '/' ||
		       strcmp((*at)->label + len + 1, name) != 0))
		at = &(*at)->next;
	return (struct secret **)(uintptr_t)at;
}

static int open_seal(struct secrets *secrets, bool make, struct err *err)
{
	return secrets->seal ? 0 : seal_open(secrets->key_path, make, &secrets->seal, err);
}

/* ---- from the store ---- */

int secrets_load(struct master *master, const char *name, const struct json_node *root,
		 struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct secret *secret = calloc(1, sizeof(*secret));
	const char *sealed = "";
	struct err why = { 0 };
	int r;

	if (!secret || !arena || strlen(name) >= sizeof(secret->label)) {
		free(secret);
		return err_set(err, ENOMEM, "load secret %s", name);
	}
	strcpy(secret->label, name);
	secret->next = master->secrets->list;
	master->secrets->list = secret;
	err_try(json_get_u64(root, "version", &secret->version, err));
	err_try(json_need(json_get_string(root, "sealed", arena, &sealed, err), root, "sealed",
			  err));
	r = open_seal(master->secrets, false, &why);
	if (r == 0)
		r = seal_unwrap(master->secrets->seal, name, sealed, &secret->value, &secret->len,
				&why);
	/* The tasks that have it run on; those that need it anew are told. */
	if (r < 0)
		log_error("secret %s: %s", name, why.text);
	return 0;
}

/* ---- what people ask for ---- */

/* As names of jobs are: a-z, 0-9, '-', '.', a letter or digit first. */
static int check_name(const char *what, const char *name, struct err *err)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");

	if (!*name || name[len] || len > NAME_MAX_LEN || !isalnum((unsigned char)*name))
		return err_say(
			err, EINVAL,
			"\"%s\" is no name of %s: a-z, 0-9, '-' and '.', at most %d, a letter "
			"or digit first",
			name, what, NAME_MAX_LEN);
	return 0;
}

static int commit(struct master *master, const char *label, const char *text, size_t len,
		  struct err *err)
{
	char key[KEY_SIZE];
	struct store_change change = { .key = key, .value = text, .len = len };

	snprintf(key, sizeof(key), "secret/%s", label);
	return master_commit(master, &change, 1, err);
}

static int write_secret(struct master *master, const struct secret *secret, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	_cleanup_free_ char *sealed = NULL, *text = NULL;
	size_t len = 0;

	err_try(open_seal(master->secrets, true, err));
	err_try(seal_wrap(master->secrets->seal, secret->label, secret->value, secret->len, &sealed,
			  err));
	if (w) {
		json_open_object(w);
		json_field_u64(w, "version", secret->version);
		json_field_string(w, "sealed", sealed);
		json_close_object(w);
		text = json_writer_take(w, &len);
	}
	return text ? commit(master, secret->label, text, len, err)
		    : err_set(err, ENOMEM, "set secret %s", secret->label);
}

static size_t count_of(const struct secrets *secrets, const char *owner)
{
	size_t len = strlen(owner), count = 0;

	for (struct secret *secret = secrets->list; secret; secret = secret->next)
		count += strncmp(secret->label, owner, len) == 0 && secret->label[len] == '/';
	return count;
}

/* Those of running tasks are rewritten: their machines are told anew. */
static void tell_all(struct master *master)
{
	for (size_t i = 0; i < master->machine_count; i++)
		master->machines[i].news = true;
	master_settle(master);
}

int master_set_secret(struct master *master, const struct caller *caller, const char *owner,
		      const char *name, const void *value, size_t len, struct err *err)
{
	_cleanup_(cleanup_secret) struct secret *secret = calloc(1, sizeof(*secret));
	struct secret **at, *was;

	(void)caller;
	master_tick(master);
	err_try(check_name("an owner", owner, err));
	err_try(check_name("a secret", name, err));
	if (len > SECRET_BYTES_MAX)
		return err_say(err, E2BIG, "secret %s: it has %zu bytes, and may have %zu", name,
			       len, SECRET_BYTES_MAX);
	at = find(master->secrets, owner, name);
	if (!*at && count_of(master->secrets, owner) >= SECRETS_PER_OWNER)
		return err_say(err, EDQUOT, "%s has %d secrets, which is all it may have", owner,
			       SECRETS_PER_OWNER);
	if (!secret || !(secret->value = malloc(len + 1)))
		return err_set(err, ENOMEM, "set secret %s", name);
	snprintf(secret->label, sizeof(secret->label), "%s/%s", owner, name);
	memcpy(secret->value, value, len);
	secret->len = len;
	secret->version = ++master->incarnations;
	err_try(write_secret(master, secret, err));
	was = *at;
	secret->next = was ? was->next : NULL;
	*at = take_ptr(secret);
	secret_free(was);
	tell_all(master);
	return 0;
}

/* A job that would not start again without it; NULL. */
static const struct held_job *find_user(const struct master *master, const char *owner,
					const char *name)
{
	for (const struct held_job *job = master->jobs; job; job = job->next) {
		if (job->stopped || strcmp(job->file.owner, owner) != 0)
			continue;
		FIELD_EACH(job_secret, s, job->file.tasks.secrets)
		if (strcmp(s->name, name) == 0)
			return job;
	}
	return NULL;
}

int master_remove_secret(struct master *master, const struct caller *caller, const char *owner,
			 const char *name, struct err *err)
{
	struct secret **at = find(master->secrets, owner, name), *was = *at;
	const struct held_job *user = find_user(master, owner, name);

	(void)caller;
	if (!was)
		return err_say(err, ENOENT, "owner %s has no secret called %s", owner, name);
	if (user)
		return err_say(err, EBUSY, "secret %s: job %s uses it; stop that first", name,
			       user->file.job);
	err_try(commit(master, was->label, NULL, 0, err));
	*at = was->next;
	secret_free(was);
	return 0;
}

void master_write_secrets(struct master *master, struct json_writer *w)
{
	json_open_array(w);
	for (struct secret *secret = master->secrets->list; secret; secret = secret->next) {
		char owner[LABEL_SIZE];

		snprintf(owner, sizeof(owner), "%.*s", (int)strcspn(secret->label, "/"),
			 secret->label);
		json_open_object(w);
		json_field_string(w, "owner", owner);
		json_field_string(w, "name", secret->label + strlen(owner) + 1);
		json_field_bool(w, "readable", secret->value != NULL);
		json_close_object(w);
	}
	json_close_array(w);
}

/* ---- for tasks ---- */

int secrets_check(const struct master *master, const struct job_file *file, struct err *err)
{
	FIELD_EACH(job_secret, s, file->tasks.secrets)
	if (!*find(master->secrets, file->owner, s->name))
		return err_say(err, ENOENT,
			       "%s: tasks.secrets: owner %s has no secret called %s; `ctr secret "
			       "set %s --owner %s`",
			       file->file, file->owner, s->name, s->name, file->owner);
	return 0;
}

int secrets_want(const struct master *master, const struct held_task *task, uint64_t known,
		 struct arena *arena, struct want *ret)
{
	const struct job_file *file = &task->job->file;
	struct want_secret *list =
		arena_calloc(arena, file->tasks.secrets.count + 1, sizeof(*list));
	size_t n = 0;

	if (!list)
		return -ENOMEM;
	FIELD_EACH(job_secret, s, file->tasks.secrets)
	{
		const struct secret *secret = *find(master->secrets, file->owner, s->name);

		list[n] = (struct want_secret){ .target = s->target };
		if (secret) {
			list[n].value = secret->value;
			list[n].len = secret->len;
			if (secret->version > ret->secrets_version)
				ret->secrets_version = secret->version;
		}
		n++;
	}
	if (ret->secrets_version == known)
		return 0;
	ret->secrets = list;
	ret->secret_count = n;
	return 0;
}

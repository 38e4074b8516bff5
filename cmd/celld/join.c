/* SPDX-License-Identifier: Apache-2.0 */
/* celld join: a key and a certificate for this machine, or for a person. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "cmd/celld/life.h"
#include "cmd/celld/verbs.h"
#include "runtime/engine/engine.h"
#include "scheduler/link/address.h"
#include "scheduler/link/keys.h"
#include "scheduler/link/token.h"

#define HOST "https://" PKI_MASTER_HOST

struct join_args {
	const char *master, *token, *name, *root, *to;
};

static const struct option_entry join_options[] = {
	OPTION_STRING(struct join_args, master, 0, "master", "URL", "https://HOST:PORT"),
	OPTION_STRING(struct join_args, token, 0, "token", "TOKEN", "of celld token create"),
	OPTION_STRING(struct join_args, name, 0, "name", "NAME",
		      "of this machine (default: the host's)"),
	OPTION_STRING(struct join_args, root, 0, "root", "DIR",
		      "of the agent; keys go to DIR/" KEYS_FOLDER " (default " ENGINE_ROOT_DEFAULT
		      ")"),
	OPTION_STRING(struct join_args, to, 0, "to", "DIR",
		      "keys of a person go there (default ~/.config/cellar/cell)"),
	OPTION_END,
};

struct joining {
	const struct join_args *args;
	struct arena *arena;
	char *address;
	const char *ca; /* PEM */
	char fingerprint[DIGEST_HEX_SIZE], secret[TOKEN_SECRET_SIZE];
	char ca_path[PATH_MAX];
};

/* Asks the master; of its answer one text each. */
static int ask(const struct joining *j, struct http_call *call, const char *const *keys,
	       const char **ret, size_t count, struct err *err)
{
	_cleanup_http_answer_ struct http_answer answer = { 0 };
	_cleanup_json_ struct json_doc *doc = NULL;
	const char *sentence = NULL;
	struct json_node root;

	call->address = j->address;
	err_try(http_call(call, &answer, err));
	if (json_parse(answer.body, answer.len, &doc, NULL) < 0)
		return err_say(err, EBADMSG, "%s: no master of a cell answers there", j->address);
	root = json_root(doc);
	if (answer.status != 200) {
		json_get_string(&root, "error", j->arena, &sentence, NULL);
		return err_say(err, EPERM, "%s", sentence ? sentence : "the master refuses it");
	}
	for (size_t i = 0; i < count; i++)
		err_try(json_need(json_get_string(&root, keys[i], j->arena, &ret[i], err), &root,
				  keys[i], err));
	return 0;
}

/* Whoever answers is believed only once its CA is that of the token. */
static int find_ca(struct joining *j, struct err *err)
{
	static const char *const keys[] = { "ca" };
	static const struct http_trust nobody = { 0 };
	struct http_call call = { .trust = &nobody, .method = "GET", .url = HOST "/v1/ca" };
	char fingerprint[DIGEST_HEX_SIZE];

	err_try(ask(j, &call, keys, &j->ca, 1, err));
	err_try(pki_fingerprint(j->ca, fingerprint, err));
	if (strcmp(fingerprint, j->fingerprint) != 0)
		return err_say(err, EACCES,
			       "the token is of another cell than the master at %s; nothing was "
			       "said to it",
			       j->address);
	return 0;
}

static char *write_request(const struct joining *j, const char *request)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(false);
	char host[HOST_NAME_MAX + 1] = "";
	size_t len;

	if (!w)
		return NULL;
	gethostname(host, sizeof(host));
	json_open_object(w);
	json_field_string(w, "secret", j->secret);
	json_field_string(w, "name", j->args->name ? j->args->name : host);
	json_field_string(w, "request", request);
	json_close_object(w);
	return json_writer_take(w, &len);
}

/* libcurl takes the CA from a file. */
static int write_ca(struct joining *j, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	int fd;

	snprintf(j->ca_path, sizeof(j->ca_path), "%s/cellar-ca.XXXXXX", tmp ? tmp : "/tmp");
	fd = mkostemp(j->ca_path, O_CLOEXEC);
	if (fd < 0) {
		*j->ca_path = '\0';
		return err_set(err, errno, "write the cell's CA");
	}
	if (fd_write_all(fd, j->ca, strlen(j->ca)) < 0) {
		close(fd);
		return err_set(err, EIO, "write %s", j->ca_path);
	}
	close(fd);
	return 0;
}

static int find_folder(const struct joining *j, const char *role, char ret[static PATH_MAX],
		       struct err *err)
{
	const char *home = getenv("HOME");

	if (strcmp(role, PKI_ROLE_AGENT) == 0)
		return life_path(ret, j->args->root, KEYS_FOLDER, err);
	if (j->args->to)
		return life_path(ret, j->args->to, "", err);
	if (!home)
		return err_say(err, ENOENT, "there is no HOME; say by --to where the keys go");
	return life_path(ret, home, ".config/cellar/cell", err);
}

static int join(struct joining *j, struct err *err)
{
	static const char *const keys[] = { "role", "name", "certificate" };
	struct http_trust trust = { .ca = j->ca_path };
	struct http_call call = { .trust = &trust, .method = "POST", .url = HOST "/v1/join" };
	_cleanup_free_ char *key = NULL, *request = NULL, *body = NULL;
	const char *told[ARRAY_SIZE(keys)];
	char folder[PATH_MAX];

	err_try(find_ca(j, err));
	err_try(write_ca(j, err));
	err_try(pki_make_request(&key, &request, err));
	body = write_request(j, request);
	if (!body)
		return err_set(err, ENOMEM, "join");
	call.body = body;
	call.body_len = strlen(body);
	err_try(ask(j, &call, keys, told, ARRAY_SIZE(keys), err));
	err_try(find_folder(j, told[0], folder, err));
	err_try(keys_save(folder, told[0], j->args->master, j->ca,
			  &(struct pki_pair){ key, (char *)(uintptr_t)told[2] }, err));
	printf("%s %s has joined; the key is in %s\n", told[0], told[1], folder);
	return 0;
}

static int run_join(int argc, char **argv, struct err *err)
{
	struct join_args args = { .root = ENGINE_ROOT_DEFAULT };
	_cleanup_arena_ struct arena *arena = arena_new();
	struct joining j = { .args = &args, .arena = arena };
	char **words;
	size_t count;
	int r;

	r = options_parse(&verb_join.command, argc, argv, &args, &words, &count, err);
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	if (!args.master || !args.token)
		return err_say(err, EINVAL,
			       "--master and --token are needed; the token is made by "
			       "`celld token create` on the master");
	if (!arena)
		return err_set(err, ENOMEM, "join");
	err_try(token_split(args.token, j.fingerprint, j.secret, err));
	err_try(link_address(args.master, &j.address, err));
	r = join(&j, err);
	if (*j.ca_path)
		unlink(j.ca_path);
	free(j.address);
	return r;
}

const struct verb verb_join = {
	.command = {
		.name = "celld join",
		.summary = "make this machine, or a person, a part of a cell",
		.details = "Makes a key, which stays here, and has the master sign its certificate.\n"
			   "\n"
			   "Example:\n"
			   "  celld join --master https://10.0.0.1:7643 --token TOKEN  &&  celld agent",
		.options = join_options,
	},
	.run = run_join,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/revoked.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scheduler/link/pki.h"
#include "scheduler/master/master.h"

#define PREFIX "revoked/"
#define NS_PER_S INT64_C(1000000000)

struct entry {
	struct entry *next;
	char who[HTTP_ROLE_SIZE + HTTP_NAME_SIZE]; /* "ROLE/NAME" */
	int64_t until_s;			   /* those that were made by then */
};

struct revoked {
	struct master *master;
	struct entry *list;
};

static struct entry *find(const struct revoked *revoked, const char *role, const char *name)
{
	size_t len = strlen(role);

	for (struct entry *e = revoked->list; e; e = e->next)
		if (strncmp(e->who, role, len) == 0 && e->who[len] == '/' &&
		    strcmp(e->who + len + 1, name) == 0)
			return e;
	return NULL;
}

static int keep(struct revoked *revoked, const char *who, int64_t until_s)
{
	struct entry *e = revoked->list;

	while (e && strcmp(e->who, who) != 0)
		e = e->next;
	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return -ENOMEM;
		snprintf(e->who, sizeof(e->who), "%s", who);
		e->next = revoked->list;
		revoked->list = e;
	}
	e->until_s = until_s;
	return 0;
}

static int load_one(void *data, const char *key, const char *text, size_t len, struct err *err)
{
	char number[24] = "";

	if (len < sizeof(number))
		memcpy(number, text, len);
	return keep(data, key + strlen(PREFIX), strtoll(number, NULL, 10)) < 0
		       ? err_set(err, ENOMEM, "load the revoked certificates")
		       : 0;
}

int revoked_load(struct master *master, struct revoked **ret, struct err *err)
{
	_cleanup_revoked_ struct revoked *revoked = calloc(1, sizeof(*revoked));

	if (!revoked)
		return err_set(err, ENOMEM, "load the revoked certificates");
	revoked->master = master;
	err_try(master_each_note(master, PREFIX, load_one, revoked, err));
	*ret = take_ptr(revoked);
	return 0;
}

struct revoked *revoked_free(struct revoked *revoked)
{
	while (revoked && revoked->list) {
		struct entry *e = revoked->list;

		revoked->list = e->next;
		free(e);
	}
	free(revoked);
	return NULL;
}

static int64_t now_s(void)
{
	return clock_realtime_ns() / NS_PER_S;
}

int revoked_add(struct revoked *revoked, const char *role, const char *name, struct err *err)
{
	char key[sizeof(PREFIX) + HTTP_ROLE_SIZE + HTTP_NAME_SIZE], text[24];
	int64_t until_s = now_s();

	snprintf(key, sizeof(key), PREFIX "%s/%s", role, name);
	snprintf(text, sizeof(text), "%" PRId64, until_s);
	err_try(master_put_note(revoked->master, key, text, err));
	return keep(revoked, key + strlen(PREFIX), until_s) < 0
		       ? err_set(err, ENOMEM, "revoke certificates")
		       : 0;
}

int revoked_check(const struct revoked *revoked, const struct http_certificate *certificate,
		  struct err *err)
{
	const struct entry *e = find(revoked, certificate->role, certificate->name);

	if (!e || certificate->since_s + PKI_EARLIER_S > e->until_s)
		return 0;
	return err_say(err, EACCES,
		       "the certificate of %s %s was revoked: an operator's `celld token create`, "
		       "and `celld join`, get another",
		       certificate->role, certificate->name);
}

int revoked_check_new(const struct revoked *revoked, const char *role, const char *name,
		      struct err *err)
{
	const struct entry *e = find(revoked, role, name);

	return e && e->until_s >= now_s()
		       ? err_say(err, EAGAIN, "%s %s was revoked just now: join again in a second",
				 role, name)
		       : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/limit_words.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "runtime/engine/quantity.h"

#define PREFIX "RLIMIT_"

const char *limit_ulimit_name(int type, char buf[static LIMIT_NAME_SIZE])
{
	const char *name = oci_rlimit_name(type);
	size_t i = 0;

	if (!name)
		return NULL;
	for (name += strlen(PREFIX); *name && i + 1 < LIMIT_NAME_SIZE; name++)
		buf[i++] = (char)tolower((unsigned char)*name);
	buf[i] = '\0';
	return buf;
}

static int parse_type(const char *text, size_t len)
{
	char name[LIMIT_NAME_SIZE] = PREFIX;
	size_t at = strlen(PREFIX);

	if (at + len >= sizeof(name))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		/* The specification's own spelling is not Docker's. */
		if (!islower((unsigned char)text[i]))
			return -EINVAL;
		name[at++] = (char)toupper((unsigned char)text[i]);
	}
	name[at] = '\0';
	return oci_rlimit_parse(name);
}

/* Up to ':' or the end. Returns where it ended, or NULL. */
static const char *parse_value(const char *text, uint64_t *ret)
{
	size_t len = strcspn(text, ":");
	char *end;

	if ((len == 2 && strncmp(text, "-1", len) == 0) ||
	    (len == 9 && strncmp(text, "unlimited", len) == 0)) {
		*ret = RLIM_INFINITY;
		return text + len;
	}
	if (!isdigit((unsigned char)*text))
		return NULL;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || end != text + len ? NULL : end;
}

int limit_parse_ulimit(const char *text, struct oci_rlimit *ret, struct err *err)
{
	const char *equals = strchr(text, '='), *rest;
	struct oci_rlimit limit = { 0 };

	if (!equals || equals == text)
		return err_say(err, EINVAL,
			       "\"%s\" is not NAME=SOFT[:HARD], such as nofile=1024:4096", text);
	limit.type = parse_type(text, (size_t)(equals - text));
	if (limit.type < 0)
		return err_say(err, EINVAL,
			       "there is no limit \"%.*s\"; there are core, cpu, data, fsize, "
			       "locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, "
			       "rttime, sigpending and stack",
			       (int)(equals - text), text);
	rest = parse_value(equals + 1, &limit.soft);
	limit.hard = limit.soft;
	if (rest && *rest == ':')
		rest = parse_value(rest + 1, &limit.hard);
	if (!rest || *rest)
		return err_say(err, EINVAL,
			       "\"%s\": the limits must be whole numbers, or -1 for none", text);
	if (limit.soft > limit.hard)
		return err_say(err, EINVAL, "\"%s\": the soft limit is above the hard one", text);
	*ret = limit;
	return 0;
}

static int parse_rate(const char *text, int kind, uint64_t *ret, struct err *err)
{
	int64_t bytes = 0;
	char *end;

	if (kind == OCI_THROTTLE_READ_BPS || kind == OCI_THROTTLE_WRITE_BPS) {
		err_try(quantity_parse_bytes(text, &bytes, err));
		*ret = (uint64_t)bytes;
		return 0;
	}
	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno)
		return err_say(err, EINVAL, "\"%s\" is not a whole number", text);
	if (kind == ENGINE_BLOCK_WEIGHT && (*ret < 10 || *ret > 1000))
		return err_say(err, EINVAL, "a weight is from 10 to 1000, not %s", text);
	return *ret ? 0 : err_say(err, EINVAL, "0 operations a second is no possible limit");
}

int limit_parse_block(const char *text, int kind, struct arena *arena,
		      struct engine_block_limit *ret, struct err *err)
{
	const char *colon = strrchr(text, ':');
	struct engine_block_limit limit = { 0 };
	struct stat st;

	if (!colon || colon == text || text[0] != '/')
		return err_say(err, EINVAL, "\"%s\" is not /dev/NAME:%s", text,
			       kind == ENGINE_BLOCK_WEIGHT ? "WEIGHT" : "RATE");
	limit.device = arena_strndup(arena, text, (size_t)(colon - text));
	if (!limit.device)
		return err_set(err, ENOMEM, "read the command line");
	if (parse_rate(colon + 1, kind, &limit.value, err) < 0)
		return err_add(err, "%s", limit.device);
	if (stat(limit.device, &st) < 0)
		return err_set(err, errno, "find %s", limit.device);
	if (!S_ISBLK(st.st_mode))
		return err_say(err, ENOTBLK, "%s is no block device", limit.device);
	limit.major = major(st.st_rdev);
	limit.minor = minor(st.st_rdev);
	*ret = limit;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images: what is one, and what a short one stands for. Pure text. */
#include "storage/name.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define ANY_CASE LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* The ':' before the tag, or NULL; a port's ':' has a '/' behind it. */
static const char *tag_of(const char *text)
{
	const char *slash = strrchr(text, '/');

	return strchr(slash ? slash : text, ':');
}

static bool has_registry(const char *text)
{
	size_t len = strcspn(text, "/");

	if (text[len] != '/')
		return false;
	return memchr(text, '.', len) || memchr(text, ':', len) ||
	       (len == strlen("localhost") && strncmp(text, "localhost", len) == 0);
}

static bool is_tag(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= 128 && strspn(text, ANY_CASE "._-") == len && *text != '.' &&
	       *text != '-';
}

/* Parts between slashes: letters and digits at both ends. */
static bool are_parts(const char *text, size_t len)
{
	while (len > 0) {
		const char *slash = memchr(text, '/', len);
		size_t part = slash ? (size_t)(slash - text) : len;

		if (part == 0 || !isalnum((unsigned char)text[0]) ||
		    !isalnum((unsigned char)text[part - 1]))
			return false;
		if (slash && part + 1 == len)
			return false;
		text += part + (slash ? 1 : 0);
		len -= part + (slash ? 1 : 0);
	}
	return true;
}

static bool is_valid(const char *text)
{
	const char *tag = tag_of(text), *rest = text;
	size_t len = tag ? (size_t)(tag - text) : strlen(text);

	if (has_registry(text)) {
		size_t host = strcspn(text, "/");

		if (strspn(text, ANY_CASE ".-:") < host || !are_parts(text, host))
			return false;
		rest += host + 1;
		len -= host + 1;
	}
	if (len == 0 || strspn(rest, LOWER "._-/") < len || !are_parts(rest, len))
		return false;
	return !tag || is_tag(tag + 1);
}

static bool complete(const char *prefix, const char *text, char ret[static NAME_SIZE])
{
	int n = snprintf(ret, NAME_SIZE, "%s%s%s", prefix, text, tag_of(text) ? "" : ":latest");
	size_t escaped = (size_t)n;

	for (const char *p = text; *p; p++)
		escaped += *p == '/' ? 2 : 0;
	return n < NAME_SIZE && escaped < 250;
}

int name_complete(const char *text, char ret[static NAME_SIZE], struct err *err)
{
	char name[NAME_SIZE];

	if (!is_valid(text) || !complete(has_registry(text) ? "" : "localhost/", text, name))
		return err_say(
			err, EINVAL,
			"'%.100s' is no name of an image: write NAME:TAG or REGISTRY/NAME:TAG, with a to z, digits and . _ - in NAME",
			text);
	memcpy(ret, name, NAME_SIZE);
	return 0;
}

size_t name_candidates(const char *text, char ret[static NAME_CANDIDATES][NAME_SIZE])
{
	if (!is_valid(text))
		return 0;
	if (has_registry(text))
		return complete("", text, ret[0]);
	if (!complete("localhost/", text, ret[0]))
		return 0;
	return complete(strchr(text, '/') ? "docker.io/" : "docker.io/library/", text, ret[1]) ? 2
											       : 1;
}

/* "/tmp/My Image.tar.gz" gives "my-image". */
static void name_of_path(const char *path, char *ret, size_t size)
{
	static const char *const endings[] = { ".gz",  ".zst", ".xz",	       ".bz2", ".tgz",
					       ".txz", ".tar", ".oci-archive", ".oci" };
	size_t len = strlen(path), start, out = 0;

	while (len > 1 && path[len - 1] == '/')
		len--;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t n = strlen(endings[i]);

		if (len > n && strncmp(path + len - n, endings[i], n) == 0)
			len -= n;
	}
	for (start = len; start > 0 && path[start - 1] != '/';)
		start--;
	for (; start < len && out < size - 1 && out < 100; start++) {
		int c = tolower((unsigned char)path[start]);

		if (isalnum(c))
			ret[out++] = (char)c;
		else if (out > 0 && isalnum((unsigned char)ret[out - 1]))
			ret[out++] = '-';
	}
	while (out > 0 && ret[out - 1] == '-')
		out--;
	ret[out] = '\0';
	if (out == 0)
		snprintf(ret, size, "image");
}

int name_from_layout(const char *ref, const char *path, char ret[static NAME_SIZE], struct err *err)
{
	char base[128], text[NAME_SIZE];

	/* The specification leaves it open whether a bare word is a name or a tag; the tools that
	 * write bare words (umoci, buildx, skopeo's oci:FOLDER:TAG) mean a tag. */
	if (ref && (strchr(ref, '/') || strchr(ref, ':')))
		return name_complete(ref, ret, err);
	if (!path)
		return err_say(err, EINVAL,
			       "the image has no name of its own: give it one with --name");
	name_of_path(path, base, sizeof(base));
	snprintf(text, sizeof(text), "localhost/%s:%s", base, ref ? ref : "latest");
	return name_complete(text, ret, err);
}

int name_from_docker(const char *tag, char ret[static NAME_SIZE], struct err *err)
{
	char name[NAME_SIZE];

	if (is_valid(tag) && !has_registry(tag)) {
		if (!complete(strchr(tag, '/') ? "docker.io/" : "docker.io/library/", tag, name))
			return err_set(err, ENAMETOOLONG, "%.100s", tag);
		memcpy(ret, name, NAME_SIZE);
		return 0;
	}
	return name_complete(tag, ret, err);
}

void name_escape(const char *name, char ret[static 3 * NAME_SIZE])
{
	size_t out = 0;

	for (; *name && out < 3 * NAME_SIZE - 4; name++) {
		if (*name == '/') {
			memcpy(ret + out, "%2F", 3);
			out += 3;
		} else {
			ret[out++] = *name;
		}
	}
	ret[out] = '\0';
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/engine/platform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define WORD_SIZE 32

struct platform {
	char os[WORD_SIZE], architecture[WORD_SIZE], variant[WORD_SIZE]; /* "": any */
};

static const char *const systems[] = { "linux", "windows", "darwin", "freebsd" };

static const char *const architectures[] = { "amd64",	"arm64",   "arm",     "386",
					     "riscv64", "ppc64le", "s390x",   "mips64le",
					     "mips64",	"mipsle",  "loong64", "mips" };

/* clang-format off */
static const struct {
	const char *word, *architecture, *variant;
} others[] = {
	{ "x86_64", "amd64", "" },  { "x86-64", "amd64", "" },	 { "aarch64", "arm64", "" },
	{ "armhf", "arm", "v7" },   { "armv7l", "arm", "v7" },	 { "armel", "arm", "v6" },
	{ "i386", "386", "" },	    { "i686", "386", "" },	 { "loongarch64", "loong64", "" },
};
/* clang-format on */

static bool is_among(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}

static bool set_architecture(struct platform *p, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(word, others[i].word) == 0) {
			snprintf(p->architecture, WORD_SIZE, "%s", others[i].architecture);
			snprintf(p->variant, WORD_SIZE, "%s", others[i].variant);
			return true;
		}
	snprintf(p->architecture, WORD_SIZE, "%s", word);
	return is_among(word, architectures, ARRAY_SIZE(architectures));
}

static bool parse(const char *text, struct platform *ret)
{
	char words[3][WORD_SIZE] = { "", "", "" };
	const char *rest = text;
	size_t count = 0;

	*ret = (struct platform){ .os = "linux" };
	do {
		size_t len = strcspn(rest, "/");

		if (count == 3 || !len || len >= WORD_SIZE)
			return false;
		memcpy(words[count++], rest, len);
		rest += len + (rest[len] == '/');
		if (!*rest && rest[-1] == '/')
			return false;
	} while (*rest);
	if (count == 1 && set_architecture(ret, words[0]))
		return true;
	if (!is_among(words[0], systems, ARRAY_SIZE(systems)))
		return false;
	ret->architecture[0] = '\0';
	memcpy(ret->os, words[0], WORD_SIZE);
	if (count > 1 && !set_architecture(ret, words[1]))
		return false;
	if (count > 2)
		memcpy(ret->variant, words[2], WORD_SIZE);
	return true;
}

int platform_check_word(const char *text, struct err *err)
{
	struct platform p;

	if (!parse(text, &p))
		return err_say(err, EINVAL,
			       "--platform: \"%s\" is no platform; write it as linux/amd64 or "
			       "linux/arm/v7",
			       text);
	return 0;
}

/* What the image does not tell is not held against it. */
static bool differs(const char *wanted, const char *is)
{
	return wanted[0] && is && is[0] && strcmp(wanted, is) != 0;
}

int platform_check_image(const char *text, const char *image_name, const struct oci_image *image,
			 struct err *err)
{
	const char *variant = image->variant ? image->variant : "";
	struct platform p;

	err_try(platform_check_word(text, err));
	parse(text, &p);
	if (!differs(p.os, image->os) && !differs(p.architecture, image->architecture) &&
	    !differs(p.variant, variant))
		return 0;
	return err_say(err, ENOENT,
		       "--platform: image %s is for %s/%s%s%s, not for %s; import the other one",
		       image_name, image->os ? image->os : "?",
		       image->architecture ? image->architecture : "?", *variant ? "/" : "",
		       variant, text);
}

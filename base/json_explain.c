/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a text that is not JSON, and where. */
#include "base/json_explain.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <yajl/yajl_tree.h>

/* Half a word or number at the end is nothing that yajl takes for a beginning. */
static size_t without_last_token(const char *text, size_t len)
{
	while (len && (isalnum((unsigned char)text[len - 1]) || strchr("+-.", text[len - 1])))
		len--;
	return len;
}

/* Whether the first len bytes are the beginning of valid JSON. */
static bool is_beginning(char *text, size_t len)
{
	char why[512] = "", saved = text[len];
	yajl_val tree;

	text[len] = '\0';
	tree = yajl_tree_parse(text, why, sizeof(why));
	text[len] = saved;
	yajl_tree_free(tree);
	return tree || !why[0] || strstr(why, "premature EOF");
}

/* yajl does not tell where. It stops at the first byte that is wrong: found by halving. */
static size_t find_error(char *text, size_t len)
{
	size_t good = 0, bad = len;

	while (bad - good > 1) {
		size_t middle = good + (bad - good) / 2;

		if (is_beginning(text, without_last_token(text, middle)))
			good = middle;
		else
			bad = middle;
	}
	return good;
}

int json_explain(char *text, size_t len, char *why, struct err *err)
{
	size_t at, line = 1, column = 1;
	char *reason = strstr(why, "error: ");

	if (strspn(text, " \t\r\n") == len)
		return err_say(err, EINVAL, "not valid JSON: it is empty");
	at = is_beginning(text, len) ? len : find_error(text, len);
	for (size_t i = 0; i < at; i++) {
		line += text[i] == '\n';
		column = text[i] == '\n' ? 1 : column + 1;
	}
	if (at == len)
		return err_say(err, EINVAL, "not valid JSON: it ends in the middle, in line %zu",
			       line);
	reason = reason ? reason + strlen("error: ") : why;
	reason[strcspn(reason, "\n")] = '\0';
	for (size_t n = strlen(reason); n && strchr(" .", reason[n - 1]); n--)
		reason[n - 1] = '\0';
	return err_say(err, EINVAL, "not valid JSON in line %zu, column %zu: %s", line, column,
		       reason);
}

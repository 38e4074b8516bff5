/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/address.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int link_address(const char *url, char **ret, struct err *err)
{
	static const char scheme[] = "https://";
	const char *host = url + sizeof(scheme) - 1, *colon;
	size_t len;

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return err_say(err, EINVAL, "\"%s\" is no address of a master, like %s", url,
			       "https://HOST:" LINK_PORT);
	len = strcspn(host, "/?#");
	colon = memrchr(host, ':', len);
	if (colon && memchr(colon, ']', len - (size_t)(colon - host)))
		colon = NULL;
	if (!len || (host[len] == '/' && host[len + 1]) || host[len] == '?' || host[len] == '#' ||
	    (colon && (colon == host || !isdigit((unsigned char)colon[1]))))
		return err_say(err, EINVAL, "\"%s\" is no address of a master, like %s", url,
			       "https://HOST:" LINK_PORT);
	if (asprintf(ret, "%.*s%s", (int)len, host, colon ? "" : ":" LINK_PORT) < 0)
		return err_set(err, ENOMEM, "read %s", url);
	return 0;
}

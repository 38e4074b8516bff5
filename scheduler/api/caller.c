/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/api/caller.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool api_caller_is(const struct caller *caller, const char *certificate_name)
{
	return caller->uid == CALLER_NO_UID && strcmp(caller->name, certificate_name) == 0;
}

void api_caller(const struct http_request *request, struct caller *ret)
{
	struct http_certificate certificate;
	uid_t uid;
	pid_t pid;

	*ret = (struct caller){ .name = "unknown", .role = CALLER_OWNER, .uid = CALLER_NO_UID };
	if (http_certificate(request, &certificate, NULL) == 0) {
		if (strcmp(certificate.role, "operator") == 0)
			ret->role = CALLER_OPERATOR;
		snprintf(ret->name, sizeof(ret->name), "%s", certificate.name);
	}
	if (http_peer(request, &uid, &pid) < 0)
		return;
	ret->uid = uid;
	ret->role = uid == 0 || uid == geteuid() ? CALLER_OPERATOR : CALLER_OWNER;
	if (uid == 0)
		snprintf(ret->name, sizeof(ret->name), "root");
	else
		snprintf(ret->name, sizeof(ret->name), "uid-%lu", (unsigned long)uid);
}

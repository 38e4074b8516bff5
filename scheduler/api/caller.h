/* SPDX-License-Identifier: Apache-2.0 */
/* Who sent a request. */
#pragma once

#include "scheduler/api/http.h"
#include "scheduler/master/caller.h"

/* Of TLS: the name of its certificate, whose role says whether it is the operator. Of a unix
 * socket: root, and whoever celld runs as, is the operator; anybody else "uid-N". Of other sockets:
 * nobody, named "unknown", whom no policy knows. */
/* By a certificate of that name? */
bool api_caller_is(const struct caller *caller, const char *certificate_name);
void api_caller(const struct http_request *request, struct caller *ret);

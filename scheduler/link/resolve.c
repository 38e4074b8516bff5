/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "scheduler/agent/work.h"

struct resolve {
	struct work *work;
	resolve_fn fn;
	void *data;
	char where[300];
};

/* The sentence of a worker is all that comes back from it: here it is the address. */
#define FOUND EALREADY

static int look_up(void *data, struct err *err)
{
	struct resolve *resolve = data;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	char *port = strrchr(resolve->where, ':'), *host = resolve->where, name[64];
	int r;

	*port++ = '\0';
	if (*host == '[')
		host[strlen(host) - 1] = '\0', host++;
	r = getaddrinfo(host, port, &hints, &found);
	if (r == 0)
		r = getnameinfo(found->ai_addr, found->ai_addrlen, name, sizeof(name), NULL, 0,
				NI_NUMERICHOST);
	if (r != 0)
		return err_say(err, EHOSTUNREACH, "find %s: %s", host, gai_strerror(r));
	return err_say(err, FOUND, found->ai_family == AF_INET6 ? "[%s]:%s" : "%s:%s", name, port);
}

static void looked_up(void *data, const struct err *err)
{
	struct resolve *resolve = data;
	resolve_fn fn = resolve->fn;
	void *fn_data = resolve->data;

	free(resolve);
	fn(fn_data, err->code == FOUND ? err->text : NULL, err);
}

int resolve_start(struct loop *loop, const char *host_port, resolve_fn fn, void *data,
		  struct resolve **ret, struct err *err)
{
	struct resolve *resolve = calloc(1, sizeof(*resolve));
	int r;

	if (!resolve || strlen(host_port) >= sizeof(resolve->where)) {
		free(resolve);
		return err_set(err, ENOMEM, "find %.80s", host_port);
	}
	*resolve = (struct resolve){ .fn = fn, .data = data };
	strcpy(resolve->where, host_port);
	r = work_start(loop, look_up, looked_up, resolve, &resolve->work, err);
	if (r < 0) {
		free(resolve);
		return r;
	}
	*ret = resolve;
	return 0;
}

struct resolve *resolve_cancel(struct resolve *resolve)
{
	if (resolve)
		work_cancel(resolve->work);
	free(resolve);
	return NULL;
}

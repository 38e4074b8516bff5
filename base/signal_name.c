/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signal_name.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "RTMIN", "RTMIN+3", "RTMAX-1": systemd's, in many images. */
static bool parse_realtime(const char *name, int *ret)
{
	bool low = strncasecmp(name, "RTMIN", 5) == 0;
	const char *rest = name + 5;
	char *end;
	long n;

	if (!low && strncasecmp(name, "RTMAX", 5) != 0)
		return false;
	if (*rest && (*rest != (low ? '+' : '-') || !isdigit((unsigned char)rest[1])))
		return false;
	n = *rest ? strtol(rest + 1, &end, 10) : 0;
	if ((*rest && *end) || n > SIGRTMAX - SIGRTMIN)
		return false;
	*ret = low ? SIGRTMIN + (int)n : SIGRTMAX - (int)n;
	return true;
}

int signal_parse(const char *text, int *ret, struct err *err)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	char *end;
	long n = strtol(text, &end, 10);

	if (isdigit((unsigned char)*text) && !*end && n > 0 && n < NSIG) {
		*ret = (int)n;
		return 0;
	}
	for (int sig = 1; sig < NSIG; sig++) {
		const char *known = sigabbrev_np(sig);

		if (known && strcasecmp(known, name) == 0) {
			*ret = sig;
			return 0;
		}
	}
	if (parse_realtime(name, ret))
		return 0;
	return err_say(err, EINVAL, "\"%s\" is not a signal; write it as TERM, SIGTERM or 15",
		       text);
}

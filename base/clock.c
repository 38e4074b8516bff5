/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000LL

static int64_t now(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_realtime_ns(void)
{
	return now(CLOCK_REALTIME);
}

int64_t clock_monotonic_ns(void)
{
	return now(CLOCK_MONOTONIC);
}

char *clock_format(int64_t realtime_ns, char buf[static CLOCK_RFC3339_SIZE])
{
	int64_t s = realtime_ns / NS_PER_S, frac = realtime_ns % NS_PER_S;
	struct tm tm;
	size_t len;

	if (frac < 0) {
		frac += NS_PER_S;
		s--;
	}
	time_t t = s;

	gmtime_r(&t, &tm);
	len = strftime(buf, CLOCK_RFC3339_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, CLOCK_RFC3339_SIZE - len, ".%09lldZ", (long long)frac);
	return buf;
}

/* Reads ".123", scaled to nanoseconds; digits past the ninth are dropped. */
static const char *parse_fraction(const char *p, int64_t *ret_ns)
{
	int64_t scale = NS_PER_S / 10;

	*ret_ns = 0;
	if (*p != '.')
		return p;
	for (p++; isdigit((unsigned char)*p); p++, scale /= 10)
		*ret_ns += (*p - '0') * scale;
	return p;
}

static int parse_zone(const char *p, int64_t *ret_offset_s)
{
	int hours, minutes, used = 0;
	char sign;

	*ret_offset_s = 0;
	if ((*p == 'Z' || *p == 'z') && !p[1])
		return 0;
	if (sscanf(p, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 || p[used] ||
	    (sign != '+' && sign != '-'))
		return -EINVAL;
	*ret_offset_s = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return 0;
}

int clock_parse(const char *text, int64_t *ret_realtime_ns, struct err *err)
{
	struct tm tm = { 0 };
	int64_t frac, offset;
	const char *p;

	p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!p)
		return err_say(err, EINVAL, "'%s' is not a time such as 2026-11-22T16:14:49Z",
			       text);
	p = parse_fraction(p, &frac);
	if (parse_zone(p, &offset) < 0)
		return err_say(err, EINVAL, "'%s' is not a time such as 2026-11-22T16:14:49Z",
			       text);
	*ret_realtime_ns = ((int64_t)timegm(&tm) - offset) * NS_PER_S + frac;
	return 0;
}

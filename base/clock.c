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

/* Days since the epoch as a date of the Gregorian calendar. By arithmetic, because gmtime_r() reads
 * the zone's file first. A year counts from March here, so that the leap day is its last. */
static void date_of(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	int64_t shifted = days + 719468; /* since 0000-03-01 */
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t in_era = shifted - era * 146097;
	int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * in_year + 2) / 153;

	*ret_day = (int)(in_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int)(year + era * 400 + (*ret_month <= 2));
}

char *clock_format(int64_t realtime_ns, char buf[static CLOCK_RFC3339_SIZE])
{
	int64_t s = realtime_ns / NS_PER_S, frac = realtime_ns % NS_PER_S, days, rest;
	int year, month, day;

	if (frac < 0) {
		frac += NS_PER_S;
		s--;
	}
	days = s >= 0 ? s / 86400 : (s - 86399) / 86400;
	rest = s - days * 86400;
	date_of(days, &year, &month, &day);
	/* The remainders change nothing; they tell the compiler how wide each number is. */
	snprintf(buf, CLOCK_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ",
		 (unsigned)year % 10000u, (unsigned)month % 100u, (unsigned)day % 100u,
		 (unsigned)(rest / 3600) % 100u, (unsigned)(rest / 60) % 60u, (unsigned)rest % 60u,
		 (unsigned)frac % 1000000000u);
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

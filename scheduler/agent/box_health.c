/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a task's health. Its shim looks after it, with nobody watching, and writes each
 * result into health.json of the container's folder; here that is read, and told to the master,
 * which decides what follows. A change of the file is found by looking at its time twice a second:
 * inotify has 128 instances a user, and an agent is not the only one that wants some.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/loop.h"
#include "scheduler/agent/inside.h"

#define LOOK_NS INT64_C(500000000)
#define NS_PER_S INT64_C(1000000000)
#define ILLNESS_SIZE 200

/* One line of what the last check said. */
static char *describe(const struct health_record *record)
{
	const struct health_result *last =
		record->count ? &record->results[record->count - 1] : NULL;
	const char *said = last && last->output ? last->output : "";
	char *text = NULL;

	if (asprintf(&text, "unhealthy: its check failed %u times%s%.*s", record->failing_streak,
		     *said ? ": " : "", (int)strcspn(said, "\n"), said) < 0)
		return NULL;
	if (strlen(text) > ILLNESS_SIZE) {
		size_t len = ILLNESS_SIZE;

		/* Not in the middle of a character. */
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		text[len] = '\0';
	}
	return text;
}

static void read_record(struct box *box)
{
	static const enum report_health healths[] = {
		[HEALTH_NONE] = REPORT_UNCHECKED,
		[HEALTH_STARTING] = REPORT_CHECKING,
		[HEALTH_HEALTHY] = REPORT_HEALTHY,
		[HEALTH_UNHEALTHY] = REPORT_UNHEALTHY,
	};
	_cleanup_health_record_ struct health_record record = { 0 };

	if (health_record_load(box->dir, &record, NULL) < 0)
		return;
	if (box->health != healths[record.status])
		agent_changed(box->agent);
	box->health = healths[record.status];
	free(box->illness);
	box->illness = box->health == REPORT_UNHEALTHY ? describe(&record) : NULL;
}

static void look(struct box *box)
{
	char path[PATH_MAX];
	struct stat st;
	int64_t written_ns;

	if (snprintf(path, sizeof(path), "%s/" HEALTH_FILE, box->dir) >= PATH_MAX ||
	    stat(path, &st) < 0)
		return;
	written_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	if (written_ns == box->health_seen_ns)
		return;
	box->health_seen_ns = written_ns;
	read_record(box);
}

static int on_time(void *data)
{
	struct box *box = data;

	box->health_timer = NULL;
	look(box);
	loop_add_time(box->agent->loop, clock_monotonic_ns() + LOOK_NS, on_time, box,
		      &box->health_timer, NULL);
	return 0;
}

void box_health_start(struct box *box, const struct engine_container *container)
{
	if (!container->health_check.test || box->health_timer)
		return;
	if (!box->dir && !(box->dir = strdup(container->dir)))
		return;
	if (box->health == REPORT_UNCHECKED)
		box->health = REPORT_CHECKING;
	on_time(box);
}

void box_health_stop(struct box *box)
{
	box->health_timer = loop_remove(box->health_timer);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/api/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "scheduler/api/api.h"
#include "scheduler/api/caller.h"
#include "scheduler/master/master.h"

#define NS_PER_S INT64_C(1000000000)
#define WAIT_S 30
#define WAIT_MAX_S 300
/* A follower gets an empty line so often: so it is noticed when it has left. */
#define PULSE_S 15

struct waiter {
	struct waits *waits;
	struct waiter *next;
	struct http_request *request;
	struct loop_source *timer;
	/* Of one that waits for an answer. */
	int (*fn)(const struct call *call, struct err *err);
	struct call call; /* strings are copies */
	struct caller caller;
	uint64_t index;
	bool of_job;
	char job[ROUTE_NAME_SIZE];
	/* Of a follower. */
	bool follows, once, pulse, cut;
	uint64_t since;
	char *text; /* being sent */
	size_t len, at;
};

struct waits {
	struct loop *loop;
	struct master *master;
	struct master_listener listener;
	struct waiter *first;
	size_t count;
	bool closing;
};

static void forget(struct waiter *waiter)
{
	struct waiter **p = &waiter->waits->first;

	while (*p != waiter)
		p = &(*p)->next;
	*p = waiter->next;
	waiter->waits->count--;
	loop_remove(waiter->timer);
	free(waiter->text);
	free(waiter);
}

static void answer_now(struct waiter *waiter)
{
	struct call call = waiter->call;

	call.caller = &waiter->caller;
	call.name = waiter->job;
	api_run(&call, waiter->fn);
	forget(waiter);
}

static bool is_due(const struct waiter *waiter)
{
	uint64_t index = waiter->of_job ? master_job_index(waiter->waits->master, waiter->job)
					: master_index(waiter->waits->master);

	/* 0: the job is gone. */
	return !index || index > waiter->index;
}

static void on_news(void *data)
{
	struct waits *waits = data;
	struct waiter *next;

	for (struct waiter *waiter = waits->first; waiter; waiter = next) {
		next = waiter->next;
		if (waiter->follows)
			http_stream_wake(waiter->request);
		else if (is_due(waiter))
			answer_now(waiter);
	}
}

static int on_timeout(void *data)
{
	struct waiter *waiter = data;

	waiter->timer = NULL;
	answer_now(waiter);
	return 0;
}

static int on_pulse(void *data)
{
	struct waiter *waiter = data;

	waiter->pulse = true;
	http_stream_wake(waiter->request);
	return loop_add_time(waiter->waits->loop, clock_monotonic_ns() + PULSE_S * NS_PER_S,
			     on_pulse, waiter, &waiter->timer, NULL);
}

static int new_waiter(struct waits *waits, const struct call *call, struct waiter **ret,
		      struct err *err)
{
	struct waiter *waiter;

	if (waits->count >= WAITERS_MAX)
		return err_say(err, EAGAIN, "%zu requests wait already; ask again later",
			       waits->count);
	waiter = calloc(1, sizeof(*waiter));
	if (!waiter)
		return err_set(err, ENOMEM, "wait");
	waiter->waits = waits;
	waiter->request = call->request;
	waiter->caller = *call->caller;
	waiter->next = waits->first;
	waits->first = waiter;
	waits->count++;
	*ret = waiter;
	return 0;
}

static int read_number(const struct call *call, const char *name, uint64_t *ret, struct err *err)
{
	const char *text = http_query(call->request, name);
	char *end;

	if (!text)
		return 0;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-')
		return err_say(err, EINVAL, "%s=%s is no number", name, text);
	return 1;
}

int waits_hold(struct waits *waits, const struct call *call, const char *job,
	       int (*fn)(const struct call *call, struct err *err), struct err *err)
{
	uint64_t index = 0, wait_s = WAIT_S;
	struct waiter *waiter;
	struct waiter asked = { .waits = waits, .of_job = job };
	int r = read_number(call, "index", &index, err);

	if (r <= 0)
		return r;
	err_try(read_number(call, "wait", &wait_s, err));
	asked.index = index;
	strncpy(asked.job, job ? job : "", sizeof(asked.job) - 1);
	if (waits->closing || is_due(&asked))
		return 0;
	err_try(new_waiter(waits, call, &waiter, err));
	waiter->fn = fn;
	waiter->call = *call;
	waiter->index = index;
	waiter->of_job = job;
	memcpy(waiter->job, asked.job, sizeof(waiter->job));
	loop_add_time(waits->loop,
		      clock_monotonic_ns() +
			      (int64_t)(wait_s < WAIT_MAX_S ? wait_s : WAIT_MAX_S) * NS_PER_S,
		      on_timeout, waiter, &waiter->timer, NULL);
	return ROUTE_ANSWERED;
}

/* ---- events ---- */

static ssize_t read_events(void *data, char *buf, size_t size)
{
	struct waiter *waiter = data;
	size_t n;

	if (waiter->cut)
		return -1;
	if (!waiter->text)
		waiter->text = master_events(waiter->waits->master, waiter->since, &waiter->len,
					     &waiter->since);
	if (!waiter->text && waiter->pulse) {
		waiter->pulse = false;
		*buf = '\n';
		return 1;
	}
	if (!waiter->text)
		return waiter->once || waiter->waits->closing ? -1 : 0;
	n = waiter->len - waiter->at < size ? waiter->len - waiter->at : size;
	memcpy(buf, waiter->text + waiter->at, n);
	waiter->at += n;
	if (waiter->at == waiter->len) {
		free(waiter->text);
		waiter->text = NULL;
		waiter->at = 0;
	}
	return (ssize_t)n;
}

static void on_gone(void *data)
{
	forget(data);
}

int waits_events(struct waits *waits, const struct call *call, struct err *err)
{
	const char *follow = http_query(call->request, "follow");
	struct http_stream stream = { .read = read_events, .gone = on_gone };
	struct waiter *waiter;
	uint64_t since = 0;

	err_try(read_number(call, "since", &since, err));
	err_try(new_waiter(waits, call, &waiter, err));
	waiter->follows = true;
	waiter->once = !follow || strcmp(follow, "true") != 0;
	waiter->since = since;
	stream.data = waiter;
	if (!waiter->once)
		loop_add_time(waits->loop, clock_monotonic_ns() + PULSE_S * NS_PER_S, on_pulse,
			      waiter, &waiter->timer, NULL);
	http_answer_stream(call->request, "application/x-ndjson", &stream);
	return ROUTE_ANSWERED;
}

/* ---- life ---- */

int waits_new(struct loop *loop, struct master *master, struct waits **ret, struct err *err)
{
	struct waits *waits = calloc(1, sizeof(*waits));

	if (!waits)
		return err_set(err, ENOMEM, "start the API");
	*waits = (struct waits){ .loop = loop, .master = master };
	waits->listener = (struct master_listener){ .fn = on_news, .data = waits };
	master_listen(master, &waits->listener);
	*ret = waits;
	return 0;
}

void waits_close(struct waits *waits)
{
	struct waiter *next;

	waits->closing = true;
	master_unlisten(waits->master, &waits->listener);
	for (struct waiter *waiter = waits->first; waiter; waiter = next) {
		next = waiter->next;
		if (waiter->follows)
			http_stream_wake(waiter->request);
		else
			answer_now(waiter);
	}
}

void waits_cut_off(struct waits *waits, const char *name, const char *sentence)
{
	struct waiter *next;
	struct err err = { 0 };

	err_say(&err, EACCES, "%s", sentence);
	for (struct waiter *waiter = waits->first; waiter; waiter = next) {
		next = waiter->next;
		if (!api_caller_is(&waiter->caller, name))
			continue;
		waiter->cut = true;
		if (waiter->follows) {
			http_stream_wake(waiter->request);
		} else {
			api_answer_error(waiter->request, &err);
			forget(waiter);
		}
	}
}

struct waits *waits_free(struct waits *waits)
{
	if (!waits)
		return NULL;
	free(waits);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/api/streams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/frame.h"
#include "base/loop.h"
#include "scheduler/api/api.h"
#include "scheduler/api/caller.h"
#include "scheduler/api/streams_ask.h"
#include "scheduler/master/master.h"

#define NS_PER_S INT64_C(1000000000)
#define PER_CALLER 16
#define ID_BYTES 16
#define ID_SIZE (2 * ID_BYTES + 1)
/* A frame that says nothing goes so often to a client: so it is noticed when it has left. */
#define PULSE_S 2
#define HOLD_S 5      /* the longest that a helper is let wait */
#define PATIENCE_S 15 /* and that it may be silent */
#define TOO_MUCH "a stream takes 64 KiB at a time"
#define FRAMES "application/vnd.cellar.frames"
#define AGENT_ROLE "agent"

struct stream {
	struct streams *streams;
	struct stream *next;
	char id[ID_SIZE];
	struct caller caller;
	char machine[MASTER_REACH_NAME];
	struct http_request *reader;   /* the client's, whose answer goes on */
	struct http_request *feeder;   /* the client's, which waits for room in `in` */
	struct http_request *listener; /* the helper's, which waits for something in it */
	struct http_request *sender;   /* the helper's, which waits for room in `out` */
	bool sender_ends;
	struct strbuf in, out;
	size_t out_at;		    /* of what the client has been sent */
	bool claimed;		    /* by a helper */
	bool ended;		    /* nothing comes behind what is in `out` */
	bool cut;		    /* nobody may say anything any more */
	int64_t heard_ns, asked_ns; /* of the helper; when the listener came */
	struct loop_source *timer;
};

struct streams {
	struct loop *loop;
	struct master *master;
	struct stream *first;
	bool closing;
};

/* ---- answers ---- */

static void answer_done(struct http_request *request)
{
	http_answer(request, 200, "application/json", strdup("{}"), 2);
}

static void answer_over(struct http_request *request)
{
	struct err err = { 0 };

	err_say(&err, ENOENT, "this stream is over");
	api_answer_error(request, &err);
}

static void answer_bytes(struct http_request *request, struct strbuf *sb)
{
	size_t len = sb->len;
	char *text = strbuf_take(sb);

	*sb = (struct strbuf){ 0 };
	http_answer(request, text ? 200 : 500, FRAMES, text, text ? len : 0);
}

/* ---- bytes ---- */

static size_t waiting(const struct stream *stream)
{
	return stream->out.len - stream->out_at;
}

static void take_body(struct strbuf *sb, const struct http_request *request)
{
	size_t len;
	const char *body = http_body(request, &len);

	if (len)
		strbuf_add(sb, body, len);
}

static void give_to_helper(struct stream *stream)
{
	if (!stream->listener || !stream->in.len)
		return;
	answer_bytes(take_ptr(stream->listener), &stream->in);
	if (stream->feeder) {
		take_body(&stream->in, stream->feeder);
		answer_done(take_ptr(stream->feeder));
	}
}

/* What the helper has sent while there was no room. */
static void take_sender(struct stream *stream)
{
	if (!stream->sender || waiting(stream))
		return;
	stream->out.len = stream->out_at = 0;
	take_body(&stream->out, stream->sender);
	stream->ended |= stream->sender_ends;
	/* It was held for as long as the client did not read. */
	stream->heard_ns = clock_monotonic_ns();
	answer_done(take_ptr(stream->sender));
}

static ssize_t on_read(void *data, char *buf, size_t size)
{
	struct stream *stream = data;
	size_t n;

	take_sender(stream);
	n = waiting(stream) < size ? waiting(stream) : size;
	if (!n)
		return stream->ended || !strbuf_ok(&stream->out) ? -1 : 0;
	memcpy(buf, stream->out.data + stream->out_at, n);
	stream->out_at += n;
	if (!waiting(stream))
		stream->out.len = stream->out_at = 0;
	return (ssize_t)n;
}

/* In the place of what its process would say. */
static void end_with(struct stream *stream, const char *sentence)
{
	if (stream->ended)
		return;
	frame_add(&stream->out, FRAME_ERROR, sentence, strlen(sentence));
	stream->ended = true;
	http_stream_wake(stream->reader);
}

/* The client has left, or has all. */
static void on_gone(void *data)
{
	struct stream *stream = data;
	struct stream **p = &stream->streams->first;

	while (*p != stream)
		p = &(*p)->next;
	*p = stream->next;
	loop_remove(stream->timer);
	if (!stream->claimed)
		master_dismiss(stream->streams->master, stream->machine, stream->id);
	if (stream->feeder)
		answer_over(stream->feeder);
	if (stream->listener)
		answer_over(stream->listener);
	if (stream->sender && stream->sender_ends)
		answer_done(stream->sender);
	else if (stream->sender)
		answer_over(stream->sender);
	strbuf_deinit(&stream->in);
	strbuf_deinit(&stream->out);
	free(stream);
}

static int on_pulse(void *data)
{
	struct stream *stream = data;
	int64_t now = clock_monotonic_ns();

	stream->timer = NULL;
	if (stream->listener && now - stream->asked_ns >= HOLD_S * NS_PER_S)
		answer_bytes(take_ptr(stream->listener), &stream->in);
	if (!stream->listener && !stream->sender && now - stream->heard_ns >= PATIENCE_S * NS_PER_S)
		end_with(stream, stream->claimed ? "its machine does not answer any more"
						 : "its machine does not answer");
	if (!waiting(stream) && !stream->ended)
		frame_add(&stream->out, FRAME_PULSE, "", 0);
	http_stream_wake(stream->reader);
	return loop_add_time(stream->streams->loop, now + PULSE_S * NS_PER_S, on_pulse, stream,
			     &stream->timer, NULL);
}

/* A request stays for as long as its stream, and its body with it. */
static int check_body(const struct call *call, const char *sentence, struct err *err)
{
	size_t len;

	http_body(call->request, &len);
	return len <= STREAM_BODY_MAX ? 0 : err_say(err, E2BIG, "%s", sentence);
}

/* ---- a new one ---- */

static int check_room(const struct streams *streams, const struct caller *caller, struct err *err)
{
	size_t all = 0, own = 0;

	for (const struct stream *s = streams->first; s; s = s->next) {
		all++;
		own += strcmp(s->caller.name, caller->name) == 0;
	}
	if (streams->closing || all >= STREAMS_MAX || own >= PER_CALLER)
		return err_say(err, EAGAIN,
			       "%zu streams into tasks are open already, %zu of them by %s; end "
			       "one",
			       all, own, caller->name);
	return 0;
}

static int make_id(char id[static ID_SIZE], struct err *err)
{
	unsigned char raw[ID_BYTES];

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return err_set(err, errno, "open a stream");
	for (size_t i = 0; i < ID_BYTES; i++)
		snprintf(id + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

/* task: what the helper is told to do, JSON. */
static int open_stream(const struct call *call, const struct master_reach *reach, const char *task,
		       struct err *err)
{
	struct streams *streams = api_streams(call->api);
	struct http_stream answer = { .read = on_read, .gone = on_gone, .patient = true };
	struct stream *stream;
	int r;

	if (strlen(task) > FRAME_MAX)
		return err_say(err, E2BIG, "the command is too long");
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return err_set(err, ENOMEM, "open a stream");
	stream->streams = streams;
	stream->reader = call->request;
	stream->heard_ns = clock_monotonic_ns();
	stream->caller = *call->caller;
	snprintf(stream->machine, sizeof(stream->machine), "%s", reach->machine);
	r = make_id(stream->id, err);
	if (r == 0)
		r = master_summon(streams->master, reach->machine, stream->id, err);
	if (r < 0) {
		free(stream);
		return r;
	}
	frame_add(&stream->in, FRAME_TASK, task, strlen(task));
	frame_add(&stream->out, FRAME_NAME, stream->id, strlen(stream->id));
	stream->next = streams->first;
	streams->first = stream;
	loop_add_time(streams->loop, stream->heard_ns + PULSE_S * NS_PER_S, on_pulse, stream,
		      &stream->timer, NULL);
	answer.data = stream;
	http_answer_stream(call->request, FRAMES, &answer);
	return ROUTE_ANSWERED;
}

int stream_logs(const struct call *call, struct err *err)
{
	_cleanup_free_ char *task = NULL;
	struct master_reach reach = { .index = UINT32_MAX };

	err_try(check_body(call, "what is asked of a log has 64 KiB at most", err));
	err_try(check_room(api_streams(call->api), call->caller, err));
	err_try(streams_read_index(call, &reach.index, err));
	err_try(master_reach(call->master, call->caller, call->name, &reach, err));
	err_try(streams_write_logs(call, reach.container, &task, err));
	return open_stream(call, &reach, task, err);
}

int stream_exec(const struct call *call, struct err *err)
{
	_cleanup_(exec_request_deinit) struct exec_request asked = { 0 };
	_cleanup_free_ char *task = NULL;
	struct master_reach reach = { 0 };

	err_try(check_body(call, "the command is too long", err));
	err_try(check_room(api_streams(call->api), call->caller, err));
	err_try(streams_read_exec(call, &asked, err));
	reach.index = asked.index;
	reach.command = asked.shown;
	err_try(master_reach(call->master, call->caller, call->name, &reach, err));
	err_try(streams_write_exec(&asked, reach.container, &task, err));
	return open_stream(call, &reach, task, err);
}

/* ---- what the two ends say ---- */

static int find(const struct call *call, struct stream **ret, struct err *err)
{
	for (struct stream *s = api_streams(call->api)->first; s; s = s->next)
		if (!s->cut && strcmp(s->id, call->name) == 0) {
			*ret = s;
			return 0;
		}
	return err_say(err, ENOENT, "this stream is over");
}

int stream_say(const struct call *call, struct err *err)
{
	struct stream *stream;

	err_try(find(call, &stream, err));
	if (strcmp(stream->caller.name, call->caller->name) != 0)
		return err_say(err, EPERM, "this stream is not that of %s", call->caller->name);
	err_try(check_body(call, TOO_MUCH, err));
	if (stream->feeder)
		return err_say(err, EBUSY, "an earlier message waits for room already");
	if (stream->in.len) {
		stream->feeder = call->request;
		return ROUTE_ANSWERED;
	}
	take_body(&stream->in, call->request);
	answer_done(call->request);
	give_to_helper(stream);
	return ROUTE_ANSWERED;
}

/* Of a machine elsewhere its certificate says so; on this one it is root's helper. */
static int check_machine(const struct call *call, const struct stream *stream, struct err *err)
{
	struct http_certificate who;
	uid_t uid;
	pid_t pid;

	if (http_certificate(call->request, &who, NULL) == 0) {
		if (strcmp(who.role, AGENT_ROLE) == 0 && strcmp(who.name, stream->machine) == 0)
			return 0;
	} else if (http_peer(call->request, &uid, &pid) == 0 &&
		   call->caller->role == CALLER_OPERATOR) {
		return 0;
	}
	return err_say(err, EPERM, "this stream is not that of %s", call->caller->name);
}

int stream_listen_agent(const struct call *call, struct err *err)
{
	const char *claim = http_query(call->request, "claim");
	struct stream *stream;

	err_try(find(call, &stream, err));
	err_try(check_machine(call, stream, err));
	if (stream->claimed == (claim && strcmp(claim, "true") == 0))
		return err_say(err, EBUSY, "this stream is taken up %s",
			       stream->claimed ? "already" : "by ?claim=true");
	if (stream->listener)
		return err_say(err, EBUSY, "another one listens already");
	if (!stream->claimed)
		master_dismiss(stream->streams->master, stream->machine, stream->id);
	stream->claimed = true;
	stream->heard_ns = stream->asked_ns = clock_monotonic_ns();
	stream->listener = call->request;
	give_to_helper(stream);
	return ROUTE_ANSWERED;
}

int stream_say_agent(const struct call *call, struct err *err)
{
	const char *end = http_query(call->request, "end");
	struct stream *stream;

	err_try(find(call, &stream, err));
	err_try(check_machine(call, stream, err));
	err_try(check_body(call, TOO_MUCH, err));
	if (stream->sender || stream->ended)
		return err_say(err, EBUSY, "an earlier message waits for room already");
	stream->heard_ns = clock_monotonic_ns();
	stream->sender = call->request;
	stream->sender_ends = end && strcmp(end, "true") == 0;
	take_sender(stream);
	http_stream_wake(stream->reader);
	return ROUTE_ANSWERED;
}

/* ---- life ---- */

int streams_new(struct loop *loop, struct master *master, struct streams **ret, struct err *err)
{
	struct streams *streams = calloc(1, sizeof(*streams));

	if (!streams)
		return err_set(err, ENOMEM, "start the API");
	*streams = (struct streams){ .loop = loop, .master = master };
	*ret = streams;
	return 0;
}

/* But the reader: it hears that this is over. */
static void answer_all(struct stream *s)
{
	if (s->feeder)
		answer_over(take_ptr(s->feeder));
	if (s->listener)
		answer_over(take_ptr(s->listener));
	if (s->sender)
		answer_over(take_ptr(s->sender));
}

void streams_close(struct streams *streams)
{
	streams->closing = true;
	for (struct stream *s = streams->first; s; s = s->next) {
		answer_all(s);
		s->timer = loop_remove(s->timer);
		end_with(s, "the master ends");
	}
}

void streams_cut_off(struct streams *streams, const char *name, const char *sentence)
{
	for (struct stream *s = streams->first; s; s = s->next) {
		if (s->cut || !api_caller_is(&s->caller, name))
			continue;
		s->cut = true;
		answer_all(s);
		/* Who does not read does not keep the connection. */
		http_stream_hurry(s->reader);
		end_with(s, sentence);
	}
}

struct streams *streams_free(struct streams *streams)
{
	free(streams);
	return NULL;
}

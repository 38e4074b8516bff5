/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "runtime/shim/event.pb-c.h"
#include "runtime/shim/proto.h"
#include "runtime/shim/ttrpc.h"

#define QUEUE_MAX 2048
#define TRIES_MAX 5
#define SECOND_NS INT64_C(1000000000)
#define ABSENCE_NS (2 * SECOND_NS) /* between looks for a containerd that is not there */
#define ANSWER_NS (5 * SECOND_NS)

struct item {
	struct item *next;
	int tries;
	size_t len;
	uint8_t frame[]; /* ready but for its stream id, which is of the connection */
};

struct events {
	struct loop *loop;
	char *address, *namespace_;
	struct item *first, **last;
	size_t count;
	int fd;			    /* -1: not connected */
	struct loop_source *source; /* of fd */
	struct loop_source *timer;  /* next try, or the answer's deadline */
	uint32_t stream;
	size_t sent;	      /* bytes of the first item */
	struct strbuf answer; /* what has come of its answer */
	bool under_way;	      /* the first item is being sent or waits for its answer */
	struct loop_source *flush_timer;
	void (*flushed)(void *data);
	void *flush_data;
};

static void send_next(struct events *e);

static void disconnect(struct events *e)
{
	e->source = loop_remove(e->source);
	if (e->fd >= 0)
		close(take_fd(&e->fd));
	e->timer = loop_remove(e->timer);
	e->under_way = false;
	strbuf_deinit(&e->answer);
	e->answer = (struct strbuf){ 0 };
}

static void drop_first(struct events *e)
{
	struct item *item = e->first;

	e->first = item->next;
	if (!e->first)
		e->last = &e->first;
	e->count--;
	free(item);
}

static int on_flushed(void *data)
{
	struct events *e = data;
	void (*fn)(void *) = e->flushed;

	e->flush_timer = NULL;
	e->flushed = NULL;
	if (fn)
		fn(e->flush_data);
	return 0;
}

static void check_flushed(struct events *e)
{
	if (e->first || !e->flushed)
		return;
	e->flush_timer = loop_remove(e->flush_timer);
	loop_add_time(e->loop, clock_monotonic_ns(), on_flushed, e, &e->flush_timer, NULL);
}

static int on_retry(void *data)
{
	struct events *e = data;

	e->timer = NULL;
	send_next(e);
	return 0;
}

static void retry_in(struct events *e, int64_t wait_ns)
{
	if (loop_add_time(e->loop, clock_monotonic_ns() + wait_ns, on_retry, e, &e->timer, NULL) <
	    0)
		e->timer = NULL;
}

/* The first item was not delivered: again after a while, or given up. */
static void failed(struct events *e)
{
	disconnect(e);
	if (++e->first->tries >= TRIES_MAX) {
		log_warn("an event could not be sent to %s and is lost", e->address);
		drop_first(e);
	}
	if (!e->first)
		check_flushed(e);
	else
		retry_in(e, e->first->tries * SECOND_NS);
}

static int on_deadline(void *data)
{
	struct events *e = data;

	e->timer = NULL;
	failed(e);
	return 0;
}

/* >0: the whole answer is there, 0: not yet, <0: broken. */
static int read_answer(struct events *e)
{
	struct ttrpc_header header;
	char buf[4096];
	ssize_t n = recv(e->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -ECONNRESET;
	strbuf_add(&e->answer, buf, (size_t)n);
	if (!strbuf_ok(&e->answer))
		return -ENOMEM;
	if (e->answer.len < TTRPC_HEADER_SIZE)
		return 0;
	ttrpc_header_parse(e->answer.data, &header);
	if (header.length > TTRPC_MESSAGE_MAX)
		return -EBADMSG;
	return e->answer.len >= TTRPC_HEADER_SIZE + header.length;
}

static int write_item(struct events *e)
{
	struct item *item = e->first;

	while (e->sent < item->len) {
		ssize_t n = send(e->fd, item->frame + e->sent, item->len - e->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return loop_change_fd(e->source, EPOLLIN | EPOLLOUT);
		if (n < 0)
			return -errno;
		e->sent += (size_t)n;
	}
	return loop_change_fd(e->source, EPOLLIN);
}

static int on_connection(void *data, uint32_t events)
{
	struct events *e = data;
	int r = 0;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		r = read_answer(e);
	if (r > 0 && e->under_way && e->sent == e->first->len) {
		/* Refused or accepted: a refusal would not change by asking again. */
		drop_first(e);
		e->timer = loop_remove(e->timer);
		e->under_way = false;
		strbuf_deinit(&e->answer);
		e->answer = (struct strbuf){ 0 };
		send_next(e);
		check_flushed(e);
		return 0;
	}
	if (r == 0 && e->under_way && (events & EPOLLOUT))
		r = write_item(e);
	if (r == 0)
		return 0;
	if (e->under_way)
		failed(e);
	else
		disconnect(e); /* idle, and the other side went: connected again when needed */
	return 0;
}

static int ensure_connected(struct events *e)
{
	int r;

	if (e->fd >= 0)
		return 0;
	e->fd = ttrpc_connect(e->address, true, NULL);
	if (e->fd < 0)
		return e->fd;
	e->stream = 1;
	r = loop_add_fd(e->loop, e->fd, EPOLLIN, on_connection, e, &e->source, NULL);
	if (r < 0)
		disconnect(e);
	return r;
}

static void send_next(struct events *e)
{
	struct ttrpc_header header;

	if (!e->first || e->under_way || e->timer)
		return;
	e->under_way = true;
	e->sent = 0;
	if (ensure_connected(e) < 0) {
		disconnect(e);
		retry_in(e, ABSENCE_NS);
		return;
	}
	ttrpc_header_parse(e->first->frame, &header);
	header.stream = e->stream;
	e->stream += 2;
	ttrpc_header_format(&header, e->first->frame);
	if (write_item(e) < 0 || loop_add_time(e->loop, clock_monotonic_ns() + ANSWER_NS,
					       on_deadline, e, &e->timer, NULL) < 0)
		failed(e);
}

/* The call of Forward as a frame. */
static struct item *pack(struct events *e, const char *topic, const char *name, const void *message)
{
	char type_url[64];
	_cleanup_strbuf_ struct strbuf frame = { 0 };
	Pb__Any any = PB__ANY__INIT;
	Pb__Timestamp now = PB__TIMESTAMP__INIT;
	Event__Envelope envelope = EVENT__ENVELOPE__INIT;
	Event__ForwardRequest request = EVENT__FORWARD_REQUEST__INIT;
	struct ttrpc_call call = {
		.service = "containerd.services.events.ttrpc.v1.Events",
		.method = "Forward",
		.message = &request,
		.timeout_ns = ANSWER_NS,
		.metadata_key = "containerd-namespace-ttrpc",
		.metadata_value = e->namespace_,
	};
	struct item *item;
	int r;

	snprintf(type_url, sizeof(type_url), "containerd.events.%s", name);
	if (proto_pack_any(message, type_url, &any) < 0)
		return NULL;
	proto_set_time(&now, clock_realtime_ns());
	envelope.timestamp = &now;
	envelope.namespace_ = e->namespace_;
	envelope.topic = proto_string(topic);
	envelope.event = &any;
	request.envelope = &envelope;
	r = ttrpc_pack_request(&call, 1, &frame, NULL);
	free(any.value.data);
	item = r < 0 ? NULL : calloc(1, sizeof(*item) + frame.len);
	if (item) {
		item->len = frame.len;
		memcpy(item->frame, frame.data, frame.len);
	}
	return item;
}

static void append(struct events *e, struct item *item)
{
	*e->last = item;
	e->last = &item->next;
	e->count++;
}

void events_publish(struct events *e, const char *topic, const char *name, const void *message)
{
	struct item *item;

	if (!e->address)
		return;
	item = e->count < QUEUE_MAX ? pack(e, topic, name, message) : NULL;
	if (!item) {
		log_warn("event %s is lost: %s", topic,
			 e->count < QUEUE_MAX ? "out of memory" : "too many wait");
		return;
	}
	append(e, item);
	send_next(e);
}

int events_save(const struct events *e, Upgrade__State *state)
{
	state->events = calloc(e->count + 1, sizeof(*state->events));
	if (!state->events)
		return -ENOMEM;
	for (struct item *item = e->first; item; item = item->next)
		state->events[state->n_events++] =
			(ProtobufCBinaryData){ .data = item->frame, .len = item->len };
	return 0;
}

void events_unsave(Upgrade__State *state)
{
	free(take_ptr(state->events));
	state->n_events = 0;
}

void events_restore(struct events *e, const Upgrade__State *state)
{
	for (size_t i = 0; i < state->n_events && e->address; i++) {
		const ProtobufCBinaryData *frame = &state->events[i];
		struct item *item = frame->len > TTRPC_HEADER_SIZE
					    ? calloc(1, sizeof(*item) + frame->len)
					    : NULL;

		if (!item)
			continue;
		item->len = frame->len;
		memcpy(item->frame, frame->data, frame->len);
		append(e, item);
	}
	if (e->first)
		send_next(e);
}

int events_flush(struct events *e, int timeout_ms, void (*fn)(void *data), void *data)
{
	int64_t wait = e->first ? (int64_t)timeout_ms * 1000000 : 0;

	e->flushed = fn;
	e->flush_data = data;
	e->flush_timer = loop_remove(e->flush_timer);
	return loop_add_time(e->loop, clock_monotonic_ns() + wait, on_flushed, e, &e->flush_timer,
			     NULL);
}

int events_new(struct loop *loop, const char *address, const char *namespace_, struct events **ret,
	       struct err *err)
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		return err_set(err, ENOMEM, "prepare events");
	e->loop = loop;
	e->last = &e->first;
	e->fd = -1;
	e->namespace_ = strdup(namespace_);
	if (address && *address)
		e->address = strdup(address);
	if (!e->namespace_ || (address && *address && !e->address)) {
		events_free(e);
		return err_set(err, ENOMEM, "prepare events");
	}
	*ret = e;
	return 0;
}

struct events *events_free(struct events *e)
{
	if (!e)
		return NULL;
	disconnect(e);
	loop_remove(e->flush_timer);
	while (e->first)
		drop_first(e);
	free(e->address);
	free(e->namespace_);
	free(e);
	return NULL;
}

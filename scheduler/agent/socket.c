/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/agent/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/loop.h"
#include "scheduler/agent/inside.h"
#include "scheduler/agent/pocket.h"
#include "scheduler/api/http.h"

#define TOKEN_BYTES 16
#define TOKEN_SIZE (2 * TOKEN_BYTES + 1)
#define PATH_LEN_MAX 200
#define CONNECTIONS 16
#define IDLE_S 60
#define PATIENCE_NS INT64_C(30000000000)
#define NS_PER_S INT64_C(1000000000)
#define MILLI 1000
#define REPORTED_BYTES ((size_t)2 << 20)
#define REPORTED_CALL ((size_t)1024) /* beside its body and its method */
#define BEARER "Bearer "

struct agent_call {
	struct agent_call *next;
	struct box *box;
	struct http_request *request;
	struct loop_source *timer;
	uint64_t number;
};

struct task_socket {
	struct http_server *server;
	char token[TOKEN_SIZE];
	int64_t milli, at_ns; /* of its bucket */
	unsigned waiting;
};

/* ---- the token ---- */

int socket_write_token(int api_fd, struct err *err)
{
	unsigned char raw[TOKEN_BYTES];
	char token[TOKEN_SIZE];
	int r;

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return err_set(err, errno, "make a token");
	for (size_t i = 0; i < TOKEN_BYTES; i++)
		snprintf(token + 2 * i, 3, "%02x", raw[i]);
	r = file_replace(api_fd, "token", token, TOKEN_SIZE - 1, 0400, false, err);
	explicit_bzero(token, sizeof(token));
	return r;
}

/* In a time that tells nothing of where they differ. */
static bool same(const char *a, const char *b)
{
	unsigned char differ = 0;

	if (strlen(a) != strlen(b))
		return false;
	for (; *a; a++, b++)
		differ |= (unsigned char)(*a ^ *b);
	return !differ;
}

static bool has_token(const struct task_socket *s, const struct http_request *request)
{
	const char *header = http_header(request, "Authorization");

	return header && strncmp(header, BEARER, strlen(BEARER)) == 0 &&
	       same(header + strlen(BEARER), s->token);
}

/* ---- a call ---- */

static void refuse(struct http_request *request, unsigned status, const char *sentence)
{
	char *body = NULL;
	int len = asprintf(&body, "{\"error\":\"%s\"}\n", sentence);

	http_answer(request, status, "application/json", len < 0 ? NULL : body,
		    len < 0 ? 0 : (size_t)len);
}

static void drop(struct agent_call *call)
{
	struct agent_call **p = &call->box->agent->calls;

	while (*p != call)
		p = &(*p)->next;
	*p = call->next;
	call->box->socket->waiting--;
	loop_remove(call->timer);
	free(call);
}

static int on_time(void *data)
{
	struct agent_call *call = data;

	call->timer = NULL;
	refuse(call->request, 504,
	       "the cell does not answer now; whether it has done this is not known");
	drop(call);
	return 0;
}

static bool take_turn(struct task_socket *s)
{
	int64_t now = clock_monotonic_ns();
	int64_t more = (now - s->at_ns) / (NS_PER_S / MILLI) * SOCKET_PER_S;

	if (more > 0) {
		s->milli = s->milli + more > SOCKET_BURST * MILLI ? SOCKET_BURST * MILLI
								  : s->milli + more;
		s->at_ns = now;
	}
	if (s->milli < MILLI)
		return false;
	s->milli -= MILLI;
	return true;
}

/* It goes into a document that must stay one, whatever a task sends. */
static bool is_plain(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len <= PATH_LEN_MAX;
}

static void wait_for_master(struct box *box, struct http_request *request)
{
	struct agent *agent = box->agent;
	struct agent_call *call = calloc(1, sizeof(*call)), **last = &agent->calls;

	if (!call || loop_add_time(agent->loop, clock_monotonic_ns() + PATIENCE_NS, on_time, call,
				   &call->timer, NULL) < 0) {
		free(call);
		refuse(request, 503, "the machine has no memory left");
		return;
	}
	while (!agent->call_numbers &&
	       getrandom(&agent->call_numbers, sizeof(agent->call_numbers), 0) < 0)
		;
	/* Another range for each agent, of what any reader of JSON takes for a whole number. */
	agent->call_numbers &= INT64_C(0x1fffffffffffff);
	call->box = box;
	call->request = request;
	call->number = agent->call_numbers++;
	while (*last)
		last = &(*last)->next;
	*last = call;
	box->socket->waiting++;
	agent_changed(agent);
}

static void on_request(void *data, struct http_request *request)
{
	struct box *box = data;
	struct task_socket *s = box->socket;

	if (!has_token(s, request))
		refuse(request, 401,
		       "the token of " POCKET_API_TARGET
		       "/token is missing: Authorization: Bearer TOKEN");
	else if (!take_turn(s))
		refuse(request, 429, "too many requests: 20 a second, 50 at once");
	else if (s->waiting >= SOCKET_WAITING_MAX)
		refuse(request, 429, "8 requests wait for their answers already");
	else if (!is_plain(http_method(request)) || !is_plain(http_path(request)))
		refuse(request, 400, "this method or path is too long, or no plain text");
	else
		wait_for_master(box, request);
}

/* ---- with the master ---- */

/*
 * The first ones only, since a report that is too long is heard by nobody. New ones come last: what
 * was reported stays reported until it is answered.
 */
struct task_call *socket_calls(const struct agent *agent, size_t *ret_count)
{
	struct task_call *list;
	size_t count = 0, bytes = 0;

	for (struct agent_call *call = agent->calls; call; call = call->next)
		count++;
	list = calloc(count + 1, sizeof(*list));
	*ret_count = 0;
	for (struct agent_call *call = agent->calls; list && call && bytes < REPORTED_BYTES;
	     call = call->next) {
		struct task_call *to = &list[(*ret_count)++];

		*to = (struct task_call){
			.number = call->number,
			.task = call->box->task,
			.incarnation = call->box->incarnation,
			.method = http_method(call->request),
			.path = http_path(call->request),
		};
		to->body = http_body(call->request, &to->body_len);
		bytes += to->body_len + strlen(to->method) + REPORTED_CALL;
	}
	return list;
}

static struct agent_call *find(const struct agent *agent, uint64_t number)
{
	for (struct agent_call *call = agent->calls; call; call = call->next)
		if (call->number == number)
			return call;
	return NULL;
}

void socket_heed(struct agent *agent, const struct machine_wants *wants)
{
	for (size_t i = 0; i < wants->answer_count; i++) {
		const struct task_answer *answer = &wants->answers[i];
		struct agent_call *call = find(agent, answer->number);
		char *body = call ? strdup(answer->body) : NULL;

		if (!call)
			continue;
		http_answer(call->request, (unsigned)answer->status, "application/json", body,
			    body ? strlen(body) : 0);
		drop(call);
	}
}

/* ---- life ---- */

/* By its folder's descriptor: a path may be too long for a socket's address. */
static int listen_in(int api_fd, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/cell.sock", api_fd);
	unlinkat(api_fd, "cell.sock", 0);
	/* Whoever is in the container may connect; the token says who may ask. */
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchmodat(api_fd, "cell.sock", 0666, 0) < 0 || listen(fd, CONNECTIONS) < 0)
		return err_set(err, errno, "listen for a task");
	return take_fd(&fd);
}

static int read_token(int api_fd, struct task_socket *s, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	err_try(file_read(api_fd, "token", TOKEN_SIZE, &text, &len, err));
	if (len != TOKEN_SIZE - 1)
		return err_say(err, EBADMSG, "its token is damaged");
	memcpy(s->token, text, TOKEN_SIZE);
	return 0;
}

int socket_open(struct box *box, struct err *err)
{
	static const struct http_limits limits = { .body_bytes = SOCKET_BODY_MAX,
						   .connections = CONNECTIONS,
						   .idle_s = IDLE_S };
	_cleanup_fd_ int api_fd = pocket_open_api(box, err);
	int fd, r;

	if (api_fd < 0)
		return api_fd;
	if (faccessat(api_fd, "token", F_OK, 0) < 0)
		return 0;
	box->socket = calloc(1, sizeof(*box->socket));
	if (!box->socket)
		return err_set(err, ENOMEM, "listen for task %s", box->task);
	box->socket->milli = SOCKET_BURST * MILLI;
	box->socket->at_ns = clock_monotonic_ns();
	r = read_token(api_fd, box->socket, err);
	fd = r < 0 ? r : listen_in(api_fd, err);
	if (fd >= 0)
		r = http_server_new(box->agent->loop, fd, &limits, on_request, box,
				    &box->socket->server, err);
	if (fd < 0 || r < 0) {
		free(box->socket);
		box->socket = NULL;
	}
	return fd < 0 ? fd : r;
}

void socket_close(struct box *box)
{
	struct agent_call *next;

	if (!box->socket)
		return;
	for (struct agent_call *call = box->agent->calls; call; call = next) {
		next = call->next;
		if (call->box != box)
			continue;
		refuse(call->request, 503, "the machine's agent ends; ask again");
		drop(call);
	}
	http_server_free(box->socket->server);
	explicit_bzero(box->socket, sizeof(*box->socket));
	free(box->socket);
	box->socket = NULL;
}

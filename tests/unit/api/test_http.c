/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/loop.h"
#include "scheduler/api/http.h"

#define PATIENCE_MS 60000

/* A server in a child: /echo answers the body, /later 50 ms after it was asked, /peer the uid. */
struct room {
	char path[64];
	pid_t pid;
};

static struct http_request *held;
static struct loop *loop;

static int answer_held(void *data)
{
	(void)data;
	http_answer(held, 200, "text/plain", strdup("late"), 4);
	return 0;
}

static void serve(void *data, struct http_request *request)
{
	const char *path = http_path(request), *body, *name;
	struct loop_source *timer;
	char *text = NULL;
	size_t len;
	uid_t uid;
	pid_t pid;

	(void)data;
	body = http_body(request, &len);
	name = http_query(request, "name");
	if (strcmp(path, "/echo") == 0) {
		int n = asprintf(&text, "%s %s %zu %s", http_method(request), name ? name : "-",
				 len, body);
		http_answer(request, 200, "text/plain", text, (size_t)n);
	} else if (strcmp(path, "/peer") == 0 && http_peer(request, &uid, &pid) == 0) {
		int n = asprintf(&text, "%u", uid);
		http_answer(request, 200, "text/plain", text, (size_t)n);
	} else if (strcmp(path, "/later") == 0) {
		held = request;
		loop_add_time(loop, clock_monotonic_ns() + 50 * 1000000, answer_held, NULL, &timer,
			      NULL);
	} else {
		http_answer(request, 404, NULL, NULL, 0);
	}
}

static int run_server(int fd)
{
	struct http_limits limits = { .body_bytes = 100000, .connections = 20, .idle_s = 30 };
	struct http_server *server;

	alarm(280);
	if (loop_new(&loop, NULL) < 0 ||
	    http_server_new(loop, fd, &limits, serve, NULL, &server, NULL) < 0)
		return 1;
	return loop_run(loop, NULL);
}

static int setup(void **state)
{
	struct room *room = calloc(1, sizeof(*room));
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(room->path, sizeof(room->path), "/tmp/cellar-http-%d.sock", getpid());
	strcpy(address.sun_path, room->path);
	/* Of one with our number that was killed. */
	unlink(room->path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 16) < 0)
		return -1;
	room->pid = fork();
	if (room->pid == 0)
		_exit(run_server(fd));
	close(fd);
	*state = room;
	return 0;
}

static int teardown(void **state)
{
	struct room *room = *state;

	kill(room->pid, SIGKILL);
	waitpid(room->pid, NULL, 0);
	unlink(room->path);
	free(room);
	return 0;
}

static int connect_to(const struct room *room)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, room->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Until the other end closes. */
static void read_all(int fd, char *answer, size_t size)
{
	size_t n = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t r;

		if (poll(&p, 1, PATIENCE_MS) <= 0)
			fail_msg("no answer: %s", answer);
		r = read(fd, answer + n, size - 1 - n);
		if (r <= 0)
			break;
		n += (size_t)r;
		answer[n] = '\0';
	}
	close(fd);
}

static void ask(const struct room *room, const char *method, const char *target, const char *body,
		char answer[static 1024])
{
	size_t len = strlen(body);
	char head[256];
	int fd = connect_to(room);

	snprintf(head, sizeof(head),
		 "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
		 method, target, len);
	*answer = '\0';
	assert_int_equal(write(fd, head, strlen(head)), strlen(head));
	/* Who is refused need not be heard to the end. */
	for (size_t n = 0; n < len;) {
		ssize_t r = send(fd, body + n, len - n, MSG_NOSIGNAL);

		if (r <= 0)
			break;
		n += (size_t)r;
	}
	read_all(fd, answer, 1024);
}

static void a_body_and_a_query_arrive(void **state)
{
	char answer[1024];

	ask(*state, "POST", "/echo?name=a%20b", "hello", answer);
	assert_non_null(strstr(answer, "200 OK"));
	assert_non_null(strstr(answer, "\r\n\r\nPOST a b 5 hello"));
	ask(*state, "GET", "/nothing", "", answer);
	assert_non_null(strstr(answer, " 404 "));
}

static void the_peer_of_a_unix_socket_is_known(void **state)
{
	char answer[1024], want[32];

	ask(*state, "GET", "/peer", "", answer);
	snprintf(want, sizeof(want), "\r\n\r\n%u", getuid());
	assert_non_null(strstr(answer, want));
}

static void an_answer_may_come_later(void **state)
{
	char answer[1024];

	ask(*state, "GET", "/later", "", answer);
	assert_non_null(strstr(answer, "\r\n\r\nlate"));
}

static void a_body_over_the_limit_is_refused(void **state)
{
	_cleanup_free_ char *body = calloc(1, 200001);
	char answer[1024];

	memset(body, 'x', 200000);
	ask(*state, "POST", "/echo", body, answer);
	assert_non_null(strstr(answer, " 413 "));
	assert_non_null(strstr(answer, "too large"));
	ask(*state, "GET", "/echo", "", answer);
	assert_non_null(strstr(answer, "200 OK"));
}

static void others_are_served_beside_who_stalls(void **state)
{
	int stalled[10];
	char answer[1024];

	for (int i = 0; i < 10; i++) {
		stalled[i] = connect_to(*state);
		assert_int_equal(write(stalled[i], "POST /echo HT", 13), 13);
	}
	ask(*state, "POST", "/echo", "x", answer);
	assert_non_null(strstr(answer, "200 OK"));
	for (int i = 0; i < 10; i++)
		close(stalled[i]);
}

static void what_is_no_http_is_refused(void **state)
{
	char answer[1024] = "";
	int fd = connect_to(*state);

	assert_int_equal(write(fd, "\r\n\x01\x02nonsense\r\n\r\n", 16), 16);
	shutdown(fd, SHUT_WR);
	read_all(fd, answer, sizeof(answer));
	assert_null(strstr(answer, "200 OK"));
	ask(*state, "GET", "/echo", "", answer);
	assert_non_null(strstr(answer, "200 OK"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_body_and_a_query_arrive),
		TEST(the_peer_of_a_unix_socket_is_known),
		TEST(an_answer_may_come_later),
		TEST(a_body_over_the_limit_is_refused),
		TEST(others_are_served_beside_who_stalls),
		TEST(what_is_no_http_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

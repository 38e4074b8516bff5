/* SPDX-License-Identifier: Apache-2.0 */
/* The relay of a published TCP port when its descriptors run out. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "runtime/shim/relay.h"

#define MS_NS INT64_C(1000000)
#define TRIES 6000 /* of 10 ms */

struct fixture {
	struct loop *loop;
	struct relay_budget budget;
	struct relay_tcp *relay;
	struct sockaddr_in address;
	int container; /* listens */
};

static int listen_on_loopback(struct sockaddr_in *ret)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(*ret);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_return_code(bind(fd, (struct sockaddr *)ret, len), errno);
	assert_return_code(listen(fd, 64), errno);
	assert_return_code(getsockname(fd, (struct sockaddr *)ret, &len), errno);
	return fd;
}

static void start(struct fixture *f, size_t fds, int64_t grace_ns)
{
	struct relay_options o = { 0 };
	struct sockaddr_in target;

	memset(f, 0, sizeof(*f));
	assert_return_code(loop_new(&f->loop, NULL), 0);
	f->budget = (struct relay_budget){ .left = fds, .grace_ns = grace_ns };
	f->container = listen_on_loopback(&target);
	o.loop = f->loop;
	o.budget = &f->budget;
	memcpy(&o.target.addresses[0], &target, sizeof(target));
	o.target.lens[0] = sizeof(target);
	o.target.count = 1;
	o.fd = listen_on_loopback(&f->address);
	assert_return_code(relay_tcp_new(&o, &f->relay, NULL), 0);
}

static void stop(struct fixture *f, size_t fds)
{
	relay_tcp_free(f->relay);
	assert_int_equal(f->budget.left, fds);
	assert_null(f->budget.oldest);
	assert_null(f->budget.newest);
	loop_free(f->loop);
	close(f->container);
}

static int on_time(void *data)
{
	loop_quit(data, 0);
	return 0;
}

static void run(struct fixture *f, int64_t ms)
{
	assert_return_code(loop_add_time(f->loop, clock_monotonic_ns() + ms * MS_NS, on_time,
					 f->loop, NULL, NULL),
			   0);
	assert_return_code(loop_run(f->loop, NULL), 0);
}

static int come(struct fixture *f)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_return_code(connect(fd, (struct sockaddr *)&f->address, sizeof(f->address)), errno);
	return fd;
}

/* The container's side of the connection that came first and was not taken yet. */
static int take(struct fixture *f)
{
	int fd = -1;

	for (int i = 0; i < TRIES && fd < 0; i++) {
		run(f, 10);
		fd = accept4(f->container, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	}
	assert_true(fd >= 0);
	return fd;
}

static void assert_passes(struct fixture *f, int client, int container)
{
	ssize_t n = -1;
	char byte = 0;

	assert_int_equal(send(client, "x", 1, MSG_NOSIGNAL), 1);
	for (int i = 0; i < TRIES && n < 0; i++) {
		run(f, 10);
		n = recv(container, &byte, 1, MSG_DONTWAIT);
	}
	assert_int_equal(n, 1);
	assert_int_equal(byte, 'x');
}

/* What was closed is seen at the other end when the kernel gets to it. */
static void assert_over(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;
	ssize_t n;

	assert_int_equal(poll(&p, 1, 60000), 1);
	n = recv(fd, &byte, 1, MSG_DONTWAIT);
	assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
}

static void test_longest_idle_makes_room(void **state)
{
	struct fixture f;
	int clients[3], containers[3];

	(void)state;
	start(&f, 4, MS_NS);
	for (int i = 0; i < 2; i++) {
		clients[i] = come(&f);
		containers[i] = take(&f);
	}
	/* The first one is in use, so the second has to go. */
	assert_passes(&f, clients[0], containers[0]);
	run(&f, 20);
	clients[2] = come(&f);
	containers[2] = take(&f);
	assert_passes(&f, clients[2], containers[2]);
	assert_passes(&f, clients[0], containers[0]);
	assert_over(clients[1]);
	assert_over(containers[1]);
	for (int i = 0; i < 3; i++) {
		close(clients[i]);
		close(containers[i]);
	}
	stop(&f, 4);
}

static void test_who_was_active_just_now_stays(void **state)
{
	struct fixture f;
	int clients[3], containers[3];

	(void)state;
	start(&f, 4, 3600000 * MS_NS);
	for (int i = 0; i < 2; i++) {
		clients[i] = come(&f);
		containers[i] = take(&f);
	}
	clients[2] = come(&f);
	run(&f, 300);
	assert_int_equal(accept4(f.container, NULL, NULL, SOCK_CLOEXEC), -1);
	for (int i = 0; i < 2; i++)
		assert_passes(&f, clients[i], containers[i]);
	/* Who waited comes when there is room. */
	close(clients[0]);
	close(containers[0]);
	containers[2] = take(&f);
	assert_passes(&f, clients[2], containers[2]);
	for (int i = 1; i < 3; i++) {
		close(clients[i]);
		close(containers[i]);
	}
	stop(&f, 4);
}

static void test_thousand_idle_clients_keep_nobody_out(void **state)
{
	struct fixture f;
	int fds[300], last;

	(void)state;
	start(&f, 40, MS_NS);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = come(&f);
		close(take(&f));
	}
	last = come(&f);
	assert_passes(&f, last, take(&f));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	close(last);
	stop(&f, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_idle_makes_room),
		cmocka_unit_test(test_who_was_active_just_now_stays),
		cmocka_unit_test(test_thousand_idle_clients_keep_nobody_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

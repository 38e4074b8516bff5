/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/publish.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "sandbox.h"

/* What becomes of a word, as "ADDRESS HOST-LAST>CONTAINER/KIND" each; "!" and the sentence. */
static const char *parsed(const char *word, char buf[static 512])
{
	_cleanup_publish_list_ struct publish_list list = { 0 };
	struct err err = { 0 };
	size_t n = 0;

	if (publish_parse(word, &list, &err) < 0) {
		assert_int_equal(err.code, EINVAL);
		assert_int_equal(list.count, 0);
		snprintf(buf, 512, "!");
		return buf;
	}
	buf[0] = '\0';
	for (size_t i = 0; i < list.count; i++) {
		const struct publish_port *p = &list.items[i];

		n += (size_t)snprintf(buf + n, 512 - n, "%s%s %u-%u>%u/%s", i ? "; " : "",
				      p->address, p->host, p->host_last, p->container,
				      p->udp ? "udp" : "tcp");
	}
	return buf;
}

static void words_become_ports(void **state)
{
	static const struct {
		const char *word, *ports;
	} cases[] = {
		{ "80", " 0-0>80/tcp" },
		{ "80/udp", " 0-0>80/udp" },
		{ "8080:80", " 8080-8080>80/tcp" },
		{ "8080:80/tcp", " 8080-8080>80/tcp" },
		{ "127.0.0.1:8080:80", "127.0.0.1 8080-8080>80/tcp" },
		{ "127.0.0.1::80", "127.0.0.1 0-0>80/tcp" },
		{ "0.0.0.0:8080:80", "0.0.0.0 8080-8080>80/tcp" },
		{ "[::1]:8080:80/udp", "::1 8080-8080>80/udp" },
		{ "[0:0::1]:8080:80", "::1 8080-8080>80/tcp" },
		{ "[::]::80", ":: 0-0>80/tcp" },
		{ "8000-8001:80-81", " 8000-8000>80/tcp;  8001-8001>81/tcp" },
		{ "8000-8005:80", " 8000-8005>80/tcp" },
		{ "80-81", " 0-0>80/tcp;  0-0>81/tcp" },
		{ "65535:1", " 65535-65535>1/tcp" },
		{ "", "!" },
		{ ":", "!" },
		{ ":80", "!" },
		{ "80:", "!" },
		{ "0", "!" },
		{ "65536", "!" },
		{ "99999999999", "!" },
		{ "80-", "!" },
		{ "-80", "!" },
		{ "80--81", "!" },
		{ "81-80", "!" },
		{ "+80", "!" },
		{ " 80", "!" },
		{ "80/", "!" },
		{ "80/TCP", "!" },
		{ "80/sctp", "!" },
		{ "80/tcp/udp", "!" },
		{ "host:80:80", "!" },
		{ "127.0.0.1:80", "!" },
		{ "127.0.0.1", "!" },
		{ "127.0.0.256:80:80", "!" },
		{ "1:2:3", "!" },
		{ "::1:80:80", "!" },
		{ "[::1]", "!" },
		{ "[::1]:", "!" },
		{ "[::1]80:80", "!" },
		{ "[127.0.0.1]:80:80", "!" },
		{ "[fe80::1%eth0]:80:80", "!" },
		{ "8000-8002:80-81", "!" },
		{ "80:80:80:80", "!" },
	};
	char buf[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (strcmp(parsed(cases[i].word, buf), cases[i].ports) != 0)
			fail_msg("\"%s\" became \"%s\", not \"%s\"", cases[i].word, buf,
				 cases[i].ports);
}

static void there_is_a_limit(void **state)
{
	_cleanup_publish_list_ struct publish_list list = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_ok(publish_parse("1000-2023", &list, &err));
	assert_int_equal(list.count, PUBLISH_MAX);
	assert_int_equal(publish_parse("80", &list, &err), -E2BIG);
	assert_int_equal(list.count, PUBLISH_MAX);
}

static void the_file_keeps_all(void **state)
{
	_cleanup_publish_list_ struct publish_list list = { 0 }, back = { 0 };
	_cleanup_fd_ int dirfd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err err = { 0 };

	assert_int_equal(publish_load(dirfd, &back, &err), 0);
	assert_ok(publish_parse("[::1]:8000-8005:80/udp", &list, &err));
	assert_ok(publish_parse("81", &list, &err));
	snprintf(list.target, sizeof(list.target), "10.77.0.2");
	assert_ok(publish_save(dirfd, &list, &err));
	assert_int_equal(publish_load(dirfd, &back, &err), 1);
	assert_int_equal(back.count, 2);
	assert_memory_equal(&back.items[0], &list.items[0], sizeof(list.items[0]));
	assert_memory_equal(&back.items[1], &list.items[1], sizeof(list.items[1]));
	assert_string_equal(back.target, "10.77.0.2");
	assert_string_equal(back.target6, "");
}

static void a_spoilt_file_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"{\"version\":2,\"ports\":[]}",
		"{\"version\":1}",
		"{\"version\":1,\"ports\":[1]}",
		"{\"version\":1,\"ports\":[{}]}",
		"{\"version\":1,\"ports\":[{\"container\":0}]}",
		"{\"version\":1,\"ports\":[{\"container\":80,\"host\":65536}]}",
		"{\"version\":1,\"ports\":[{\"container\":80,\"address\":\"x\"}]}",
		"{\"version\":1,\"target\":\"::1\",\"ports\":[]}",
	};
	_cleanup_fd_ int dirfd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct publish_list list = { 0 };
		struct err err = { 0 };

		assert_ok(file_replace(dirfd, PUBLISH_FILE, texts[i], strlen(texts[i]), 0600, false,
				       &err));
		if (publish_load(dirfd, &list, &err) >= 0)
			fail_msg("accepted: %s", texts[i]);
		assert_null(list.items);
	}
}

static struct publish_port one(const char *word)
{
	_cleanup_publish_list_ struct publish_list list = { 0 };
	struct err err = { 0 };

	assert_ok(publish_parse(word, &list, &err));
	return list.items[0];
}

static void close_both(int fds[static 2])
{
	cleanup_fd(&fds[0]);
	cleanup_fd(&fds[1]);
}

static void a_bound_port_is_nobody_elses(void **state)
{
	static const char *const words[][2] = {
		{ "7100:80", "7100:80" },	    { "7100:80", "127.0.0.1:7100:80" },
		{ "127.0.0.1:7100:80", "7100:80" }, { "7100:80/udp", "7100:80/udp" },
		{ "7100:80", "[::1]:7100:80" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct publish_port first = one(words[i][0]), second = one(words[i][1]);
		struct err err = { 0 };
		int fds[2], more[2];

		assert_ok(publish_bind(&first, fds, &err));
		assert_int_equal(publish_bind(&second, more, &err), -EADDRINUSE);
		assert_non_null(strstr(err.text, "7100"));
		close_both(fds);
		assert_ok(publish_bind(&second, more, &err));
		close_both(more);
	}
}

static void kinds_and_addresses_do_not_meet(void **state)
{
	struct publish_port tcp = one("7101:80"), udp = one("7101:80/udp"),
			    v4 = one("127.0.0.1:7102:80"), v6 = one("[::1]:7102:80");
	struct err err = { 0 };
	int a[2], b[2], c[2], d[2];

	(void)state;
	assert_ok(publish_bind(&tcp, a, &err));
	assert_ok(publish_bind(&udp, b, &err));
	assert_ok(publish_bind(&v4, c, &err));
	assert_ok(publish_bind(&v6, d, &err));
	assert_true(c[0] >= 0 && c[1] < 0 && d[0] < 0 && d[1] >= 0);
	close_both(a);
	close_both(b);
	close_both(c);
	close_both(d);
}

static unsigned port_of(int fd)
{
	struct sockaddr_in6 in = { 0 };
	socklen_t len = sizeof(in);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	return ntohs(in.sin6_port); /* at the same place for IPv4 */
}

static void a_chosen_port_is_told_and_one_for_both(void **state)
{
	struct publish_port port = one("80"), range = one("7103-7105:80"), taken = one("7103:80");
	struct err err = { 0 };
	int fds[2], busy[2];

	(void)state;
	assert_ok(publish_bind(&port, fds, &err));
	assert_true(port.host >= 1024);
	assert_int_equal(port.host, port.host_last);
	assert_int_equal(port_of(fds[0]), port.host);
	assert_int_equal(port_of(fds[1]), port.host);
	close_both(fds);
	assert_ok(publish_bind(&taken, busy, &err));
	assert_ok(publish_bind(&range, fds, &err));
	assert_int_equal(range.host, 7104);
	close_both(fds);
	close_both(busy);
}

static void a_probe_leaves_nothing(void **state)
{
	_cleanup_publish_list_ struct publish_list list = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_ok(publish_parse("7106-7107:80-81", &list, &err));
	assert_ok(publish_parse("82", &list, &err));
	assert_ok(publish_probe(&list, &err));
	assert_ok(publish_probe(&list, &err));
	assert_int_equal(list.items[2].host, 0);
	assert_ok(publish_parse("7107:83", &list, &err));
	assert_int_equal(publish_probe(&list, &err), -EADDRINUSE);
}

static int set_loopback_up(void **state)
{
	return system("ip link set lo up") || sandbox_make_folder(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_become_ports),
		cmocka_unit_test(there_is_a_limit),
		cmocka_unit_test(the_file_keeps_all),
		cmocka_unit_test(a_spoilt_file_is_refused),
		cmocka_unit_test(a_bound_port_is_nobody_elses),
		cmocka_unit_test(kinds_and_addresses_do_not_meet),
		cmocka_unit_test(a_chosen_port_is_told_and_one_for_both),
		cmocka_unit_test(a_probe_leaves_nothing),
	};

	sandbox_enter();
	return cmocka_run_group_tests(tests, set_loopback_up, sandbox_remove_folder);
}

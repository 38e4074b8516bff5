/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A master with many machines that are made up: cell-scale AGENTS TASKS JOB-SIZE FOLDER.
 *
 * Three processes. The master, whole, with its store and its API; a crowd of agents that speak the
 * agents' exchange with it, over a socketpair in place of TLS, and run nothing; and a client that
 * hands jobs in over the API's socket while it looks at the cell between them. In the end the
 * master prints what was measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/loop.h"
#include "base/strbuf.h"
#include "scheduler/agent/exchange.h"
#include "scheduler/api/api.h"
#include "scheduler/master/master.h"

#define MIB (INT64_C(1) << 20)
#define NS_PER_MS 1000000.0
#define NS_PER_S 1000000000.0
#define BEAT_MS 1000
#define PROBES_MAX 100000
#define FRAME_MAX (16u << 20)

/* On the wire, in front of a text: whose it is, and how long; or one of these lengths. */
#define FRAME_BEAT UINT32_MAX /* agent to master: as before */
#define FRAME_POKE UINT32_MAX /* master to agent: there is news */

struct frame {
	uint32_t agent, len;
};

static void die(const char *what)
{
	fprintf(stderr, "cell-scale: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(int r, const struct err *err)
{
	if (r < 0) {
		fprintf(stderr, "cell-scale: %s\n", err->text);
		exit(1);
	}
}

/* ---- frames ---- */

/* What has come and is not whole yet. */
struct inbox {
	int fd;
	char *data;
	size_t len, at, size;
};

/* Reads what there is; false: the other end is gone. */
static bool inbox_fill(struct inbox *in)
{
	ssize_t n;

	if (in->at) {
		memmove(in->data, in->data + in->at, in->len - in->at);
		in->len -= in->at;
		in->at = 0;
	}
	if (in->size - in->len < (1u << 20)) {
		in->size = in->size * 2 + (4u << 20);
		in->data = realloc(in->data, in->size);
		if (!in->data)
			die("out of memory");
	}
	n = recv(in->fd, in->data + in->len, in->size - in->len, MSG_DONTWAIT);
	if (n > 0)
		in->len += (size_t)n;
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static bool inbox_next(struct inbox *in, struct frame *ret, const char **ret_text)
{
	size_t text;

	if (in->len - in->at < sizeof(*ret))
		return false;
	memcpy(ret, in->data + in->at, sizeof(*ret));
	text = ret->len == UINT32_MAX ? 0 : ret->len;
	if (in->len - in->at < sizeof(*ret) + text)
		return false;
	*ret_text = in->data + in->at + sizeof(*ret);
	in->at += sizeof(*ret) + text;
	return true;
}

/* ---- what waits to be sent ---- */

struct outbox {
	int fd;
	struct strbuf data;
	size_t at;
};

static void outbox_flush(struct outbox *out)
{
	while (out->at < out->data.len) {
		ssize_t n = send(out->fd, out->data.data + out->at, out->data.len - out->at,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n <= 0)
			return;
		out->at += (size_t)n;
	}
	out->data.len = out->at = 0;
}

static void outbox_add(struct outbox *out, uint32_t agent, uint32_t len, const char *text)
{
	struct frame frame = { agent, len };

	strbuf_add(&out->data, &frame, sizeof(frame));
	if (text)
		strbuf_add(&out->data, text, len);
	outbox_flush(out);
}

/* ---- the crowd ---- */

struct fake_task {
	char name[TASK_NAME_SIZE], container[TASK_NAME_SIZE + 32];
	uint64_t incarnation;
	bool wanted;
};

struct fake_agent {
	char name[32], rack[16];
	struct fake_task *tasks;
	size_t count, size;
	uint64_t heard_epoch, heard;
	bool asking, changed;
};

static struct report report_of(const struct fake_task *task)
{
	return (struct report){ .task = task->name,
				.incarnation = task->incarnation,
				.state = REPORT_RUNNING,
				.exit_code = -1,
				.container = task->container,
				.address = "10.0.0.2",
				.used_cpu_milli = -1,
				.used_memory_bytes = -1 };
}

static void send_report(struct fake_agent *agent, uint32_t number, struct outbox *out)
{
	_cleanup_free_ struct report *reports = calloc(agent->count + 1, sizeof(*reports));
	struct machine_report report = { .machine = agent->name,
					 .rack = agent->rack,
					 .cpu_milli = 4000,
					 .memory_bytes = 8192 * MIB,
					 .disk_bytes = 100000 * MIB,
					 .heard_epoch = agent->heard_epoch,
					 .heard = agent->heard,
					 .tasks = reports,
					 .task_count = agent->count };
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	for (size_t i = 0; reports && i < agent->count; i++)
		reports[i] = report_of(&agent->tasks[i]);
	text = reports ? machine_report_format(&report, &len) : NULL;
	if (!text)
		die("out of memory");
	agent->asking = true;
	agent->changed = false;
	outbox_add(out, number, (uint32_t)len, text);
}

static struct fake_task *find_task(struct fake_agent *agent, const struct want *want)
{
	for (size_t i = 0; i < agent->count; i++)
		if (agent->tasks[i].incarnation == want->incarnation &&
		    strcmp(agent->tasks[i].name, want->task) == 0)
			return &agent->tasks[i];
	return NULL;
}

/* The fake executor: what is wanted runs. */
static void start_task(struct fake_agent *agent, const struct want *want)
{
	struct fake_task *task;

	if (agent->count == agent->size) {
		agent->size = agent->size * 2 + 8;
		agent->tasks = reallocarray(agent->tasks, agent->size, sizeof(*agent->tasks));
		if (!agent->tasks)
			die("out of memory");
	}
	task = &agent->tasks[agent->count++];
	*task = (struct fake_task){ .incarnation = want->incarnation, .wanted = true };
	snprintf(task->name, sizeof(task->name), "%s", want->task);
	snprintf(task->container, sizeof(task->container), "scale.%s.%" PRIu64, want->task,
		 want->incarnation);
	agent->changed = true;
}

static void heed(struct fake_agent *agent, const struct machine_wants *wants)
{
	agent->heard_epoch = wants->epoch;
	agent->heard = wants->number;
	for (size_t i = 0; i < agent->count; i++)
		agent->tasks[i].wanted = false;
	for (size_t i = 0; i < wants->task_count; i++) {
		const struct want *want = &wants->tasks[i];
		struct fake_task *task = find_task(agent, want);

		if (task)
			task->wanted = !want->leaving;
		else if (want->program && !want->ended && !want->leaving)
			start_task(agent, want);
	}
	for (size_t i = agent->count; i-- > 0;)
		if (!agent->tasks[i].wanted) {
			agent->tasks[i] = agent->tasks[--agent->count];
			agent->changed = true;
		}
}

static void on_answer(struct fake_agent *agent, uint32_t number, const struct frame *frame,
		      const char *text, struct outbox *out)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct machine_wants wants;
	struct err err = { 0 };

	if (frame->len == FRAME_POKE) {
		agent->changed = true;
	} else {
		must(machine_wants_parse(text, frame->len, arena, &wants, &err), &err);
		heed(agent, &wants);
		agent->asking = false;
	}
	if (agent->changed && !agent->asking)
		send_report(agent, number, out);
}

/* A twentieth of them each 50 ms. */
static void beat(struct fake_agent *agents, uint32_t count, struct outbox *out, unsigned round)
{
	for (uint32_t i = round % 20; i < count; i += 20)
		if (!agents[i].asking)
			outbox_add(out, i, FRAME_BEAT, NULL);
}

static int crowd(int fd, uint32_t count)
{
	struct fake_agent *agents = calloc(count, sizeof(*agents));
	struct inbox in = { .fd = fd };
	struct outbox out = { .fd = fd };
	int64_t next_ns = clock_monotonic_ns();

	if (!agents)
		die("out of memory");
	for (uint32_t i = 0; i < count; i++) {
		snprintf(agents[i].name, sizeof(agents[i].name), "m%05u", i);
		snprintf(agents[i].rack, sizeof(agents[i].rack), "r%u", i / 40);
		send_report(&agents[i], i, &out);
	}
	for (unsigned round = 0;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		struct frame frame;
		const char *text;

		outbox_flush(&out);
		pfd.events = (short)(pfd.events | (out.data.len ? POLLOUT : 0));
		poll(&pfd, 1, 50);
		if ((pfd.revents & (POLLIN | POLLHUP)) && !inbox_fill(&in))
			return 0;
		while (inbox_next(&in, &frame, &text))
			on_answer(&agents[frame.agent], frame.agent, &frame, text, &out);
		if (clock_monotonic_ns() < next_ns)
			continue;
		next_ns = clock_monotonic_ns() + (int64_t)(BEAT_MS / 20 * NS_PER_MS);
		beat(agents, count, &out, round++);
	}
}

/* ---- the client ---- */

/* One request over a connection of its own; the status, and the body behind the head. */
static int ask(const char *socket_path, const char *method, const char *path, const char *body,
	       struct strbuf *ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct strbuf text = { 0 };
	char buf[65536];
	ssize_t n;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect");
	strbuf_addf(
		&text,
		"%s %s HTTP/1.1\r\nHost: cell\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
		method, path, body ? strlen(body) : 0, body ? body : "");
	if (fd_write_all(fd, text.data, text.len) < 0)
		die("write");
	strbuf_deinit(&text);
	ret->len = 0;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		strbuf_add(ret, buf, (size_t)n);
	return ret->len > 12 ? atoi(ret->data + strlen("HTTP/1.1 ")) : 0;
}

static void submit(const char *socket_path, unsigned number, unsigned size, struct strbuf *answer)
{
	char body[512];

	snprintf(body, sizeof(body),
		 "job: job-%u\nowner: o%u\npriority: 200\ntasks:\n  count: %u\n  image: i\n"
		 "  command: [server]\n  resources: {cpu: 100m, memory: 64Mi}\n",
		 number, number % 10, size);
	if (ask(socket_path, "POST", "/v1/jobs?file=job.yaml", body, answer) != 200) {
		fprintf(stderr, "cell-scale: job %u: %s\n", number, answer->data);
		exit(1);
	}
}

struct client {
	const char *socket_path;
	unsigned jobs, size;
	int result_fd;
};

static int64_t count_running(const char *socket_path, struct strbuf *answer)
{
	const char *at;

	ask(socket_path, "GET", "/v1/cell", NULL, answer);
	at = answer->len ? strstr(answer->data, "\"running\":") : NULL;
	return at ? atoll(at + strlen("\"running\":")) : 0;
}

static int hand_in(const struct client *client)
{
	struct strbuf answer = { 0 };
	int64_t start = clock_monotonic_ns(), committed, running;
	double s[2];

	for (unsigned i = 0; i < client->jobs; i++)
		submit(client->socket_path, i, client->size, &answer);
	committed = clock_monotonic_ns();
	while (count_running(client->socket_path, &answer) < (int64_t)client->jobs * client->size)
		poll(NULL, 0, 50);
	running = clock_monotonic_ns();
	s[0] = (double)(committed - start) / NS_PER_S;
	s[1] = (double)(running - start) / NS_PER_S;
	return fd_write_all(client->result_fd, s, sizeof(s)) < 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Looks at the cell, some 100 times a second, until it is told to end. */
static int probe(const char *socket_path, int end_fd, int result_fd, unsigned jobs)
{
	static double ms[PROBES_MAX];
	struct strbuf answer = { 0 };
	double result[3];
	unsigned n = 0;

	for (;;) {
		struct pollfd pfd = { .fd = end_fd, .events = POLLIN };
		int64_t start;
		char path[64];

		if (poll(&pfd, 1, 10) > 0 || n == PROBES_MAX)
			break;
		if (n % 2)
			snprintf(path, sizeof(path), "/v1/jobs/job-%u", n % jobs);
		else
			snprintf(path, sizeof(path), "/v1/cell");
		start = clock_monotonic_ns();
		ask(socket_path, "GET", path, NULL, &answer);
		ms[n++] = (double)(clock_monotonic_ns() - start) / NS_PER_MS;
	}
	qsort(ms, n, sizeof(*ms), compare);
	result[0] = n;
	result[1] = n ? ms[n / 2] : 0;
	result[2] = n ? ms[n * 99 / 100] : 0;
	return fd_write_all(result_fd, result, sizeof(result)) < 0;
}

/* ---- the master ---- */

struct machine {
	struct hub *hub;
	uint32_t number;
	struct master_contact contact;
	char name[32];
};

struct hub {
	struct loop *loop;
	struct master *master;
	struct inbox in;
	struct outbox out;
	struct machine *machines;
	struct loop_source *source, *timer;
	unsigned children;
};

static void poke(void *data)
{
	struct machine *machine = data;

	outbox_add(&machine->hub->out, machine->number, FRAME_POKE, NULL);
}

static void take(struct hub *hub, const struct frame *frame, const char *text)
{
	struct machine *machine = &hub->machines[frame->agent];
	_cleanup_free_ char *answer = NULL;
	struct err err = { 0 };
	size_t len = 0;

	if (frame->len == FRAME_BEAT) {
		/* One that was given up is to say anew what it has. */
		if (!master_beat(hub->master, machine->name, &machine->contact))
			poke(machine);
		return;
	}
	must(master_sync(hub->master, text, frame->len, &machine->contact, &answer, &len, &err),
	     &err);
	outbox_add(&hub->out, frame->agent, (uint32_t)len, answer);
}

static int on_frames(void *data, uint32_t events)
{
	struct hub *hub = data;
	struct frame frame;
	const char *text;

	if ((events & (EPOLLIN | EPOLLHUP)) && !inbox_fill(&hub->in))
		return -EPIPE;
	while (inbox_next(&hub->in, &frame, &text))
		take(hub, &frame, text);
	return 0;
}

/* What did not fit into the socket goes on its way; and is everybody done? */
static int on_tick(void *data)
{
	struct hub *hub = data;

	outbox_flush(&hub->out);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		if (!--hub->children)
			loop_quit(hub->loop, 0);
	return loop_add_time(hub->loop, clock_monotonic_ns() + 1000000, on_tick, hub, &hub->timer,
			     NULL);
}

static long peak_kib(void)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	const char *at;

	if (file_read(AT_FDCWD, "/proc/self/status", 65536, &text, &len, NULL) < 0)
		return 0;
	at = strstr(text, "VmHWM:");
	return at ? atol(at + strlen("VmHWM:")) : 0;
}

static void begin(struct hub *hub, const char *folder, uint32_t agents, int fd, struct api **api)
{
	char store[200], socket_path[100];
	struct master_options options = { .store_path = store,
					  .who = "cell-scale",
					  .detection_ms = 60000 };
	struct err err = { 0 };
	int listen_fd;

	snprintf(store, sizeof(store), "%s/cell.db", folder);
	snprintf(socket_path, sizeof(socket_path), "%s/cell.sock", folder);
	must(loop_new(&hub->loop, &err), &err);
	must(listen_fd = api_listen(socket_path, &err), &err);
	must(master_new(hub->loop, &options, &hub->master, &err), &err);
	must(api_new(hub->loop, hub->master, listen_fd, socket_path, api, &err), &err);
	hub->in.fd = hub->out.fd = fd;
	hub->machines = calloc(agents, sizeof(*hub->machines));
	if (!hub->machines)
		die("out of memory");
	for (uint32_t i = 0; i < agents; i++) {
		struct machine *m = &hub->machines[i];

		*m = (struct machine){ .hub = hub, .number = i };
		m->contact = (struct master_contact){ .data = m, .poke = poke };
		snprintf(m->name, sizeof(m->name), "m%05u", i);
	}
	must(loop_add_fd(hub->loop, fd, EPOLLIN, on_frames, hub, &hub->source, &err), &err);
	on_tick(hub);
}

/* Until every machine is there: then the client may begin. */
static int wait_for_machines(const char *socket_path, unsigned agents)
{
	struct strbuf answer = { 0 };
	const char *at;

	for (;; poll(NULL, 0, 50)) {
		ask(socket_path, "GET", "/v1/cell", NULL, &answer);
		at = strstr(answer.data, "\"up\":");
		if (at && (unsigned)atoi(at + strlen("\"up\":")) == agents)
			return 0;
	}
}

static pid_t spawn(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	return pid;
}

/* Its result comes first, that of its looks at the cell behind it. */
static int be_client(const struct client *client, unsigned agents)
{
	int end[2];
	pid_t pid;

	if (pipe(end) < 0)
		die("make a pipe");
	wait_for_machines(client->socket_path, agents);
	pid = spawn();
	if (!pid)
		_exit(probe(client->socket_path, end[0], client->result_fd, client->jobs));
	if (hand_in(client) || write(end[1], "", 1) != 1 || waitpid(pid, NULL, 0) != pid)
		return 1;
	return 0;
}

int main(int argc, char **argv)
{
	unsigned agents, tasks, size;
	int link[2], results[2];
	struct hub hub = { 0 };
	struct api *api = NULL;
	char socket_path[100];
	double handed[2], probed[3];
	struct err err = { 0 };
	pid_t crowd_pid;

	if (argc != 5)
		return fprintf(stderr, "cell-scale AGENTS TASKS JOB-SIZE FOLDER\n"), 2;
	agents = (unsigned)atoi(argv[1]);
	tasks = (unsigned)atoi(argv[2]);
	size = (unsigned)atoi(argv[3]);
	snprintf(socket_path, sizeof(socket_path), "%s/cell.sock", argv[4]);
	signal(SIGPIPE, SIG_IGN);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, link) < 0 || pipe(results) < 0)
		die("make sockets");
	crowd_pid = spawn();
	if (!crowd_pid) {
		close(link[0]);
		_exit(crowd(link[1], agents));
	}
	close(link[1]);
	begin(&hub, argv[4], agents, link[0], &api);
	hub.children = 1;
	if (!spawn())
		_exit(be_client(&(struct client){ socket_path, tasks / size, size, results[1] },
				agents));
	loop_run(hub.loop, &err);
	kill(crowd_pid, SIGKILL);
	if (read(results[0], handed, sizeof(handed)) != sizeof(handed))
		die("read the result");
	if (read(results[0], probed, sizeof(probed)) != sizeof(probed))
		die("read the result");
	printf("agents %u tasks %u\ncommitted_s %.3f\nrunning_s %.3f\ntasks_per_s %.0f\n", agents,
	       tasks, handed[0], handed[1], tasks / handed[0]);
	printf("peak_mib %.0f\n", (double)peak_kib() / 1024);
	printf("probes %.0f\nmedian_ms %.2f\np99_ms %.2f\n", probed[0], probed[1], probed[2]);
	api_free(api);
	master_free(hub.master);
	return 0;
}

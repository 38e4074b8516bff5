/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ends of ttrpc for tests, written after the protocol's description and with nothing of ours,
 * so that a mistake of runtime/shim/ttrpc.c is not made twice:
 *
 *	ttrpc call SOCKET SERVICE METHOD	one call; the message on stdin, its answer on
 *stdout; a refusal is "CODE TEXT" on stderr and status 3 ttrpc exec SOCKET ID COUNT FILE
 *COUNT processes, FILE as the OCI process, one after the other: Exec, Start, Wait, Delete; prints
 *the milliseconds of each, and fails when one ends with another status than 0 ttrpc events SOCKET
 *FILE [MUTE]		containerd's Events service: each event a line of FILE, "TOPIC TYPE
 *NAMESPACE METADATA FIELD=VALUE..."; the first MUTE ones are read and their connections closed
 *unanswered
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HEADER 10
#define MESSAGE_MAX (4u << 20)
#define CLIENTS_MAX 1024

struct bytes {
	uint8_t *data;
	size_t len;
};

/* ---- protobuf: a field is a number, a value of 64 bits, or bytes ---- */

struct field {
	uint32_t number;
	bool is_bytes;
	uint64_t value;
	struct bytes bytes;
};

static bool read_varint(struct bytes *in, uint64_t *ret)
{
	*ret = 0;
	for (int shift = 0; in->len && shift < 64; shift += 7) {
		uint8_t byte = *in->data++;

		in->len--;
		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool read_field(struct bytes *in, struct field *ret)
{
	uint64_t key;

	if (!in->len || !read_varint(in, &key))
		return false;
	*ret = (struct field){ .number = (uint32_t)(key >> 3), .is_bytes = (key & 7) == 2 };
	if ((key & 7) != 0 && (key & 7) != 2)
		errx(1, "wire type %d", (int)(key & 7));
	if (!read_varint(in, &ret->value))
		errx(1, "a message is torn");
	if (!ret->is_bytes)
		return true;
	if (ret->value > in->len)
		errx(1, "a field is longer than its message");
	ret->bytes = (struct bytes){ in->data, ret->value };
	in->data += ret->value;
	in->len -= ret->value;
	return true;
}

static struct bytes find_bytes(struct bytes message, uint32_t number)
{
	struct field field;

	while (read_field(&message, &field))
		if (field.number == number && field.is_bytes)
			return field.bytes;
	return (struct bytes){ NULL, 0 };
}

static uint64_t find_value(struct bytes message, uint32_t number)
{
	struct field field;

	while (read_field(&message, &field))
		if (field.number == number && !field.is_bytes)
			return field.value;
	return 0;
}

static void add_varint(struct bytes *out, uint64_t value)
{
	do {
		out->data[out->len++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
}

static void add_bytes(struct bytes *out, uint32_t number, const void *data, size_t len)
{
	out->data = realloc(out->data, out->len + len + 20);
	add_varint(out, number << 3 | 2);
	add_varint(out, len);
	memcpy(out->data + out->len, data, len);
	out->len += len;
}

static void add_string(struct bytes *out, uint32_t number, const char *text)
{
	add_bytes(out, number, text, strlen(text));
}

/* ---- frames ---- */

static int unix_socket(const char *path, struct sockaddr_un *ret)
{
	if (strncmp(path, "unix://", 7) == 0)
		path += 7;
	if (strlen(path) >= sizeof(ret->sun_path))
		errx(1, "%s is too long for a socket", path);
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	strcpy(ret->sun_path, path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int dial(const char *path)
{
	struct sockaddr_un address;
	int fd = unix_socket(path, &address);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		err(1, "connect to %s", path);
	return fd;
}

static bool read_exactly(int fd, void *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = read(fd, (char *)data + done, len - done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* False at the connection's end. */
static bool read_frame(int fd, uint32_t *ret_stream, uint8_t *ret_type, struct bytes *ret)
{
	uint8_t header[HEADER];
	uint32_t len;

	if (!read_exactly(fd, header, sizeof(header)))
		return false;
	memcpy(&len, header, 4);
	memcpy(ret_stream, header + 4, 4);
	len = ntohl(len);
	*ret_stream = ntohl(*ret_stream);
	*ret_type = header[8];
	if (len > MESSAGE_MAX)
		errx(1, "a frame of %u bytes", len);
	*ret = (struct bytes){ malloc(len + 1), len };
	return read_exactly(fd, ret->data, len);
}

static void write_frame(int fd, uint32_t stream, uint8_t type, struct bytes message)
{
	uint8_t *frame = calloc(1, HEADER + message.len);
	uint32_t word = htonl((uint32_t)message.len);

	memcpy(frame, &word, 4);
	word = htonl(stream);
	memcpy(frame + 4, &word, 4);
	frame[8] = type;
	if (message.len)
		memcpy(frame + HEADER, message.data, message.len);
	if (write(fd, frame, HEADER + message.len) != (ssize_t)(HEADER + message.len))
		err(1, "write");
	free(frame);
}

/* A refusal ends the program. */
static struct bytes call(int fd, const char *service, const char *method, struct bytes message)
{
	static uint32_t stream = 1;
	struct bytes request = { 0 }, response, status, text;
	uint32_t answered;
	uint8_t type;

	add_string(&request, 1, service);
	add_string(&request, 2, method);
	add_bytes(&request, 3, message.data, message.len);
	write_frame(fd, stream, 1, request);
	free(request.data);
	do {
		if (!read_frame(fd, &answered, &type, &response))
			errx(1, "%s: the connection was closed", method);
	} while (answered != stream || type != 2);
	stream += 2;
	status = find_bytes(response, 1);
	text = find_bytes(status, 2);
	if (find_value(status, 1)) {
		fprintf(stderr, "%d %.*s\n", (int)find_value(status, 1), (int)text.len,
			(const char *)text.data);
		exit(3);
	}
	return find_bytes(response, 2);
}

static int do_call(char **argv)
{
	struct bytes message = { malloc(MESSAGE_MAX), 0 }, answer;
	ssize_t n;

	while ((n = read(0, message.data + message.len, MESSAGE_MAX - message.len)) > 0)
		message.len += (size_t)n;
	answer = call(dial(argv[0]), argv[1], argv[2], message);
	fwrite(answer.data, 1, answer.len, stdout);
	return 0;
}

/* ---- processes in a container, measured ---- */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The reading ends of stdout and stderr, as containerd makes them; -1: none are wanted. */
struct pipes {
	char path[2][200];
	int fd[2];
};

static void open_pipes(const char *dir, const char *exec_id, struct pipes *ret)
{
	for (int i = 0; i < 2; i++) {
		ret->fd[i] = -1;
		if (!dir)
			continue;
		snprintf(ret->path[i], sizeof(ret->path[i]), "%s/%s-%d", dir, exec_id, i + 1);
		if (mkfifo(ret->path[i], 0600) < 0)
			err(1, "%s", ret->path[i]);
		ret->fd[i] = open(ret->path[i], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		fcntl(ret->fd[i], F_SETFL, 0);
	}
}

static void drain_pipes(struct pipes *pipes)
{
	char buf[4096];

	for (int i = 0; i < 2 && pipes->fd[i] >= 0; i++) {
		while (read(pipes->fd[i], buf, sizeof(buf)) > 0)
			;
		close(pipes->fd[i]);
		unlink(pipes->path[i]);
	}
}

static struct bytes exec_message(const char *id, const char *exec_id, struct bytes spec,
				 const struct pipes *pipes)
{
	struct bytes message = { 0 }, any = { 0 };

	add_string(&any, 1, "types.containerd.io/opencontainers/runtime-spec/1/Process");
	add_bytes(&any, 2, spec.data, spec.len);
	add_string(&message, 1, id);
	add_string(&message, 2, exec_id);
	for (uint32_t i = 0; i < 2 && pipes->fd[i] >= 0; i++)
		add_string(&message, 5 + i, pipes->path[i]);
	add_bytes(&message, 7, any.data, any.len);
	free(any.data);
	return message;
}

static double exec_once(int fd, const char *id, int i, struct bytes spec, const char *dir)
{
	static const char service[] = "containerd.task.v2.Task";
	struct bytes process = { 0 };
	struct pipes pipes;
	char exec_id[32];
	double start;

	snprintf(exec_id, sizeof(exec_id), "x%d-%d", getpid(), i);
	add_string(&process, 1, id);
	add_string(&process, 2, exec_id);
	start = now_ms();
	open_pipes(dir, exec_id, &pipes);
	call(fd, service, "Exec", exec_message(id, exec_id, spec, &pipes));
	call(fd, service, "Start", process);
	if (find_value(call(fd, service, "Wait", process), 1))
		errx(1, "a process failed");
	call(fd, service, "Delete", process);
	drain_pipes(&pipes);
	return now_ms() - start;
}

static int do_exec(char **argv)
{
	struct bytes spec = { malloc(65536), 0 };
	int fd = dial(argv[0]);
	FILE *f = fopen(argv[3], "re");

	if (!f)
		err(1, "%s", argv[3]);
	spec.len = fread(spec.data, 1, 65536, f);
	for (int i = 0; i < atoi(argv[2]); i++)
		printf("%.3f\n", exec_once(fd, argv[1], i, spec, argv[4]));
	return 0;
}

/* ---- containerd's end ---- */

static void print_field(FILE *f, const struct field *field)
{
	if (!field->is_bytes) {
		fprintf(f, " %u=%llu", field->number, (unsigned long long)field->value);
		return;
	}
	/* Strings; messages are of no interest here. */
	for (size_t i = 0; i < field->bytes.len; i++)
		if (field->bytes.data[i] < ' ')
			return;
	fprintf(f, " %u=%.*s", field->number, (int)field->bytes.len,
		(const char *)field->bytes.data);
}

static void print_event(const char *path, struct bytes request)
{
	struct bytes envelope = find_bytes(find_bytes(request, 3), 1), any, text, metadata;
	FILE *f = fopen(path, "ae");
	struct field field;

	any = find_bytes(envelope, 4);
	text = find_bytes(envelope, 3);
	fprintf(f, "%.*s", (int)text.len, (const char *)text.data);
	text = find_bytes(any, 1);
	fprintf(f, " %.*s", (int)text.len, (const char *)text.data);
	text = find_bytes(envelope, 2);
	fprintf(f, " %.*s", (int)text.len, (const char *)text.data);
	metadata = find_bytes(request, 5);
	text = find_bytes(metadata, 2);
	metadata = find_bytes(metadata, 1);
	fprintf(f, " %.*s:%.*s", (int)metadata.len, (const char *)metadata.data, (int)text.len,
		(const char *)text.data);
	any = find_bytes(any, 2);
	while (read_field(&any, &field))
		print_field(f, &field);
	fputc('\n', f);
	fclose(f);
}

/* False when the connection is over. */
static bool serve(int fd, const char *path, int *mute)
{
	static const char service[] = "containerd.services.events.ttrpc.v1.Events";
	struct bytes request, got;
	uint32_t stream;
	uint8_t type;

	if (!read_frame(fd, &stream, &type, &request))
		return false;
	got = find_bytes(request, 1);
	if (type != 1 || got.len != strlen(service) || memcmp(got.data, service, got.len) != 0)
		errx(1, "not a call of the Events service");
	if (*mute > 0) {
		(*mute)--;
		return false;
	}
	print_event(path, request);
	free(request.data);
	write_frame(fd, stream, 2, (struct bytes){ NULL, 0 });
	return true;
}

static int do_events(char **argv, int mute)
{
	static struct pollfd fds[CLIENTS_MAX];
	struct sockaddr_un address;
	nfds_t count = 1;

	signal(SIGPIPE, SIG_IGN);
	fds[0] = (struct pollfd){ unix_socket(argv[0], &address), POLLIN, 0 };
	unlink(address.sun_path);
	umask(077);
	if (bind(fds[0].fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fds[0].fd, 128) < 0)
		err(1, "listen on %s", argv[0]);
	while (poll(fds, count, -1) > 0) {
		for (nfds_t i = count; i-- > 1;) {
			if (!fds[i].revents || serve(fds[i].fd, argv[1], &mute))
				continue;
			close(fds[i].fd);
			fds[i] = fds[--count];
		}
		if (fds[0].revents && count < CLIENTS_MAX)
			fds[count++] = (struct pollfd){ accept(fds[0].fd, NULL, NULL), POLLIN, 0 };
	}
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "call"))
		return do_call(argv + 2);
	if ((argc == 6 || argc == 7) && !strcmp(argv[1], "exec"))
		return do_exec(argv + 2);
	if ((argc == 4 || argc == 5) && !strcmp(argv[1], "events"))
		return do_events(argv + 2, argc == 5 ? atoi(argv[4]) : 0);
	errx(2,
	     "call SOCKET SERVICE METHOD | exec SOCKET ID COUNT FILE [DIR] | events SOCKET FILE [MUTE]");
}

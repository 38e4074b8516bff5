/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/io_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/shim/fanout.h"
#include "runtime/shim/stream.h"

struct io_input {
	struct io_input *next;
	struct stream *stream;
	struct fanout *sink;
};

static void input_free(struct io_input *input)
{
	stream_free(input->stream);
	fanout_free(input->sink);
	free(input);
}

static void forget_ended(struct io_input **list)
{
	while (*list) {
		struct io_input *input = *list;

		if (!stream_has_ended(input->stream)) {
			list = &input->next;
			continue;
		}
		*list = input->next;
		input_free(input);
	}
}

int io_input_save(const struct io_input *list, int32_t **ret, size_t *ret_count)
{
	size_t count = 0;

	for (const struct io_input *input = list; input; input = input->next)
		count++;
	*ret = calloc(count + 1, sizeof(**ret));
	*ret_count = 0;
	if (!*ret)
		return -ENOMEM;
	for (; list; list = list->next) {
		int fd = stream_source(list->stream);

		if (fd >= 0)
			(*ret)[(*ret_count)++] = fd;
	}
	return 0;
}

void io_input_free_all(struct io_input **list)
{
	while (*list) {
		struct io_input *input = *list;

		*list = input->next;
		input_free(input);
	}
}

static int open_sink(struct io_input *input, struct loop *loop, int to, struct err *err)
{
	int fd = to < 0 ? -1 : fcntl(to, F_DUPFD_CLOEXEC, 3), r;

	if (fd < 0)
		return err_say(err, EBUSY, "its stdin is not open to others");
	r = fanout_new(loop, &input->sink, err);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fanout_add(input->sink, fd, true, NULL, NULL, NULL, err);
}

int io_input_add(struct io_input **list, struct loop *loop, int fd, int to, struct err *err)
{
	struct io_input *input = calloc(1, sizeof(*input));
	struct stream_options o = {
		.loop = loop, .name = "stdin", .source_fd = fd, .stop_without_sink = true
	};
	int r;

	forget_ended(list);
	r = input ? open_sink(input, loop, to, err) : err_set(err, ENOMEM, "attach");
	if (r == 0) {
		o.sinks = input->sink;
		r = stream_new(&o, &input->stream, err);
	} else {
		close(fd);
	}
	if (r < 0) {
		if (input)
			input_free(input);
		return r;
	}
	input->next = *list;
	*list = input;
	return 0;
}

struct outputs {
	struct output {
		struct outputs *both;
		struct fanout_sink *sink; /* NULL: none, or lost */
	} ends[2];
};

static void on_output_lost(void *data, enum fanout_loss why)
{
	struct output *output = data, *other;
	struct outputs *both = output->both;

	other = &both->ends[output == &both->ends[0]];
	output->sink = NULL;
	if (why != FANOUT_CLOSED && other->sink) {
		fanout_remove(other->sink);
		other->sink = NULL;
	}
	if (!other->sink)
		free(both);
}

int io_client_add_outputs(struct fanout *const fanouts[2], const int fds[2], struct err *err)
{
	struct outputs *both = calloc(1, sizeof(*both));
	int r = both ? 0 : err_set(err, ENOMEM, "attach");

	for (int i = 0; i < 2; i++) {
		if (fds[i] < 0)
			continue;
		if (r < 0) {
			close(fds[i]);
			continue;
		}
		both->ends[i].both = both;
		r = fanout_add(fanouts[i], fds[i], false, on_output_lost, &both->ends[i],
			       &both->ends[i].sink, err);
	}
	if (r < 0 && both)
		fanout_remove(both->ends[0].sink);
	if (both && (r < 0 || (!both->ends[0].sink && !both->ends[1].sink)))
		free(both);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a shim process: its `start` action, as containerd 2.3 calls it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/shim/bootstrap.pb-c.h"
#include "runtime/shim/client.h"
#include "runtime/shim/proto.h"

extern char **environ;

/* Pipes of the child: it reads [0] of in and writes [1] of the others. */
struct pipes {
	int in[2], out[2], error[2];
};

static void pipes_close(struct pipes *p)
{
	int *all[] = { p->in, p->out, p->error };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (int end = 0; end < 2; end++)
			cleanup_fd(&all[i][end]);
}

/* The parameters fit the pipe, so they are written before the child exists. */
static int pipes_open(struct pipes *p, const struct shim_start_options *options, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	Bootstrap__Params params = BOOTSTRAP__PARAMS__INIT;
	int r;

	params.instance_id = proto_string(options->id);
	params.namespace_ = proto_string(options->namespace_);
	params.log_level = options->debug ? -4 : 0;
	params.socket_dir = proto_string(options->socket_dir);
	proto_pack(&params, &text);
	if (!strbuf_ok(&text))
		return err_set(err, ENOMEM, "start shim");
	if (text.len > 65536)
		return err_set(err, E2BIG, "start shim for container %s", options->id);
	if (pipe2(p->in, O_CLOEXEC) < 0 || pipe2(p->out, O_CLOEXEC) < 0 ||
	    pipe2(p->error, O_CLOEXEC) < 0)
		return err_set(err, errno, "make pipes for a shim");
	r = fd_write_all(p->in[1], text.data, text.len);
	close(take_fd(&p->in[1]));
	return r < 0 ? err_set(err, -r, "write the parameters of a shim") : 0;
}

static int spawn(const struct shim_start_options *options, const struct pipes *p, pid_t *ret)
{
	const char *argv[] = { options->binary,
			       "-namespace",
			       options->namespace_,
			       "-address",
			       "",
			       "-publish-binary",
			       "",
			       "-id",
			       options->id,
			       NULL,
			       NULL,
			       NULL,
			       NULL };
	size_t count = 9;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int r;

	if (options->debug)
		argv[count++] = "-debug";
	if (options->adopt)
		argv[count++] = "-adopt";
	argv[count++] = "start";
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, p->in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, p->out[1], 1);
	posix_spawn_file_actions_adddup2(&actions, p->error[1], 2);
	posix_spawn_file_actions_addchdir_np(&actions, options->bundle);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
						      POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	r = posix_spawn(ret, options->binary, &actions, &attributes, (char **)(uintptr_t)argv,
			environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int read_answer(const struct shim_start_options *options, struct pipes *p, pid_t pid,
		       char **ret_address, struct err *err)
{
	_cleanup_free_ char *answer = NULL, *complaint = NULL;
	_cleanup_proto_ Bootstrap__Result *result = NULL;
	size_t len = 0, complaint_len = 0;
	int status = 0, r;

	r = fd_read_all(p->out[0], 65536, &answer, &len, err);
	if (r == 0)
		r = fd_read_all(p->error[0], 65536, &complaint, &complaint_len, err);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return err_add(err, "read the answer of %s", options->binary);
	while (complaint_len && complaint[complaint_len - 1] == '\n')
		complaint[--complaint_len] = '\0';
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_say(err, EIO, "start shim: %s",
			       complaint_len ? complaint : "it ended without a word");
	r = proto_unpack(&bootstrap__result__descriptor, answer, len, &result, err);
	if (r < 0 || strncmp(result->address, "unix:///", 8) != 0)
		return err_say(err, EBADMSG, "start shim: %s gave no address", options->binary);
	*ret_address = strdup(result->address);
	return *ret_address ? 0 : err_set(err, ENOMEM, "start shim");
}

int shim_start_process(const struct shim_start_options *options, char **ret_address,
		       struct err *err)
{
	struct pipes pipes = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	pid_t pid;
	int r = pipes_open(&pipes, options, err);

	if (r == 0) {
		r = spawn(options, &pipes, &pid);
		if (r < 0)
			err_set(err, -r, "start %s in %s", options->binary, options->bundle);
	}
	close(take_fd(&pipes.out[1]));
	close(take_fd(&pipes.error[1]));
	if (r == 0)
		r = read_answer(options, &pipes, pid, ret_address, err);
	pipes_close(&pipes);
	return r;
}

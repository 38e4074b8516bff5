/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_supervision.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/ctr/detach_keys.h"
#include "runtime/engine/quantity.h"
#include "runtime/engine/supervision.h"

#define LOG_FILES_MAX 1000
#define LOG_SIZE_MIN 1024

/* clang-format off */
const struct option_entry run_supervision_table[] = {
	OPTION_STRING(struct run_supervision, restart, 0, "restart", "POLICY", "when it ends: no (default), on-failure[:N], always, unless-stopped"),
	OPTION_STRING(struct run_supervision, log_max_size, 0, "log-max-size", "SIZE", "begin a new log file at this size (default 10m); -1: never"),
	OPTION_INT(struct run_supervision, log_max_files, 0, "log-max-files", 1, LOG_FILES_MAX, "NUMBER", "how many log files there may be (default 3)"),
	OPTION_STRING(struct run_supervision, log_driver, 0, "log-driver", "NAME", "json-file or local: both are Cellar's own log, which is the only one"),
	OPTION_LIST(struct run_supervision, log_opts, 0, "log-opt", "NAME=VALUE", "the same as Docker says it: max-size=10m, max-file=3"),
	OPTION_STRING(struct run_supervision, detach_keys, 0, "detach-keys", "KEYS", "leave the terminal by these keys (default " DETACH_KEYS_DEFAULT ")"),
	OPTION_END,
};
/* clang-format on */

static int parse_log_size(const char *text, struct shim_policy *ret, struct err *err)
{
	int64_t bytes;

	if (strcmp(text, "-1") == 0) {
		ret->log_max_bytes = -1;
		return 0;
	}
	if (quantity_parse_bytes(text, &bytes, err) < 0)
		return -err->code;
	if (bytes < LOG_SIZE_MIN)
		return err_say(err, EINVAL, "\"%s\" is too small; at least %d bytes", text,
			       LOG_SIZE_MIN);
	ret->log_max_bytes = bytes;
	return 0;
}

static int parse_log_opt(const char *text, struct shim_policy *ret, struct err *err)
{
	char *end;
	long files;

	if (strncmp(text, "max-size=", 9) == 0)
		return parse_log_size(text + 9, ret, err);
	if (strncmp(text, "max-file=", 9) != 0)
		return err_say(err, EINVAL, "\"%s\" is unknown; there are max-size and max-file",
			       text);
	files = strtol(text + 9, &end, 10);
	if (end == text + 9 || *end || files < 1 || files > LOG_FILES_MAX)
		return err_say(err, EINVAL, "\"%s\" is not a number from 1 to %d", text + 9,
			       LOG_FILES_MAX);
	ret->log_max_files = (unsigned)files;
	return 0;
}

static int check_log_driver(const char *name, struct err *err)
{
	if (!name || strcmp(name, "json-file") == 0 || strcmp(name, "local") == 0)
		return 0;
	if (strcmp(name, "none") == 0)
		return err_say(err, ENOTSUP,
			       "--log-driver: there is always a log; leave it out, and make it "
			       "small by --log-max-size 1m --log-max-files 1");
	return err_say(
		err, ENOTSUP,
		"--log-driver: \"%.100s\" is not there, only Cellar's own log; leave it out, "
		"and pass the log on by `ctr logs -f NAME | ...`",
		name);
}

static int fill_log(const struct run_supervision *args, struct shim_policy *ret, struct err *err)
{
	if (args->log_max_size && parse_log_size(args->log_max_size, ret, err) < 0)
		return err_add(err, "--log-max-size");
	if (args->log_max_files)
		ret->log_max_files = (unsigned)args->log_max_files;
	for (size_t i = 0; i < args->log_opts.count; i++)
		if (parse_log_opt(args->log_opts.items[i], ret, err) < 0)
			return err_add(err, "--log-opt");
	return 0;
}

int run_supervision_fill(const struct run_supervision *args, struct arena *arena,
			 struct engine_run_options *ret, struct err *err)
{
	int r = check_log_driver(args->log_driver, err);

	(void)arena;
	if (r == 0)
		r = fill_log(args, &ret->supervision.policy, err);
	if (r == 0 && args->detach_keys &&
	    detach_keys_parse(args->detach_keys, &(struct detach_keys){ 0 }, err) < 0)
		r = err_add(err, "--detach-keys");
	if (r == 0 && args->restart &&
	    supervision_parse_restart(args->restart, &ret->supervision, err) < 0)
		r = err_add(err, "--restart");
	if (r == 0 && ret->auto_remove && ret->supervision.policy.restart != SHIM_RESTART_NO)
		r = err_say(err, EINVAL, "--rm and --restart exclude each other");
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* ctr version */
#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "cmd/ctr/show.h"
#include "cmd/ctr/verbs.h"
#include "spec/oci_config.h"

struct version_args {
	const char *format;
};

static int version_verb(const struct ctr *ctr, int argc, char **argv, struct err *err)
{
	_cleanup_json_writer_ struct json_writer *w = json_writer_new(true);
	struct version_args args = { 0 };
	struct utsname host;
	char **words;
	size_t count;
	bool json;
	int r = options_parse(&verb_version.command, argc, argv, &args, &words, &count, err);

	(void)ctr;
	if (r != 0)
		return r > 0 ? VERB_HELP : r;
	r = show_parse_format(args.format, &json, err);
	if (r < 0)
		return r;
	uname(&host);
	if (!json) {
		printf("cellar %s\nOCI runtime specification %s\nLinux %s %s\n", CELLAR_VERSION,
		       OCI_VERSION, host.release, host.machine);
		return 0;
	}
	if (!w)
		return err_set(err, ENOMEM, "print the version");
	json_open_object(w);
	json_field_string(w, "version", CELLAR_VERSION);
	json_field_string(w, "oci_version", OCI_VERSION);
	json_field_string(w, "kernel", host.release);
	json_field_string(w, "architecture", host.machine);
	json_close_object(w);
	return show_json(w, err);
}

static const struct option_entry version_options[] = {
	OPTION_STRING(struct version_args, format, 0, "format", "FORMAT",
		      "table (default) or json"),
	OPTION_END,
};

const struct verb verb_version = {
	.command = {
		.name = "ctr version",
		.summary = "print the version",
		.options = version_options,
	},
	.run = version_verb,
};

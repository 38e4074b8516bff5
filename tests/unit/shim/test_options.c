/* SPDX-License-Identifier: Apache-2.0 */
/* Options of containerd, of both of its types; TOML, and what is refused of it. */
#include "tests/unit/shim/fixture.h"

#include "runtime/shim/options.pb-c.h"
#include "runtime/shim/runtime_options.h"

/* body NULL: the file path. */
static int read_generic(const char *body, const char *path, Options__Runc **ret, struct err *err)
{
	Options__Runtime generic = OPTIONS__RUNTIME__INIT;
	Pb__Any any;
	int r;

	generic.type_url = proto_string("whatever");
	if (path)
		generic.config_path = proto_string(path);
	if (body) {
		generic.config_body.data = (uint8_t *)(uintptr_t)body;
		generic.config_body.len = strlen(body);
	}
	assert_return_code(proto_pack_any(&generic, "runtimeoptions.v1.Options", &any), 0);
	r = runtime_options_read(&any, ret, err);
	free(any.value.data);
	return r;
}

static void everything_that_runc_has_is_read(void **state)
{
	static const char body[] = "# as CRI passes a section on\r\n"
				   "BinaryName = \"\"\n"
				   "ConfigPath = ''\n"
				   "  IoGid = 0x10 # sixteen\n"
				   "IoUid = 1_000\n"
				   "NoNewKeyring = true\n"
				   "\n"
				   "\"NoPivotRoot\" = false\n"
				   "Root = '/run/a\\b'\t\n"
				   "ShimCgroup = \"/ops\\t\\u00e9\\U0001F40B\\\"\"\n"
				   "systemdcgroup=true";
	_cleanup_proto_ Options__Runc *o = NULL;
	struct err err = { 0 };

	(void)state;
	if (read_generic(body, NULL, &o, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(o->io_uid, 1000);
	assert_int_equal(o->io_gid, 16);
	assert_true(o->no_new_keyring && o->systemd_cgroup && !o->no_pivot_root);
	assert_string_equal(o->root, "/run/a\\b");
	assert_string_equal(o->shim_cgroup, "/ops\t\xc3\xa9\xf0\x9f\x90\x8b\"");
}

static void nothing_is_nothing(void **state)
{
	_cleanup_proto_ Options__Runc *o = NULL;
	Pb__Any other = PB__ANY__INIT;

	(void)state;
	assert_return_code(runtime_options_read(NULL, &o, NULL), 0);
	assert_null(o);
	other.type_url = proto_string("somebody.else/Options");
	assert_return_code(runtime_options_read(&other, &o, NULL), 0);
	assert_null(o);
	assert_return_code(read_generic(NULL, NULL, &o, NULL), 0);
	assert_string_equal(o->root, "");
}

static void what_is_wrong_is_named_by_line(void **state)
{
	static const struct {
		const char *body, *says;
	} rows[] = {
		{ "\nSystemdCroup = true", "line 2: SystemdCroup is no option of this shim" },
		{ "SystemdCgroup = 1", "line 1: SystemdCgroup is true or false" },
		{ "SystemdCgroup = truely", "line 1: this is no true or false" },
		{ "SystemdCgroup", "line 1: a '=' is needed" },
		{ "= true", "line 1: a key = value is needed" },
		{ "[options]\nRoot = 'x'", "line 1: tables are not known here" },
		{ "IoUid = -1", "IoUid is a number of a user" },
		{ "IoUid = 4294967295", "IoUid is a number of a user" },
		{ "IoUid = 1.5", "line 1: something follows the value" },
		{ "IoUid = 99999999999999999999999", "line 1: this is no true or false" },
		{ "IoUid = 3 4", "line 1: something follows the value" },
		{ "Root = true", "Root is a \"string\"" },
		{ "Root = \"abc", "line 1: a string does not end" },
		{ "Root = 'abc\n'", "line 1: a string does not end" },
		{ "Root = \"\"\"abc\"\"\"", "strings of several lines" },
		{ "Root = \"\\x\"", "an escape in a string is not known" },
		{ "Root = \"\\u12\"", "an escape in a string is not whole" },
		{ "Root = \"\\u0000\"", "an escape in a string stands for no character" },
		{ "Root = \"\\", "an escape in a string is not known" },
		{ "Root = [ 'x' ]", "line 1: this is no true or false" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_proto_ Options__Runc *o = NULL;
		struct err err = { 0 };

		assert_int_equal(read_generic(rows[i].body, NULL, &o, &err), -EINVAL);
		if (strncmp(err.text, "options.config_body: ", 21) != 0 ||
		    !strstr(err.text, rows[i].says))
			fail_msg("row %zu: \"%s\", not \"%s\"", i, err.text, rows[i].says);
	}
}

static void create_keeps_to_them(void **state)
{
	static const char toml[] = "Root = \"/run/elsewhere\"\n";
	Task__CreateRequest request = TASK__CREATE_REQUEST__INIT;
	Options__Runtime generic = OPTIONS__RUNTIME__INIT;
	_cleanup_free_ char *text = NULL;
	struct fixture f;
	char path[200];
	Pb__Any any;

	(void)state;
	fixture_start(&f, "b", "exit 0", false);
	snprintf(path, sizeof(path), "%s/options.toml", f.dir);
	generic.config_path = path;
	assert_return_code(proto_pack_any(&generic, "runtimeoptions.v1.Options", &any), 0);
	request.id = proto_string("c");
	request.bundle = f.bundle;
	request.options = &any;
	assert_int_equal(shim_call(f.client, "Create", &request, NULL, NULL, &f.err), -ENOENT);
	assert_non_null(strstr(f.err.text, "options.config_path"));
	assert_return_code(file_replace(AT_FDCWD, path, toml, strlen(toml), 0600, false, NULL), 0);
	assert_return_code(shim_call(f.client, "Create", &request, NULL, NULL, &f.err), 0);
	text = fixture_read(&f, "cellar-shim.json");
	assert_non_null(strstr(text, "\"/run/elsewhere/test\""));
	free(any.value.data);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_runc_has_is_read),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(what_is_wrong_is_named_by_line),
		cmocka_unit_test(create_keeps_to_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

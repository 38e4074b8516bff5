/* SPDX-License-Identifier: Apache-2.0 */
/* The command line and the dialects of stdin, as the versions of containerd speak them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/shim/bootstrap.h"
#include "runtime/shim/bootstrap.pb-c.h"
#include "runtime/shim/options.pb-c.h"
#include "runtime/shim/proto.h"

static struct bootstrap_args parse(const char *const *argv)
{
	struct bootstrap_args args;
	int argc = 0;

	while (argv[argc])
		argc++;
	assert_return_code(bootstrap_parse(argc, (char **)(uintptr_t)argv, &args, NULL), 0);
	return args;
}

static void test_arguments_as_containerd_gives_them(void **state)
{
	struct bootstrap_args args = parse((const char *[]){
		"shim", "-namespace", "k8s.io", "-address", "/run/c.sock", "-publish-binary",
		"/usr/bin/containerd", "-id", "a1", "-debug", "start", NULL });

	(void)state;
	assert_string_equal(args.namespace_, "k8s.io");
	assert_string_equal(args.address, "/run/c.sock");
	assert_string_equal(args.id, "a1");
	assert_string_equal(args.action, "start");
	assert_true(args.debug);
	assert_null(args.bundle);
}

static void test_arguments_in_gos_other_forms(void **state)
{
	struct bootstrap_args args = parse((const char *[]){ "shim", "--namespace=n", "delete",
							     "--id", "x", "-bundle=/b=c", NULL });

	(void)state;
	assert_string_equal(args.namespace_, "n");
	assert_string_equal(args.id, "x");
	assert_string_equal(args.bundle, "/b=c");
	assert_string_equal(args.action, "delete");
	assert_true(parse((const char *[]){ "shim", "-v", NULL }).version);
	assert_true(parse((const char *[]){ "shim", "-info", NULL }).info);
	assert_false(parse((const char *[]){ "shim", "-debug=false", NULL }).debug);
}

static void assert_refused(const char *const *argv, const char *text)
{
	struct bootstrap_args args;
	struct err err = { 0 };
	int argc = 0;

	while (argv[argc])
		argc++;
	assert_int_equal(bootstrap_parse(argc, (char **)(uintptr_t)argv, &args, &err), -EINVAL);
	assert_string_equal(err.text, text);
}

static void test_wrong_arguments_are_named(void **state)
{
	(void)state;
	assert_refused((const char *[]){ "shim", "-frobnicate", NULL },
		       "unknown option -frobnicate");
	assert_refused((const char *[]){ "shim", "-id", NULL }, "option -id needs a value");
	assert_refused((const char *[]){ "shim", "start", "delete", NULL },
		       "two actions: start and delete");
}

static struct bootstrap_params parse_stdin(struct arena *arena, const void *data, size_t len)
{
	struct bootstrap_args args = { .namespace_ = "ns", .id = "c1" };
	struct bootstrap_params params;

	assert_return_code(bootstrap_parse_stdin(data, len, &args, arena, &params, NULL), 0);
	return params;
}

static void test_three_dialects_of_stdin(void **state)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	Bootstrap__Params params = BOOTSTRAP__PARAMS__INIT;
	Options__Runc runc = OPTIONS__RUNC__INIT;
	Pb__Any any;
	Bootstrap__Extension extension = BOOTSTRAP__EXTENSION__INIT, *extensions[] = { &extension };
	struct strbuf text = { 0 };

	(void)state;
	assert_false(parse_stdin(arena, "", 0).is_params);
	assert_string_equal(parse_stdin(arena, "", 0).shim_cgroup, "");
	assert_false(parse_stdin(arena, "\xff\xff\xff", 3).is_params);

	runc.root = proto_string("/r");
	runc.shim_cgroup = proto_string("/ops/shims");
	assert_return_code(proto_pack_any(&runc, "containerd.runc.v1.Options", &any), 0);
	proto_pack(&any, &text);
	assert_false(parse_stdin(arena, text.data, text.len).is_params);
	assert_string_equal(parse_stdin(arena, text.data, text.len).shim_cgroup, "/ops/shims");
	strbuf_deinit(&text);
	text = (struct strbuf){ 0 };

	params.instance_id = proto_string("c1");
	params.namespace_ = proto_string("ns");
	params.socket_dir = proto_string("/s");
	params.ttrpc_address = proto_string("/t");
	params.log_level = -4;
	extension.value = &any;
	params.extensions = extensions;
	params.n_extensions = 1;
	proto_pack(&params, &text);
	assert_true(parse_stdin(arena, text.data, text.len).is_params);
	assert_true(parse_stdin(arena, text.data, text.len).debug);
	assert_string_equal(parse_stdin(arena, text.data, text.len).socket_dir, "/s");
	assert_string_equal(parse_stdin(arena, text.data, text.len).ttrpc_address, "/t");
	assert_string_equal(parse_stdin(arena, text.data, text.len).shim_cgroup, "/ops/shims");
	free(any.value.data);
	strbuf_deinit(&text);
}

static void test_socket_is_named_by_the_groups_hash(void **state)
{
	char path[BOOTSTRAP_SOCKET_SIZE];

	(void)state;
	/* printf '%s' /run/containerd/containerd.sock/default/abc | sha256sum */
	assert_string_equal(
		bootstrap_socket_path("/run/containerd/s", "/run/containerd/containerd.sock",
				      "default", "abc", path),
		"/run/containerd/s/8cb244a719603fe00870d5ce1d8e1f1db43a654cb993d107df1f1ae23ddffa59");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments_as_containerd_gives_them),
		cmocka_unit_test(test_arguments_in_gos_other_forms),
		cmocka_unit_test(test_wrong_arguments_are_named),
		cmocka_unit_test(test_three_dialects_of_stdin),
		cmocka_unit_test(test_socket_is_named_by_the_groups_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "spec/oci_config.h"
#include "spec/oci_state.h"

/* The smallest document, with room for one more field at each level. */
#define DOCUMENT(process, linux_, top)                                                         \
	"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/\"," \
	"\"args\":[\"sh\"]" process "},\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]" linux_  \
	"}" top "}"

static int parse(const char *text, struct oci_config **config, struct err *err)
{
	return oci_config_parse(text, strlen(text), config, err);
}

static void a_whole_document_is_understood(void **state)
{
	_cleanup_oci_config_ struct oci_config *c = NULL;
	struct err err = { 0 };

	(void)state;
	if (parse(DOCUMENT(",\"user\":{\"uid\":1,\"gid\":2,\"umask\":18,\"additionalGids\":[3,4]},"
			   "\"capabilities\":{\"bounding\":[\"CAP_KILL\"]},"
			   "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":2}],"
			   "\"oomScoreAdj\":-5",
			   ",\"resources\":{\"memory\":{\"limit\":-1},\"pids\":{\"limit\":9}}",
			   ",\"mounts\":[{\"destination\":\"proc/../sys\",\"type\":\"sysfs\"}],"
			   "\"annotations\":{\"k\":\"v\"}"),
		  &c, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(c->process.user.uid, 1);
	assert_int_equal(c->process.user.additional_gids[1], 4);
	assert_int_equal(c->process.user.umask.value, 022);
	assert_true(c->process.capabilities.bounding == 1 << 5);
	assert_int_equal(c->process.rlimits[0].type, RLIMIT_NOFILE);
	assert_int_equal(c->process.oom_score_adj.value, -5);
	assert_int_equal(c->resources.memory.limit.value, -1);
	assert_int_equal(c->resources.pids_limit.value, 9);
	assert_false(c->resources.memory.swap.set);
	assert_string_equal(c->mounts[0].destination, "/sys");
	assert_true(c->namespaces[OCI_NS_PID].present);
	assert_string_equal(oci_config_annotation(c, "k"), "v");
	assert_null(oci_config_annotation(c, "none"));
}

static void rare_fields_survive_being_written(void **state)
{
	_cleanup_oci_config_ struct oci_config *c = NULL, *again = NULL;
	_cleanup_free_ char *text = NULL;
	struct err err = { 0 };

	(void)state;
	if (parse(DOCUMENT(
			  ",\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"nice\":-3,\"priority\":4,"
			  "\"flags\":[\"SCHED_FLAG_RECLAIM\"],\"runtime\":5,\"deadline\":6,\"period\":7},"
			  "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":2},"
			  "\"execCPUAffinity\":{\"initial\":\"1\",\"final\":\"0-2,5\"}",
			  ",\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":9}],"
			  "\"network\":{\"classID\":7,\"priorities\":[{\"name\":\"e\",\"priority\":3}]},"
			  "\"rdma\":{\"mlx\":{\"hcaHandles\":3}},\"blockIO\":{\"leafWeight\":11,"
			  "\"weightDevice\":[{\"major\":8,\"minor\":1,\"weight\":500}],"
			  "\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":2,\"rate\":600}]}},"
			  "\"personality\":{\"domain\":\"LINUX32\"},"
			  "\"memoryPolicy\":{\"mode\":\"MPOL_INTERLEAVE\",\"nodes\":\"0-1\","
			  "\"flags\":[\"MPOL_F_STATIC_NODES\"]},"
			  "\"timeOffsets\":{\"boottime\":{\"secs\":-9,\"nanosecs\":8}},"
			  "\"intelRdt\":{\"closID\":\"a\",\"schemata\":[\"L3:0=f\"]},"
			  "\"netDevices\":{\"eth0\":{\"name\":\"e\"}}",
			  ",\"vm\":{\"kernel\":{\"path\":\"/k\",\"parameters\":[\"q\"]}},"
			  "\"mounts\":[{\"destination\":\"/m\","
			  "\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":2}],"
			  "\"gidMappings\":[{\"containerID\":3,\"hostID\":4,\"size\":5}]}]"),
		  &c, &err) < 0)
		fail_msg("%s", err.text);
	/* Not from the text that was read, which has it all anyhow. */
	c->source.json = NULL;
	assert_int_equal(oci_config_format(c, &text, NULL, NULL), 0);
	assert_int_equal(parse(text, &again, &err), 0);
	assert_int_equal(again->process.scheduler.policy, 6);
	assert_int_equal(again->process.scheduler.nice, -3);
	assert_int_equal(again->process.scheduler.flags, 2);
	assert_int_equal(again->process.scheduler.period_ns, 7);
	assert_int_equal(again->process.io_priority.class, 3);
	assert_int_equal(again->process.io_priority.priority, 2);
	assert_string_equal(again->process.exec_cpus_initial, "1");
	assert_string_equal(again->process.exec_cpus_final, "0-2,5");
	assert_int_equal(again->personality.value, 8);
	assert_string_equal(again->resources.hugepages[0].page_size, "2MB");
	assert_int_equal(again->resources.hugepages[0].limit, 9);
	assert_int_equal(again->resources.network_class.value, 7);
	assert_int_equal(again->resources.priorities[0].priority, 3);
	assert_int_equal(again->resources.rdma[0].handles.value, 3);
	assert_false(again->resources.rdma[0].objects.set);
	assert_int_equal(again->resources.block_io.leaf_weight.value, 11);
	assert_int_equal(again->resources.block_io.weight_devices[0].weight.value, 500);
	assert_int_equal(again->resources.block_io.throttles[OCI_THROTTLE_WRITE_IOPS][0].rate, 600);
	assert_int_equal(again->resources.block_io.throttles_count[OCI_THROTTLE_READ_BPS], 0);
	assert_int_equal(again->memory_policy.mode, 3);
	assert_string_equal(again->memory_policy.nodes, "0-1");
	assert_int_equal(again->memory_policy.flags, 1 << 15);
	assert_false(again->monotonic.set);
	assert_int_equal(again->boottime.secs, -9);
	assert_int_equal(again->boottime.nanosecs, 8);
	assert_string_equal(again->intel_rdt.clos_id, "a");
	assert_string_equal(again->intel_rdt.schemata[0], "L3:0=f");
	assert_null(again->intel_rdt.mem_bw_schema);
	assert_int_equal(again->net_devices_count, 1);
	assert_string_equal(again->net_devices[0].host_name, "eth0");
	assert_string_equal(again->net_devices[0].name, "e");
	assert_string_equal(again->vm->kernel_path, "/k");
	assert_string_equal(again->vm->kernel_parameters[0], "q");
	assert_int_equal(again->mounts[0].uid_maps[0].size, 2);
	assert_int_equal(again->mounts[0].gid_maps[0].host_id, 4);
}

static void cpu_lists_are_ranges_and_numbers(void **state)
{
	static const char *const bad[] = { "", ",", "1,", "-1", "3-1", "1-", "a", "1024", "1 2" };
	uint64_t mask[OCI_CPU_WORDS];

	(void)state;
	assert_int_equal(oci_cpus_parse("0-3,7, 64-65", mask), 0);
	assert_int_equal(mask[0], 0x8f);
	assert_int_equal(mask[1], 3);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(oci_cpus_parse(bad[i], mask), -EINVAL);
}

static void what_is_written_reads_the_same(void **state)
{
	_cleanup_oci_config_ struct oci_config *c = NULL, *again = NULL;
	_cleanup_free_ char *one = NULL, *two = NULL;

	(void)state;
	assert_int_equal(
		parse(DOCUMENT(",\"env\":[\"A=1\"],\"noNewPrivileges\":true",
			       ",\"uidMappings\":[{\"containerID\":0,\"hostID\":5,\"size\":1}],"
			       "\"sysctl\":{\"net.x\":\"1\"},\"maskedPaths\":[\"/proc/kcore\"],"
			       "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{"
			       "\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{"
			       "\"index\":1,\"value\":18446744073709551615,"
			       "\"op\":\"SCMP_CMP_EQ\"}]}]},"
			       "\"devices\":[{\"path\":\"/dev/x\",\"type\":\"c\",\"major\":1,"
			       "\"minor\":2}],\"resources\":{\"devices\":[{\"allow\":false,"
			       "\"access\":\"rw\"}]}",
			       ",\"hooks\":{\"poststop\":[{\"path\":\"/bin/x\",\"timeout\":3}]}"),
		      &c, NULL),
		0);
	assert_int_equal(oci_config_format(c, &one, NULL, NULL), 0);
	assert_int_equal(parse(one, &again, NULL), 0);
	assert_int_equal(oci_config_format(again, &two, NULL, NULL), 0);
	assert_string_equal(one, two);
	assert_true(again->seccomp->rules[0].args[0].value == UINT64_MAX);
	assert_int_equal(again->hooks.poststop.hooks[0].timeout_s, 3);
	assert_int_equal(again->resources.devices[0].major, -1);
}

static void a_wrong_field_is_refused_with_its_path(void **state)
{
	static const struct {
		const char *text, *error;
	} table[] = {
		{ DOCUMENT(",\"user\":{\"uid\":4294967296}", "", ""),
		  "process.user.uid: 4294967296 is not a whole number from 0 to 4294967295" },
		{ DOCUMENT(",\"user\":{\"gid\":-1}", "", ""),
		  "process.user.gid: -1 is not a whole number from 0 to 4294967295" },
		{ DOCUMENT(",\"user\":{\"umask\":512}", "", ""),
		  "process.user.umask: 512 is larger than 511 (octal 0777)" },
		{ DOCUMENT(",\"env\":[\"A=1\",\"B\"]", "", ""),
		  "process.env[1]: \"B\" is not of the form NAME=value" },
		{ DOCUMENT(",\"rlimits\":[{\"type\":\"RLIMIT_X\",\"soft\":1,\"hard\":1}]", "", ""),
		  "process.rlimits[0].type: \"RLIMIT_X\" is no resource limit such as "
		  "RLIMIT_NOFILE" },
		{ DOCUMENT(",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]", "",
			   ""),
		  "process.rlimits[0]: soft limit 2 is above the hard limit 1" },
		{ DOCUMENT(",\"oomScoreAdj\":1001", "", ""),
		  "process.oomScoreAdj: 1001 is not a whole number from -1000 to 1000" },
		{ DOCUMENT("", ",\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]", ""),
		  "linux: the key \"namespaces\" stands twice" },
		{ DOCUMENT("", ",\"resources\":{\"devices\":[{\"allow\":1}]}", ""),
		  "linux.resources.devices[0].allow: a number where true or false belongs" },
		{ DOCUMENT("", ",\"resources\":{\"unified\":{\"a/b\":\"1\"}}", ""),
		  "linux.resources.unified.a/b: unified resource \"a/b\" must be a file name (no slashes)" },
		{ DOCUMENT("", ",\"maskedPaths\":[\"/a\",\"b\"]", ""),
		  "linux.maskedPaths[1]: \"b\" is not an absolute path" },
		{ DOCUMENT("", ",\"netDevices\":{\"a b\":{}}", ""),
		  "linux.netDevices.a b: \"a b\" cannot be the name of an interface" },
		{ DOCUMENT("", ",\"netDevices\":{\"eth0\":{\"name\":\"e%d%d\"}}", ""),
		  "linux.netDevices.eth0.name: \"e%d%d\" cannot be the name of an interface (1 to "
		  "15 bytes, no '/', ':' or white space, at most one %d)" },
		{ DOCUMENT("", ",\"intelRdt\":{\"closID\":\"../x\"}", ""),
		  "linux.intelRdt.closID: \"../x\" cannot be the name of a folder" },
		{ DOCUMENT("", ",\"intelRdt\":{\"memBwSchema\":\"L3:0=f\"}", ""),
		  "linux.intelRdt.memBwSchema: \"L3:0=f\" does not begin with \"MB:\"" },
		{ DOCUMENT("", ",\"intelRdt\":{\"schemata\":[\"L3:0=f\\n\"]}", ""),
		  "linux.intelRdt.schemata[0]: a line end is not allowed here" },
		{ DOCUMENT("", ",\"uidMappings\":[{\"containerID\":0,\"hostID\":0}]", ""),
		  "linux.uidMappings[0].size: missing" },
		{ DOCUMENT("", "", ",\"mounts\":[{\"type\":\"proc\"}]"),
		  "mounts[0].destination: missing" },
		{ DOCUMENT("", "", ",\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}"),
		  "hooks.prestart[0].path: \"x\" is not an absolute path" },
		{ "{\"ociVersion\":\"2.0.0\",\"root\":{\"path\":\"r\"}}",
		  "ociVersion: \"2.0.0\" is not a version 1.x of the specification (we speak up "
		  "to " OCI_VERSION ")" },
		{ "{\"ociVersion\":\"1.0.0\"}", "root: missing" },
		{ "[]", "an array where an object belongs" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct oci_config *c = NULL;
		struct err err = { 0 };

		assert_true(parse(table[i].text, &c, &err) < 0);
		assert_null(c);
		assert_string_equal(err.text, table[i].error);
	}
}

static void unknown_fields_are_ignored(void **state)
{
	_cleanup_oci_config_ struct oci_config *c = NULL;

	(void)state;
	assert_int_equal(parse(DOCUMENT(",\"new\":{}", ",\"newer\":1", ",\"newest\":[]"), &c, NULL),
			 0);
}

static void every_cut_of_a_document_is_refused(void **state)
{
	static const char text[] = DOCUMENT(",\"user\":{\"uid\":1}", "", "");

	(void)state;
	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct oci_config *c = NULL;

		assert_true(oci_config_parse(text, len, &c, NULL) < 0);
		assert_null(c);
	}
}

static void names_and_numbers_agree(void **state)
{
	(void)state;
	assert_int_equal(oci_capability_parse("sys_admin"), 21);
	assert_int_equal(oci_capability_parse("CAP_CHECKPOINT_RESTORE"), 40);
	assert_true(oci_capability_parse("CAP_NONE") < 0);
	assert_null(oci_capability_name(64));
	for (int cap = 0; cap <= 40; cap++)
		assert_int_equal(oci_capability_parse(oci_capability_name(cap)), cap);
	assert_int_equal(oci_rlimit_parse("RLIMIT_AS"), RLIMIT_AS);
}

static void state_is_printed_as_callers_read_it(void **state)
{
	const struct oci_state s = { .id = "x", .status = OCI_RUNNING, .pid = 5, .bundle = "/b" };
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(oci_state_format(&s, false, &text, NULL, NULL), 0);
	assert_string_equal(text, "{\"ociVersion\":\"" OCI_VERSION "\",\"id\":\"x\",\"pid\":5,"
				  "\"status\":\"running\",\"bundle\":\"/b\"}");
}

static void mounts_alone_are_an_array_or_a_member(void **state)
{
	static const char *const good[] = {
		"[{\"destination\": \"a/../b\"}]",
		" \n[{\"destination\": \"/b\"}] ",
		"{\"mounts\": [{\"destination\": \"/b\"}], \"more\": 1}",
	};
	static const char *const wrong[] = {
		"", "[", "{}", "null", "[1]", "[{}]", "[]]", "[], \"mounts\": []",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_oci_config_ struct oci_config *c = NULL;

		assert_int_equal(oci_mounts_parse(good[i], strlen(good[i]), &c, NULL), 0);
		assert_int_equal(c->mounts_count, 1);
		assert_string_equal(c->mounts[0].destination, "/b");
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct oci_config *c = NULL;
		struct err err = { 0 };

		assert_true(oci_mounts_parse(wrong[i], strlen(wrong[i]), &c, &err) < 0);
		assert_null(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_document_is_understood),
		cmocka_unit_test(rare_fields_survive_being_written),
		cmocka_unit_test(cpu_lists_are_ranges_and_numbers),
		cmocka_unit_test(what_is_written_reads_the_same),
		cmocka_unit_test(a_wrong_field_is_refused_with_its_path),
		cmocka_unit_test(unknown_fields_are_ignored),
		cmocka_unit_test(every_cut_of_a_document_is_refused),
		cmocka_unit_test(names_and_numbers_agree),
		cmocka_unit_test(state_is_printed_as_callers_read_it),
		cmocka_unit_test(mounts_alone_are_an_array_or_a_member),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

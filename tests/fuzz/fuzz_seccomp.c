/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: isolation spec base
 *
 * The input is the value of linux.seccomp. Whatever compiles must be what the kernel takes, and
 * must end for every call with an action. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "isolation/seccomp.h"
#include "isolation/seccomp_tables.h"
#include "tests/unit/isolation/bpf_machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run_all(const struct seccomp_program *program)
{
	static const uint64_t values[] = { 0, 1, 0xffffffff, 0x100000000, UINT64_MAX };

	for (size_t abi = 0; abi < seccomp_tables.abis_count; abi++) {
		for (int nr = -1; nr < 500; nr++) {
			for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
				struct seccomp_data call = {
					.nr = (int)(seccomp_tables.abis[abi].base + (uint32_t)nr),
					.arch = seccomp_tables.abis[abi].audit_arch,
					.args = { values[v], values[v], values[v] },
				};

				(void)bpf_run(program->filter, &call);
			}
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	_cleanup_oci_config_ struct oci_config *config = NULL;
	struct seccomp_program program;
	struct err err = { 0 };

	strbuf_adds(&text,
		    "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"seccomp\":");
	strbuf_add(&text, data, size);
	strbuf_adds(&text, "}}");
	if (!strbuf_ok(&text) || oci_config_parse(text.data, text.len, &config, &err) < 0 ||
	    !config->seccomp)
		return 0;
	if (seccomp_compile(config->seccomp, &program, &err) < 0) {
		if (strncmp(err.text, "linux.seccomp", 13) != 0)
			abort();
		return 0;
	}
	if (!bpf_is_valid(program.filter, program.count))
		abort();
	run_all(&program);
	seccomp_deinit(&program);
	return 0;
}

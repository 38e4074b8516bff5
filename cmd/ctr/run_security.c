/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/ctr/run_security.h"

/* clang-format off */
const struct option_entry run_security_table[] = {
	OPTION_LIST(struct run_security, cap_add, 0, "cap-add", "CAPABILITY", "add a capability, or ALL"),
	OPTION_LIST(struct run_security, cap_drop, 0, "cap-drop", "CAPABILITY", "drop a capability, or ALL"),
	OPTION_BOOL(struct run_security, privileged, 0, "privileged", "no confinement: all capabilities and devices, no seccomp"),
	OPTION_BOOL(struct run_security, read_only, 0, "read-only", "mount the root filesystem read-only"),
	OPTION_END,
};
/* clang-format on */

int run_security_fill(const struct run_security *args, struct arena *arena,
		      struct engine_run_options *ret, struct err *err)
{
	(void)arena;
	(void)err;
	ret->privileged = args->privileged;
	ret->readonly_rootfs = args->read_only;
	ret->cap_add = args->cap_add.items;
	ret->cap_drop = args->cap_drop.items;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of capabilities as bits. */
#include "runtime/engine/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <strings.h>
#include <sys/prctl.h>

#include "spec/oci_config.h"

#define BIT(cap) (UINT64_C(1) << (cap))

const uint64_t capabilities_default =
	BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_KILL) |
	BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETPCAP) | BIT(CAP_NET_BIND_SERVICE) |
	BIT(CAP_NET_RAW) | BIT(CAP_SYS_CHROOT) | BIT(CAP_MKNOD) | BIT(CAP_AUDIT_WRITE) |
	BIT(CAP_SETFCAP);

uint64_t capabilities_host(void)
{
	uint64_t mask = 0;

	for (int cap = 0; cap < 64; cap++) {
		int r = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (r < 0)
			break;
		if (r > 0)
			mask |= BIT(cap);
	}
	return mask;
}

struct wish {
	bool all;
	uint64_t mask;
};

static int read_wish(const char *const *names, const char *option, struct wish *ret,
		     struct err *err)
{
	struct wish wish = { 0 };

	for (; names && *names; names++) {
		int cap;

		if (strcasecmp(*names, "ALL") == 0) {
			wish.all = true;
			continue;
		}
		cap = oci_capability_parse(*names);
		if (cap < 0)
			return err_say(
				err, EINVAL,
				"%s: there is no capability \"%s\"; write it as NET_ADMIN, or "
				"ALL",
				option, *names);
		wish.mask |= BIT(cap);
	}
	*ret = wish;
	return 0;
}

int capabilities_choose(const char *const *add, const char *const *drop, uint64_t host,
			uint64_t *ret, struct err *err)
{
	struct wish adds, drops;
	uint64_t base = capabilities_default, missing;
	int r = read_wish(add, "--cap-add", &adds, err);

	if (r == 0)
		r = read_wish(drop, "--cap-drop", &drops, err);
	if (r < 0)
		return r;
	missing = adds.mask & ~host;
	if (missing)
		return err_say(err, EPERM, "--cap-add: this host does not let us give %s away",
			       oci_capability_name(__builtin_ctzll(missing)));
	if (adds.all)
		base = host;
	else if (drops.all)
		base = 0;
	*ret = (base | adds.mask) & ~drops.mask & host;
	return 0;
}

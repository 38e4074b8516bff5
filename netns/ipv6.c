/* SPDX-License-Identifier: Apache-2.0 */
#include "netns/ipv6.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/log.h"

#define CONF "/proc/sys/net/ipv6/conf"

/* The number in a switch, or -1. */
static int read_switch(const char *interface, const char *name)
{
	_cleanup_free_ char *text = NULL;
	char path[128];

	snprintf(path, sizeof(path), CONF "/%s/%s", interface, name);
	if (file_read(AT_FDCWD, path, 16, &text, NULL, NULL) < 0)
		return -1;
	return atoi(text);
}

static int write_switch(const char *interface, const char *name, const char *value, struct err *err)
{
	char path[128];

	snprintf(path, sizeof(path), CONF "/%s/%s", interface, name);
	return file_write(AT_FDCWD, path, value, err);
}

bool ipv6_is_on(const char *interface)
{
	int off = read_switch(interface, "disable_ipv6");

	return (off < 0 ? read_switch("default", "disable_ipv6") : off) == 0;
}

static void keep_router_advertisements(void)
{
	_cleanup_dir_ DIR *dir = opendir(CONF);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (*e->d_name != '.' && strcmp(e->d_name, "all") != 0 &&
		    strcmp(e->d_name, "lo") != 0 && read_switch(e->d_name, "accept_ra") == 1 &&
		    write_switch(e->d_name, "accept_ra", "2\n", NULL) < 0)
			log_debug("interface %s may lose its IPv6 routes", e->d_name);
}

bool ipv6_forwards(void)
{
	return read_switch("all", "forwarding") == 1;
}

int ipv6_enable_forwarding(struct err *err)
{
	int r;

	if (ipv6_forwards())
		return 0;
	keep_router_advertisements();
	r = write_switch("all", "forwarding", "1\n", err);
	return r < 0 ? err_add(err, "let containers reach the outside by IPv6") : 0;
}

void ipv6_prepare_namespace(void)
{
	write_switch("default", "accept_dad", "0\n", NULL);
	write_switch("default", "accept_ra", "0\n", NULL);
}

struct in6_addr ipv6_choose_subnet(const char *absolute_dir)
{
	_cleanup_free_ char *machine = NULL;
	struct digest_state *state = digest_new();
	struct in6_addr subnet = { .s6_addr = { 0xfd } };
	char hex[DIGEST_HEX_SIZE] = "";
	unsigned byte;

	file_read(AT_FDCWD, "/etc/machine-id", 256, &machine, NULL, NULL);
	if (state) {
		digest_update(state, machine ? machine : "", machine ? strlen(machine) : 0);
		digest_update(state, absolute_dir, strlen(absolute_dir));
		digest_final(state, hex);
		digest_free(state);
	}
	/* 40 bits; the 16 of the subnet stay 0. */
	for (int i = 0; i < 5 && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		subnet.s6_addr[1 + i] = (uint8_t)byte;
	return subnet;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The three files about a container's place in the network. */
#include "runtime/engine/host_files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strbuf.h"

#define FILE_LIMIT (1 << 20)
#define RESOLV_HOST "/etc/resolv.conf"
/* Where systemd-resolved keeps the servers behind its own 127.0.0.53. */
#define RESOLV_SYSTEMD "/run/systemd/resolve/resolv.conf"

char *host_files_hosts(const struct host_files *files)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };

	strbuf_adds(&sb, "127.0.0.1\tlocalhost\n");
	strbuf_adds(&sb, "::1\tlocalhost ip6-localhost ip6-loopback\n");
	strbuf_adds(&sb, "fe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\n");
	strbuf_adds(&sb, "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
	strbuf_addf(&sb, "%s\t%s", files->address ? files->address : "127.0.1.1", files->hostname);
	if (files->name && strcmp(files->name, files->hostname) != 0)
		strbuf_addf(&sb, " %s", files->name);
	strbuf_adds(&sb, "\n");
	return strbuf_take(&sb);
}

static bool is_loopback(const char *text, size_t len)
{
	char address[INET6_ADDRSTRLEN];
	struct in_addr v4;
	struct in6_addr v6;

	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET, address, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* The address of a "nameserver ADDRESS" line, or NULL. */
static const char *nameserver_of(const char *line, size_t *ret_len)
{
	static const char word[] = "nameserver";

	line += strspn(line, " \t");
	if (strncmp(line, word, sizeof(word) - 1) != 0)
		return NULL;
	line += sizeof(word) - 1;
	if (*line != ' ' && *line != '\t')
		return NULL;
	line += strspn(line, " \t");
	*ret_len = strcspn(line, " \t\r\n%#;");
	return *ret_len ? line : NULL;
}

char *host_files_resolv(const char *host_text, bool *ret_usable)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	bool usable = false;

	while (*host_text) {
		size_t line_len = strcspn(host_text, "\n"), len = 0;
		const char *server = nameserver_of(host_text, &len);

		if (!server || !is_loopback(server, len)) {
			strbuf_add(&sb, host_text, line_len);
			strbuf_adds(&sb, "\n");
			usable |= server != NULL;
		}
		host_text += line_len + (host_text[line_len] ? 1 : 0);
	}
	*ret_usable = usable;
	return strbuf_take(&sb);
}

static char *read_or_empty(const char *path)
{
	char *text = NULL;

	if (file_read(AT_FDCWD, path, FILE_LIMIT, &text, NULL, NULL) < 0)
		return strdup("");
	return text;
}

static char *resolv_of_host(void)
{
	_cleanup_free_ char *text = read_or_empty(RESOLV_HOST), *systemd = NULL;
	char *filtered;
	bool usable = false;

	filtered = text ? host_files_resolv(text, &usable) : NULL;
	if (usable || !filtered)
		return filtered;
	systemd = read_or_empty(RESOLV_SYSTEMD);
	if (systemd && *systemd) {
		free(filtered);
		return host_files_resolv(systemd, &usable);
	}
	log_debug("%s names no server that a container could reach", RESOLV_HOST);
	return filtered;
}

static int write_one(int dirfd, const char *name, const char *text, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	int r;

	if (!text)
		return err_set(err, ENOMEM, "write %s", name);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(err, errno, "create %s", name);
	r = fd_write_all(fd, text, strlen(text));
	return r < 0 ? err_set(err, -r, "write %s", name) : 0;
}

int host_files_write(int dirfd, const struct host_files *files, struct err *err)
{
	_cleanup_strbuf_ struct strbuf hostname = { 0 };
	_cleanup_free_ char *hosts =
		files->host_network ? read_or_empty("/etc/hosts") : host_files_hosts(files);
	_cleanup_free_ char *resolv =
		files->host_network ? read_or_empty(RESOLV_HOST) : resolv_of_host();
	int r;

	strbuf_addf(&hostname, "%s\n", files->hostname);
	r = write_one(dirfd, "hosts", hosts, err);
	if (r == 0)
		r = write_one(dirfd, "resolv.conf", resolv, err);
	if (r == 0)
		r = write_one(dirfd, "hostname", strbuf_ok(&hostname) ? hostname.data : NULL, err);
	return r;
}

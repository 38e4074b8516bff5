/* SPDX-License-Identifier: Apache-2.0 */
/* The three files about a container's place in the network. */
#include "runtime/engine/host_files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "netns/resolver_file.h"

#define FILE_LIMIT (1 << 20)
#define RESOLV_HOST "/etc/resolv.conf"
/* Where systemd-resolved keeps the servers behind its own 127.0.0.53. */
#define RESOLV_SYSTEMD "/run/systemd/resolve/resolv.conf"

static void add_names(struct strbuf *sb, const struct host_files *files, const char *address)
{
	strbuf_addf(sb, "%s\t%s", address, files->hostname);
	if (files->name && strcmp(files->name, files->hostname) != 0)
		strbuf_addf(sb, " %s", files->name);
	strbuf_adds(sb, "\n");
}

static void add_hosts(struct strbuf *sb, const struct host_files *files)
{
	for (size_t i = 0; files->net && i < files->net->hosts_count; i++) {
		const struct engine_host *host = &files->net->hosts[i];
		const char *gateway = files->gateway ? files->gateway : "127.0.0.1";

		strbuf_addf(sb, "%s\t%s\n", host->address ? host->address : gateway, host->name);
	}
}

char *host_files_hosts(const struct host_files *files)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };

	strbuf_adds(&sb, "127.0.0.1\tlocalhost\n");
	strbuf_adds(&sb, "::1\tlocalhost ip6-localhost ip6-loopback\n");
	strbuf_adds(&sb, "fe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\n");
	strbuf_adds(&sb, "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
	add_names(&sb, files, files->address ? files->address : "127.0.1.1");
	if (files->address6)
		add_names(&sb, files, files->address6);
	add_hosts(&sb, files);
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

/* ---- what is asked for ---- */

/* Copies the lines that do not begin with one of the words. */
static void copy_without(struct strbuf *sb, const char *text, const char *const *words)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		const char *begin = text + strspn(text, " \t");
		bool drop = false;

		for (size_t i = 0; words[i]; i++)
			drop |= strncmp(begin, words[i], strlen(words[i])) == 0 &&
				strchr(" \t\n", begin[strlen(words[i])]);
		if (!drop) {
			strbuf_add(sb, text, len);
			strbuf_adds(sb, "\n");
		}
		text += len + (text[len] ? 1 : 0);
	}
}

static void add_line(struct strbuf *sb, const char *word, const char *const *values)
{
	/* "." says that there is none. */
	if (!*values || strcmp(*values, ".") == 0)
		return;
	strbuf_adds(sb, word);
	for (; *values; values++)
		strbuf_addf(sb, " %s", *values);
	strbuf_adds(sb, "\n");
}

char *host_files_resolv_options(const char *text, const struct engine_network_options *net)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	const char *words[5] = { NULL };
	size_t n = 0;

	if (net->dns)
		words[n++] = "nameserver";
	if (net->dns_search) {
		words[n++] = "search";
		words[n++] = "domain";
	}
	if (net->dns_options)
		words[n++] = "options";
	copy_without(&sb, text, words);
	for (const char *const *dns = net->dns; dns && *dns; dns++)
		strbuf_addf(&sb, "nameserver %s\n", *dns);
	if (net->dns_search)
		add_line(&sb, "search", net->dns_search);
	if (net->dns_options)
		add_line(&sb, "options", net->dns_options);
	return strbuf_take(&sb);
}

/* A name without a dot may be a container's: it is asked for as it is, before the domains to be
 * looked into are put behind it. */
char *host_files_resolv_own(const char *host_text, const struct engine_network_options *net)
{
	static const char *const own[] = { RESOLVER_ADDRESS, NULL };
	struct engine_network_options asked = net ? *net : (struct engine_network_options){ 0 };
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	_cleanup_free_ char *text = NULL;

	asked.dns = own;
	text = host_files_resolv_options(host_text, &asked);
	if (!text)
		return NULL;
	if (!asked.dns_options)
		strbuf_adds(&sb, "options ndots:0\n");
	strbuf_adds(&sb, text);
	return strbuf_take(&sb);
}

int host_files_servers(struct arena *arena, const char *const **ret)
{
	_cleanup_free_ char *text = read_or_empty(RESOLV_HOST);
	const char **list = arena_calloc(arena, RESOLVER_SERVERS_MAX + 1, sizeof(*list));
	size_t count = 0;

	if (!text || !list)
		return -ENOMEM;
	for (const char *line = text; *line && count < RESOLVER_SERVERS_MAX;) {
		size_t len = 0;
		const char *server = nameserver_of(line, &len);

		if (server) {
			list[count] = arena_strndup(arena, server, len);
			if (!list[count++])
				return -ENOMEM;
		}
		line += strcspn(line, "\n");
		line += *line ? 1 : 0;
	}
	*ret = list;
	return 0;
}

/* ---- the files ---- */

static char *read_of(const char *dir, const char *name)
{
	char path[PATH_MAX];

	if (path_join(path, sizeof(path), dir, name, NULL) < 0)
		return NULL;
	return read_or_empty(path);
}

static char *make_hosts(const struct host_files *files)
{
	_cleanup_strbuf_ struct strbuf sb = { 0 };
	_cleanup_free_ char *base = NULL;

	if (!files->host_network && !files->joined_dir)
		return host_files_hosts(files);
	base = files->joined_dir ? read_of(files->joined_dir, "hosts")
				 : read_or_empty("/etc/hosts");
	if (!base)
		return NULL;
	strbuf_adds(&sb, base);
	add_hosts(&sb, files);
	return strbuf_take(&sb);
}

static char *make_resolv(const struct host_files *files)
{
	char *text, *changed;

	if (files->resolver) {
		text = read_or_empty(RESOLV_HOST);
		changed = text ? host_files_resolv_own(text, files->net) : NULL;
		free(text);
		return changed;
	}
	if (files->joined_dir)
		text = read_of(files->joined_dir, "resolv.conf");
	else
		text = files->host_network ? read_or_empty(RESOLV_HOST) : resolv_of_host();
	if (!text || !files->net ||
	    (!files->net->dns && !files->net->dns_search && !files->net->dns_options))
		return text;
	changed = host_files_resolv_options(text, files->net);
	free(text);
	return changed;
}

int host_files_write(int dirfd, const struct host_files *files, struct err *err)
{
	_cleanup_strbuf_ struct strbuf hostname = { 0 };
	_cleanup_free_ char *hosts = make_hosts(files), *resolv = make_resolv(files);
	int r;

	strbuf_addf(&hostname, "%s\n", files->hostname);
	r = write_one(dirfd, "hosts", hosts, err);
	if (r == 0)
		r = write_one(dirfd, "resolv.conf", resolv, err);
	if (r == 0)
		r = write_one(dirfd, "hostname", strbuf_ok(&hostname) ? hostname.data : NULL, err);
	return r;
}

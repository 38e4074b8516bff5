/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a container's folder, and its FIFOs. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "runtime/engine/capabilities.h"
#include "runtime/engine/config_build.h"
#include "runtime/engine/config_init.h"
#include "runtime/engine/config_security.h"
#include "runtime/engine/creation.h"
#include "runtime/engine/engine_struct.h"
#include "runtime/engine/fifos.h"
#include "runtime/engine/host_devices.h"
#include "runtime/engine/host_files.h"
#include "runtime/engine/seccomp_file.h"

/* "10.77.0.2/16" without its prefix. */
static int strip(struct creation *c, const char *address, const char **ret, struct err *err)
{
	*ret = address ? arena_strndup(c->arena, address, strcspn(address, "/")) : NULL;
	return address && !*ret ? err_set(err, ENOMEM, "write hosts") : 0;
}

static int write_host_files(struct creation *c, struct err *err)
{
	struct host_files files = {
		.hostname = c->meta.hostname,
		.name = c->meta.name,
		.gateway = c->meta.gateway,
		.host_network = c->options->network == ENGINE_NETWORK_HOST,
		.resolver = c->meta.address != NULL,
		.joined_dir = c->joined_dir,
		.net = &c->options->net,
	};
	int r = strip(c, c->meta.address, &files.address, err);

	if (r == 0)
		r = strip(c, c->meta.net.address6, &files.address6, err);
	return r < 0 ? r : host_files_write(c->fd, &files, err);
}

static int find_security(struct creation *c, struct config_input *input, struct err *err)
{
	const struct engine_security *security = &c->options->security;
	struct seccomp_host host;
	uint64_t capabilities = 0;

	if (c->meta.security.apparmor && strcmp(c->meta.security.apparmor, ENGINE_UNCONFINED) != 0)
		input->apparmor = c->meta.security.apparmor;
	if (security->privileged)
		err_try(host_devices_list(c->arena, &input->host_devices,
					  &input->host_devices_count, err));
	err_try(host_devices_find(security->devices, security->devices_count, c->arena,
				  &input->asked_devices, &input->asked_devices_count, err));
	if (!security->seccomp || strcmp(security->seccomp, ENGINE_UNCONFINED) == 0)
		return 0;
	err_try(config_capabilities(security, input->host_capabilities, &capabilities, err));
	seccomp_host_of(capabilities, &host);
	return seccomp_file_load(security->seccomp, &host, c->arena, &input->seccomp, err);
}

static int write_config(struct creation *c, struct err *err)
{
	struct config_input input = {
		.options = c->options,
		.image = &c->image->config,
		.id = c->id,
		.hostname = c->meta.hostname,
		.dir = c->dir,
		.netns_path = c->netns_path,
		.ns = c->ns,
		.user = &c->user,
		.mounts = c->meta.mounts,
		.mounts_count = c->meta.mounts_count,
		.host_capabilities = capabilities_host(),
	};
	_cleanup_oci_config_ struct oci_config *config = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_fd_ int fd = -1;
	size_t len;
	int r = creation_mount_paths(c, &input.mount_paths, err);

	if (r == 0)
		r = find_security(c, &input, err);
	if (r == 0)
		r = config_build(&input, &config, err);
	if (r == 0)
		r = oci_config_format(config, &text, &len, err);
	if (r < 0)
		return r;
	fd = openat(c->fd, LAYOUT_CONFIG, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(err, errno, "create " LAYOUT_CONFIG);
	r = fd_write_all(fd, text, len);
	return r < 0 ? err_set(err, -r, "write " LAYOUT_CONFIG) : 0;
}

int creation_write_files(struct creation *c, struct err *err)
{
	int r = 0;

	/* What was learned since it was written: the address, another name. */
	if (c->meta.address || c->meta.net.joined || !c->options->name)
		r = meta_save(c->fd, &c->meta, err);
	if (r == 0)
		r = write_host_files(c, err);
	if (r == 0 && c->options->init)
		r = config_init_write(c->fd, err);
	if (r == 0)
		r = creation_write_network(c, err);
	if (r == 0)
		r = creation_own_files(c, err);
	if (r == 0)
		r = write_config(c, err);
	if (r == 0)
		r = creation_prepare_mounts(c, err);
	if (r == 0 && mkdirat(c->fd, LAYOUT_ROOTFS, 0711) < 0)
		r = err_set(err, errno, "create folder " LAYOUT_ROOTFS);
	if (r < 0 || (c->options->detach && !c->options->interactive))
		return r;
	return fifos_make(&(struct fifos_options){ .runroot = c->engine->runroot,
						   .id = c->id,
						   .name = "init",
						   .want_stdin = c->options->interactive,
						   .want_stdout = !c->options->detach,
						   .want_stderr = !c->options->detach &&
								  !c->options->terminal },
			  &c->io, err);
}

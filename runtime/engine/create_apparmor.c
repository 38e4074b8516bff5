/* SPDX-License-Identifier: Apache-2.0 */
/* Which AppArmor profile a container gets. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "isolation/apparmor.h"
#include "runtime/engine/creation.h"
#include "runtime/engine/engine_struct.h"

static int load_default(const struct creation *c, struct err *err)
{
	char mark[PATH_MAX], folder[PATH_MAX];
	int r = layout_path(mark, c->engine->runroot, LAYOUT_APPARMOR, NULL, err);

	if (r == 0)
		r = layout_path(folder, c->engine->runroot, LAYOUT_ENGINE, NULL, err);
	if (r == 0)
		r = dir_create(AT_FDCWD, folder, 0700, err);
	return r < 0 ? r : apparmor_load_default(mark, err);
}

/* One of the host's, which is its administrator's to load. */
static int check_named(const char *name, struct err *err)
{
	int r = apparmor_is_loaded(name, err);

	if (r == 0)
		return err_say(err, ENOENT,
			       "--security-opt apparmor=%s: no such profile is loaded; "
			       "apparmor_parser loads one",
			       name);
	return r < 0 ? err_add(err, "--security-opt apparmor=%s", name) : 0;
}

int creation_choose_apparmor(struct creation *c, struct err *err)
{
	const struct engine_security *asked = &c->options->security;
	const char *name = asked->apparmor;
	struct err why = { 0 };

	if (name && strcmp(name, ENGINE_UNCONFINED) == 0)
		return 0;
	if (!apparmor_is_on())
		return name ? err_say(err, ENOTSUP,
				      "--security-opt apparmor=%s: AppArmor is not on in this "
				      "kernel",
				      name)
			    : 0;
	if (name && strcmp(name, APPARMOR_DEFAULT) != 0)
		return check_named(name, err);
	if (!name && asked->privileged)
		return 0;
	if (load_default(c, name ? err : &why) == 0)
		c->meta.security.apparmor = APPARMOR_DEFAULT;
	else if (name)
		return err_add(err, "--security-opt apparmor=%s", name);
	else
		log_warn("%s; the container has no profile", why.text);
	return 0;
}

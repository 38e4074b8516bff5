/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cellar-cell/remote.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "scheduler/link/address.h"

static int find_folder(char ret[static PATH_MAX], struct err *err)
{
	const char *folder = getenv("CELLAR_CELL_KEYS"), *home = getenv("HOME");
	int len;

	if (!folder && !home)
		return err_say(err, ENOENT,
			       "there is no HOME; say by CELLAR_CELL_KEYS where your "
			       "key of the cell is");
	len = folder ? snprintf(ret, PATH_MAX, "%s", folder)
		     : snprintf(ret, PATH_MAX, "%s/.config/cellar/cell", home);
	return len < PATH_MAX ? 0 : err_say(err, ENAMETOOLONG, "%s: too long", folder);
}

int remote_find(const char *url, struct remote *ret, struct err *err)
{
	char folder[PATH_MAX];
	int r;

	*ret = (struct remote){ 0 };
	if (!url)
		url = getenv("CELLAR_CELL");
	if (!url || !*url)
		return 0;
	err_try(link_address(url, &ret->address, err));
	err_try(find_folder(folder, err));
	r = keys_load(folder, PKI_ROLE_PERSON, &ret->keys, err);
	if (r == -ENOENT)
		return err_say(err, ENOENT,
			       "there is no key of a cell in %s; get one by: celld join --master "
			       "%s --token TOKEN",
			       folder, url);
	if (r < 0)
		return r;
	ret->trust = keys_trust(&ret->keys);
	return 1;
}

void remote_deinit(struct remote *remote)
{
	free(remote->address);
	keys_deinit(&remote->keys);
}

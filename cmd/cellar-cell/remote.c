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

int place_find(const struct cellar_cell *cell, struct place *ret, struct err *err)
{
	int r = remote_find(cell->cell, &ret->remote, err);

	if (r < 0)
		return r;
	ret->elsewhere = r > 0;
	if (snprintf(ret->socket, sizeof(ret->socket), "%s/" SOCKET_NAME,
		     cell->runroot ? cell->runroot : RUNROOT_DEFAULT) >= PATH_MAX) {
		place_deinit(ret);
		return err_say(err, ENAMETOOLONG, "the path of --runroot is too long");
	}
	return 0;
}

void place_deinit(struct place *place)
{
	remote_deinit(&place->remote);
}

int place_call(const struct place *place, const char *path, char url[static PLACE_URL_SIZE],
	       struct http_call *call, struct err *err)
{
	if (snprintf(url, PLACE_URL_SIZE, "%s%s", place->elsewhere ? REMOTE_HOST : "http://cell",
		     path) >= PLACE_URL_SIZE)
		return err_say(err, ENAMETOOLONG, "%s: too long a name", path);
	call->unix_path = place->elsewhere ? NULL : place->socket;
	call->address = place->remote.address;
	call->trust = place->elsewhere ? &place->remote.trust : NULL;
	call->url = url;
	return 0;
}

int place_refused(const struct place *place, struct err *err)
{
	if (place->elsewhere)
		return err_say(err, ECONNREFUSED, "no master of a cell answers at %s",
			       place->remote.address);
	return err_say(err, ECONNREFUSED,
		       "no cell is at work at %s; start one by `celld dev`, or name one that is "
		       "elsewhere: ctr --cell URL",
		       place->socket);
}

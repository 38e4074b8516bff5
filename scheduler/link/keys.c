/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define PEM_MAX ((size_t)64 << 10)
#define PRIVATE 0600
#define PUBLIC 0644

static int open_folder(const char *folder, bool make, struct err *err)
{
	if (make)
		err_try(dir_create(AT_FDCWD, folder, 0700, err));
	return dir_open(AT_FDCWD, folder, err);
}

static int put(int dir, const char *name, const char *text, mode_t mode, struct err *err)
{
	return file_replace(dir, name, text, strlen(text), mode, true, err);
}

static int get(int dir, const char *name, char **ret, struct err *err)
{
	return file_read(dir, name, PEM_MAX, ret, NULL, err);
}

/* ---- of the master ---- */

static int load_pair(int dir, const char *key, const char *certificate, struct pki_pair *ret,
		     struct err *err)
{
	_cleanup_pki_pair_ struct pki_pair pair = { 0 };

	err_try(get(dir, key, &pair.key, err));
	err_try(get(dir, certificate, &pair.certificate, err));
	*ret = pair;
	pair = (struct pki_pair){ 0 };
	return 0;
}

/* The certificate comes last: with it the pair is there. */
static int save_pair(int dir, const char *key, const char *certificate, const struct pki_pair *pair,
		     struct err *err)
{
	err_try(put(dir, key, pair->key, PRIVATE, err));
	return put(dir, certificate, pair->certificate, PUBLIC, err);
}

static bool is_there(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, 0) == 0;
}

int keys_of_master(const char *folder, struct pki_pair *ret_ca, struct pki_pair *ret_master,
		   struct err *err)
{
	_cleanup_fd_ int dir = open_folder(folder, true, err);
	_cleanup_pki_pair_ struct pki_pair ca = { 0 }, master = { 0 };

	if (dir < 0)
		return dir;
	if (is_there(dir, "ca.crt")) {
		err_try(load_pair(dir, "ca.key", "ca.crt", &ca, err));
	} else {
		err_try(pki_make_ca(&ca, err));
		err_try(save_pair(dir, "ca.key", "ca.crt", &ca, err));
	}
	if (is_there(dir, "master.crt")) {
		err_try(load_pair(dir, "master.key", "master.crt", &master, err));
	} else {
		err_try(pki_make_master(&ca, &master, err));
		err_try(save_pair(dir, "master.key", "master.crt", &master, err));
	}
	*ret_ca = ca;
	*ret_master = master;
	ca = master = (struct pki_pair){ 0 };
	return 0;
}

/* ---- of those who join ---- */

static const char *stem_of(const char *role)
{
	return strcmp(role, PKI_ROLE_AGENT) == 0 ? PKI_ROLE_AGENT : PKI_ROLE_PERSON;
}

static int file_name(char ret[static NAME_MAX], const char *role, const char *end)
{
	return snprintf(ret, NAME_MAX, "%s%s", stem_of(role), end);
}

int keys_save(const char *folder, const char *role, const char *master, const char *ca,
	      const struct pki_pair *pair, struct err *err)
{
	_cleanup_fd_ int dir = open_folder(folder, true, err);
	char key[NAME_MAX], certificate[NAME_MAX], name[NAME_MAX];

	if (dir < 0)
		return dir;
	file_name(name, role, "-ca.crt");
	err_try(put(dir, name, ca, PUBLIC, err));
	file_name(name, role, "-master");
	err_try(put(dir, name, master, PUBLIC, err));
	/* That of a cell that it was in before says nothing of this one. */
	if (strcmp(role, PKI_ROLE_AGENT) == 0)
		unlinkat(dir, KEYS_EPOCH, 0);
	file_name(key, role, ".key");
	file_name(certificate, role, ".crt");
	return save_pair(dir, key, certificate, pair, err);
}

int keys_load(const char *folder, const char *role, struct keys *ret, struct err *err)
{
	_cleanup_keys_ struct keys keys = { 0 };
	_cleanup_free_ char *certificate = NULL;
	const char *stem = stem_of(role);
	char name[NAME_MAX];
	_cleanup_fd_ int dir = dir_open(AT_FDCWD, folder, err);

	if (dir < 0)
		return dir;
	file_name(name, role, ".crt");
	err_try(get(dir, name, &certificate, err));
	file_name(name, role, "-master");
	err_try(get(dir, name, &keys.master, err));
	err_try(pki_read_names(certificate, keys.role, sizeof(keys.role), keys.name,
			       sizeof(keys.name), err));
	if (asprintf(&keys.ca, "%s/%s-ca.crt", folder, stem) < 0 ||
	    asprintf(&keys.certificate, "%s/%s.crt", folder, stem) < 0 ||
	    asprintf(&keys.key, "%s/%s.key", folder, stem) < 0)
		return err_set(err, ENOMEM, "read %s", folder);
	*ret = keys;
	keys = (struct keys){ 0 };
	return 0;
}

void keys_deinit(struct keys *keys)
{
	free(keys->ca);
	free(keys->certificate);
	free(keys->key);
	free(keys->master);
}

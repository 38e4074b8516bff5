/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of an open volume, for the files of this folder only. */
#pragma once

#include "storage/volume.h"

#define VOLUME_FOLDER "volumes" /* below the store's root */
#define VOLUME_TMP ".tmp"
#define VOLUME_FILE "volume.json"
#define VOLUME_DATA "data"
#define VOLUME_USERS "users"
#define VOLUME_COPY "copy"
#define VOLUME_READY "ready"

struct volume {
	char name[VOLUME_NAME_MAX + 1];
	char *root;
	int folder_fd; /* ROOT/volumes */
	int fd;	       /* of the volume, which holds the lock */
};

/* Opens ROOT/volumes. -ENOENT (without sentence) where there is none and not make. */
int volume_open_folder(const char *root, bool make, struct err *err);

/* Finishes a content that is whole, drops one that is not. */
int volume_mend_content(struct volume *volume, struct err *err);

/* volume.json. Loading where there is none gives what is known without. */
int volume_save_file(int fd, const struct volume_info *info, struct err *err);
int volume_load_file(int fd, struct arena *arena, struct volume_info *ret, struct err *err);

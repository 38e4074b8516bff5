/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder's content copied into another: kinds, bytes with their holes, owners, modes, times,
 * extended attributes, symlinks as they are, hard links among what is copied.
 *
 * Everything goes by name below an open folder, and no symlink is followed, so what the source
 * holds cannot lead the copy anywhere else. The source must stay as it is meanwhile (the layers of
 * an image do); the target must be out of everybody's reach.
 */
#pragma once

#include "base/err.h"

/*
 * source_fd, target_fd: open folders, the target's empty; it gets the source's attributes, too.
 * links_fd: an empty folder on the target's file system, in which files with several names are
 * remembered; what it holds afterwards is rubbish. Marks of an overlay (whiteouts, its attributes)
 * are left out. Any depth is fine: two descriptors are held, and a list.
 */
int tree_copy(int source_fd, int target_fd, int links_fd, struct err *err);

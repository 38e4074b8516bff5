/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: storage_import storage spec base */
/*
 * A layer of arbitrary bytes: whatever is unpacked lies in its folder, can be removed, and a
 * failure says why. It runs in a mount namespace of its own, with a tmpfs as "/", so that neither a
 * finding nor a full disk reaches the host.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "storage/unpack.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static int top_fd = -1;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *tmp = getenv("TMPDIR");
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s/layer.XXXXXX", tmp ? tmp : "/tmp");
	(void)argc;
	(void)argv;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    !mkdtemp(dir) || mount("tmpfs", dir, "tmpfs", MS_NODEV, "size=64m,nr_inodes=20k") < 0) {
		perror("fuzz-layer needs root");
		exit(77);
	}
	top_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	return 0;
}

/* Headers whose sum is wrong are refused early: put it right, that mutations get further. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	(void)seed;
	size = LLVMFuzzerMutate(data, size, max_size);
	for (uint8_t *header = data; header + 512 <= data + size; header += 512) {
		unsigned sum = 0;
		char text[8];

		if (memcmp(header + 257, "ustar", 5) != 0)
			continue;
		memset(header + 148, ' ', 8);
		for (int i = 0; i < 512; i++)
			sum += header[i];
		snprintf(text, sizeof(text), "%06o", sum & 0777777);
		memcpy(header + 148, text, 7);
	}
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unpack_options options = { .root = "/", .entries_max = 1000, .bytes_max = 8 << 20 };
	_cleanup_fd_ int blob = memfd_create("layer", MFD_CLOEXEC), fs = -1, lower = -1;
	char diff_id[DIGEST_TEXT_SIZE];
	struct err err = { 0 };
	struct stat st;
	int r;

	/* A layer below with what an entry may trip over. */
	assert(mkdirat(top_fd, "lower", 0755) == 0 && mkdirat(top_fd, "fs", 0755) == 0);
	assert(mkdirat(top_fd, "lower/dir", 0700) == 0);
	assert(symlinkat("/dir", top_fd, "lower/link") == 0);
	assert(mknodat(top_fd, "canary", S_IFREG | 0600, 0) == 0);
	lower = openat(top_fd, "lower", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fs = openat(top_fd, "fs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	options.lower_fds = &lower;
	options.lower_count = 1;
	assert(fd_write_all(blob, data, size) == 0);
	r = unpack_layer(blob, fs, &options, diff_id, &err);
	assert(r == 0 || (r == -err.code && err.text[0] && !strchr(err.text, '\n')));
	assert(r < 0 || digest_is_valid(diff_id));
	assert(fstatat(top_fd, "canary", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink == 1 &&
	       st.st_size == 0 && st.st_mode == (S_IFREG | 0600));
	assert(fstatat(top_fd, "lower/dir", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink == 2);
	/* lower, fs and the canary: nothing came beside them. */
	assert(fstat(top_fd, &st) == 0 && st.st_nlink == 4);
	assert(tree_remove(top_fd, "fs", &err) == 0 && tree_remove(top_fd, "lower", &err) == 0);
	assert(unlinkat(top_fd, "canary", 0) == 0);
	return 0;
}

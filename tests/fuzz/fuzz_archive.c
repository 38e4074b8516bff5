/* SPDX-License-Identifier: Apache-2.0 */
/* LINK: storage_import storage spec base */
/*
 * An archive of arbitrary bytes, as `ctr image import` reads it before it copies a blob: listing,
 * index or manifest.json, configurations. What is found hangs together; what is refused says why.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "storage/import_layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

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

static void check(const struct import_layout *found)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct import_image *image = &found->images[i];
		size_t count = image->manifest.layers_count;

		assert(image->name[0] && strlen(image->name) < NAME_SIZE);
		assert(count > 0 && count == image->config.diff_ids_count);
		for (size_t n = 0; n < count; n++)
			assert(strlen(image->chain_ids[n]) == 64 &&
			       image->manifest.layers[n].size_bytes >= 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_import_source_ struct import_source *source = NULL;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct import_reading reading = {
		.arena = arena,
		.path = "x.tar",
		.platform = { "linux", "amd64", "v3" },
	};
	int fd = memfd_create("archive", MFD_CLOEXEC), r;
	struct err err = { 0 };

	assert(fd >= 0 && fd_write_all(fd, data, size) == 0);
	r = import_source_open_fd(fd, &source, &err);
	if (r == 0) {
		reading.source = source;
		r = import_read(&reading, &err);
	}
	if (r == 0)
		check(&reading.found);
	else
		assert(r == -err.code && err.text[0]);
	free(reading.found.images);
	strbuf_deinit(&reading.foreign);
	return 0;
}

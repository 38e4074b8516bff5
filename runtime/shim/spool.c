/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/shim/log.h"

#define VERSION 1
#define DATA_MAX 16384

enum phase { IDLE, READING, HELD };

struct page {
	uint32_t version;
	uint32_t phase;
	uint32_t index;
	uint32_t len; /* expected, and then held */
	uint64_t mark;
	char data[DATA_MAX];
};

struct spool {
	struct page *page;
};

static const unsigned char pattern[] = { 0xff, 0xfe, 0xc0, 0xf5, 0xc1, 0xff, 0xf6, 0xfe,
					 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xff };

int spool_open(const char *path, struct spool **ret, struct err *err)
{
	_cleanup_fd_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct spool *spool;
	void *map;

	if (fd < 0)
		return err_set(err, errno, "open %s", path);
	/* Its blocks have to be there: to write to a hole of a full disk is SIGBUS. */
	if (fallocate(fd, 0, 0, sizeof(struct page)) < 0)
		return err_set(err, errno, "make room for %s", path);
	map = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return err_set(err, errno, "map %s", path);
	spool = calloc(1, sizeof(*spool));
	if (!spool) {
		munmap(map, sizeof(struct page));
		return err_set(err, ENOMEM, "open %s", path);
	}
	spool->page = map;
	*ret = spool;
	return 0;
}

struct spool *spool_close(struct spool *spool)
{
	if (!spool)
		return NULL;
	munmap(spool->page, sizeof(*spool->page));
	free(spool);
	return NULL;
}

static void set_phase(struct page *page, enum phase phase)
{
	/* Also an order for the compiler: a signal ends us between any two instructions. */
	__atomic_store_n(&page->phase, phase, __ATOMIC_SEQ_CST);
}

ssize_t spool_read(struct spool *spool, int fd, unsigned index, size_t want,
		   const struct shim_log *log)
{
	struct page *page = spool->page;
	int available = 0;
	ssize_t n;

	if (ioctl(fd, FIONREAD, &available) < 0)
		return -1;
	if (available <= 0) {
		errno = EAGAIN;
		return -1;
	}
	if (want > DATA_MAX)
		want = DATA_MAX;
	if (want > (size_t)available)
		want = (size_t)available;
	page->version = VERSION;
	page->index = index;
	page->len = (uint32_t)want;
	page->mark = shim_log_mark(log ? shim_log_size(log) : 0, 0);
	memcpy(page->data, pattern, want < sizeof(pattern) ? want : sizeof(pattern));
	set_phase(page, READING);
	n = read(fd, page->data, want);
	if (n <= 0) {
		set_phase(page, IDLE);
		return n;
	}
	page->len = (uint32_t)n;
	set_phase(page, HELD);
	return n;
}

char *spool_data(struct spool *spool)
{
	return spool->page->data;
}

uint64_t *spool_mark(struct spool *spool)
{
	return &spool->page->mark;
}

void spool_finish(struct spool *spool)
{
	set_phase(spool->page, IDLE);
}

static bool was_read(const struct page *page)
{
	size_t len = page->len < sizeof(pattern) ? page->len : sizeof(pattern);

	return page->phase == HELD ||
	       (page->phase == READING && memcmp(page->data, pattern, len) != 0);
}

void spool_recover(struct spool *spool, struct shim_log *log, const char *const *names,
		   size_t count)
{
	struct page *page = spool->page;
	size_t done = page->mark & 0xffff;

	if (page->version == VERSION && page->index < count && page->len <= DATA_MAX &&
	    done <= page->len && was_read(page)) {
		shim_log_truncate(log, (int64_t)(page->mark >> 16));
		shim_log_append(log, names[page->index], page->data + done, page->len - done, NULL);
	}
	/* A shim that dies here leaves it to the next, which repeats it whole. */
	set_phase(page, IDLE);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tars that no honest writer makes: headers byte by byte, with the sum put right. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/storage/layout.h"

struct raw_tar {
	int fd;
};

struct raw_entry {
	const char *name;
	char type; /* '0' file, '1' hard link, '2' symlink, '3' and '4' devices, '5' folder, ... */
	const char *link;
	const char *size;  /* octal text as it stands; NULL: that of data */
	const char *mode;  /* octal text; NULL: 0000644 */
	const char *mtime; /* octal text */
	const char *major, *minor;
	const void *data;
	size_t data_len;
	bool bad_sum, gnu;
};

static inline struct raw_tar raw_start(void)
{
	struct raw_tar tar = { memfd_create("raw", MFD_CLOEXEC) };

	assert_true(tar.fd >= 0);
	return tar;
}

static inline void raw_pad(struct raw_tar *tar, size_t len)
{
	static const char zeros[512];

	if (len % 512)
		assert_int_equal(fd_write_all(tar->fd, zeros, 512 - len % 512), 0);
}

static inline void raw_field(char *at, size_t size, const char *text)
{
	if (text)
		memcpy(at, text, strlen(text) < size ? strlen(text) : size);
}

static inline void raw_sum(char header[static 512], bool bad)
{
	unsigned sum = 0;
	char text[8];

	memset(header + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)header[i];
	snprintf(text, sizeof(text), "%06o", (sum + bad) & 0777777);
	memcpy(header + 148, text, 7);
}

static inline void raw_add(struct raw_tar *tar, const struct raw_entry *e)
{
	char header[512] = { 0 }, size[24];

	raw_field(header, 100, e->name);
	raw_field(header + 100, 8, e->mode ? e->mode : "0000644");
	raw_field(header + 108, 8, "0000000");
	raw_field(header + 116, 8, "0000000");
	snprintf(size, sizeof(size), "%011zo", e->data_len);
	raw_field(header + 124, 12, e->size ? e->size : size);
	raw_field(header + 136, 12, e->mtime ? e->mtime : "00000000000");
	header[156] = e->type ? e->type : '0';
	raw_field(header + 157, 100, e->link);
	memcpy(header + 257, e->gnu ? "ustar  " : "ustar\00000", 8);
	raw_field(header + 329, 8, e->major);
	raw_field(header + 337, 8, e->minor);
	raw_sum(header, e->bad_sum);
	assert_int_equal(fd_write_all(tar->fd, header, 512), 0);
	assert_int_equal(fd_write_all(tar->fd, e->data, e->data_len), 0);
	raw_pad(tar, e->data_len);
}

/* A pax header of these records, whose lengths are right, in front of the next entry. */
static inline void raw_pax(struct raw_tar *tar, const char *key, const void *value, size_t len)
{
	char record[70000];
	size_t head = strlen(key) + 3 + len, digits = 1, n;

	for (size_t total = head + 1; total >= 10; total /= 10)
		digits++;
	/* A length that counts its own digits. */
	if (snprintf(NULL, 0, "%zu", head + digits) != (int)digits)
		digits++;
	n = (size_t)snprintf(record, sizeof(record), "%zu %s=", head + digits, key);
	assert_true(n + len + 1 < sizeof(record));
	memcpy(record + n, value, len);
	record[n + len] = '\n';
	raw_add(tar, &(struct raw_entry){ "pax", 'x', .data = record, .data_len = n + len + 1 });
}

static inline void raw_pax_text(struct raw_tar *tar, const char *key, const char *value)
{
	raw_pax(tar, key, value, strlen(value));
}

static inline int raw_end(struct raw_tar *tar)
{
	static const char zeros[1024];

	assert_int_equal(fd_write_all(tar->fd, zeros, sizeof(zeros)), 0);
	assert_int_equal(lseek(tar->fd, 0, SEEK_SET), 0);
	return tar->fd;
}

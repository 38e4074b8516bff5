/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership by scope. Every owning local carries one of these attributes and is initialised where
 * it is declared; ownership leaves a scope only through take_ptr() or take_fd().
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))

/* Defines cleanup_NAME(TYPE **), which calls FREE on a non-NULL pointer. */
#define CLEANUP_DEFINE(type, name, free_fn)         \
	static inline void cleanup_##name(type **p) \
	{                                           \
		if (*p)                             \
			free_fn(*p);                \
	}                                           \
	struct cleanup_##name##_swallow_semicolon

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

CLEANUP_DEFINE(FILE, file, fclose);
CLEANUP_DEFINE(DIR, dir, closedir);

#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_fd_ _cleanup_(cleanup_fd)
#define _cleanup_file_ _cleanup_(cleanup_file)
#define _cleanup_dir_ _cleanup_(cleanup_dir)

/* Gives up ownership: returns the value and leaves NULL (or -1) behind. */
#define take_ptr(p)                            \
	({                                     \
		__auto_type take_value_ = (p); \
		(p) = NULL;                    \
		take_value_;                   \
	})

static inline int take_fd(int *fd)
{
	int value = *fd;

	*fd = -1;
	return value;
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

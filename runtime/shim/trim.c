/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dropping the program's own text costs a fault for whatever runs next, and each brings the pages
 * around it (64 KiB): so the last steps call nobody, and lie beside the loop's (`hot`).
 */
#include "runtime/shim/trim.h"

#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_BELOW (256u << 10) /* so much of it may have been used */
#define SEGMENTS_MAX 8

struct segments {
	uintptr_t begin[SEGMENTS_MAX];
	size_t len[SEGMENTS_MAX], count;
};

/* Segments that nobody writes: their pages are the file's. */
static int collect_segments(struct dl_phdr_info *info, size_t size, void *data)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct segments *s = data;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum && s->count < SEGMENTS_MAX; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t begin = (info->dlpi_addr + p->p_vaddr + page - 1) & ~(page - 1);
		uintptr_t end = (info->dlpi_addr + p->p_vaddr + p->p_memsz) & ~(page - 1);

		if (p->p_type != PT_LOAD || p->p_flags & PF_W || begin >= end)
			continue;
		s->begin[s->count] = begin;
		s->len[s->count++] = end - begin;
	}
	return 1; /* the program itself comes first, and is all there is of a static one */
}

/* Below the current frame nothing is alive; a page's distance is kept from the red zone. */
static void drop_stack(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t end = ((uintptr_t)__builtin_frame_address(0) & ~(page - 1)) - 2 * page;

	for (uintptr_t at = end - STACK_BELOW; at < end; at += page)
		madvise((void *)at, page, MADV_DONTNEED); /* ENOMEM: never grew so far */
}

/* madvise(2) without the library's page. */
static inline void drop(uintptr_t begin, size_t len)
{
#ifdef __x86_64__
	long r = SYS_madvise;

	__asm__ volatile("syscall"
			 : "+a"(r)
			 : "D"(begin), "S"(len), "d"((long)MADV_DONTNEED)
			 : "rcx", "r11", "memory");
#else
	madvise((void *)begin, len, MADV_DONTNEED);
#endif
}

__attribute__((hot, noinline)) static void drop_segments(const struct segments *s)
{
	for (size_t i = 0; i < s->count; i++)
		drop(s->begin[i], s->len[i]);
}

__attribute__((hot)) void trim_memory(void)
{
	struct segments segments = { .count = 0 };

	malloc_trim(0);
	drop_stack();
	dl_iterate_phdr(collect_segments, &segments);
	drop_segments(&segments);
}

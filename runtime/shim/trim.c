/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/shim/trim.h"

#include <link.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define STACK_BELOW (256u << 10) /* so much of it may have been used */

/* Segments that nobody writes: their pages are the file's. */
static int drop_segments(struct dl_phdr_info *info, size_t size, void *data)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)data;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t begin = (info->dlpi_addr + p->p_vaddr + page - 1) & ~(page - 1);
		uintptr_t end = (info->dlpi_addr + p->p_vaddr + p->p_memsz) & ~(page - 1);

		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W) && begin < end)
			madvise((void *)begin, end - begin, MADV_DONTNEED);
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

void trim_memory(void)
{
	malloc_trim(0);
	drop_stack();
	dl_iterate_phdr(drop_segments, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * malloc and free for programs that live for milliseconds and have one thread. musl's own takes a
 * page or two, a mmap and often a munmap for each of its forty classes of size; at a start that is
 * a third of all page faults. Here blocks are cut from one piece of memory, one behind the other; a
 * freed one is kept in the list of its class and given out again first; big ones are mapped alone.
 * Memory of small blocks never goes back to the kernel.
 *
 * Each block starts with a head. Its seal depends on a random number, the address, the size and
 * whether it is in use: a second free, a free of what is no block, and an overflow from the block
 * before end the program.
 */
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define HEAD sizeof(struct head)
#define FIRST_BYTES (64u << 10)
#define PIECE_BYTES (256u << 10)
#define BIG_BYTES (64u << 10)
/* Classes: 16 to 256 by 16, then four to each power of two up to BIG_BYTES. */
#define FINE 16
#define CLASSES (FINE + 4 * 8)

struct head {
	size_t size; /* of the block behind it: a multiple of 16 */
	uint64_t seal;
};

struct idle {
	struct idle *next;
};

_Static_assert(sizeof(struct head) == 16, "blocks are aligned to 16");

static _Alignas(16) char first[FIRST_BYTES];
static char *at = first, *end = first + FIRST_BYTES;
static struct idle *idle[CLASSES];
static uint64_t secret;

static uint64_t seal_of(const struct head *h, bool used)
{
	if (!secret) {
		const void *random = (const void *)getauxval(AT_RANDOM);

		if (random)
			memcpy(&secret, (const char *)random + 8, sizeof(secret));
		secret |= 1;
	}
	return (secret ^ (uintptr_t)h ^ (h->size << 32) ^ h->size) * 0x9e3779b97f4a7c15u + used;
}

static struct head *head_of(void *block)
{
	struct head *h = (struct head *)block - 1;

	if ((uintptr_t)block % HEAD || h->seal != seal_of(h, true))
		abort();
	return h;
}

/* The class of a size, and the size that its blocks have. */
static unsigned class_of(size_t *size)
{
	unsigned shift;
	size_t step;

	if (*size <= FINE * 16) {
		*size = *size ? (*size + 15) & ~(size_t)15 : 16;
		return (unsigned)(*size / 16) - 1;
	}
	shift = 63 - (unsigned)__builtin_clzl(*size - 1); /* 8: 257 to 512 */
	step = (size_t)1 << (shift - 2);
	*size = (*size + step - 1) & ~(step - 1);
	return FINE + (shift - 8) * 4 + (unsigned)((*size - ((size_t)1 << shift)) / step) - 1;
}

static struct head *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static struct head *cut(size_t size)
{
	struct head *h;

	if ((size_t)(end - at) < size + HEAD) {
		char *piece = (char *)map(PIECE_BYTES);

		if (!piece)
			return NULL;
		at = piece; /* the rest of the last piece stays unused */
		end = piece + PIECE_BYTES;
	}
	h = (struct head *)at;
	at += size + HEAD;
	return h;
}

static struct head *take_idle(unsigned class)
{
	struct idle *block = idle[class];
	struct head *h;

	if (!block)
		return NULL;
	h = (struct head *)block - 1;
	if (h->seal != seal_of(h, false))
		abort();
	idle[class] = block->next;
	return h;
}

/* Not malloc itself: the compiler makes malloc and memset a calloc, which would call itself. */
static void *allocate(size_t size)
{
	struct head *h;

	if (size > PTRDIFF_MAX - 2 * BIG_BYTES) {
		errno = ENOMEM;
		return NULL;
	}
	if (size > BIG_BYTES) {
		size = ((size + HEAD + 4095) & ~(size_t)4095) - HEAD;
		h = map(size + HEAD);
	} else {
		unsigned class = class_of(&size);

		h = take_idle(class);
		if (!h)
			h = cut(size);
	}
	if (!h) {
		errno = ENOMEM;
		return NULL;
	}
	h->size = size;
	h->seal = seal_of(h, true);
	return h + 1;
}

void *malloc(size_t size)
{
	return allocate(size);
}

void free(void *block)
{
	struct head *h;
	size_t size;

	if (!block)
		return;
	h = head_of(block);
	size = h->size;
	if (size > BIG_BYTES) {
		int code = errno;

		munmap(h, size + HEAD);
		errno = code;
		return;
	}
	h->seal = seal_of(h, false);
	if ((char *)block + size == at) {
		at = (char *)h;
	} else {
		struct idle *b = block;
		unsigned class = class_of(&size);

		b->next = idle[class];
		idle[class] = b;
	}
}

void *calloc(size_t count, size_t size)
{
	size_t bytes;
	void *block;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	block = allocate(bytes);
	/* What was mapped for it alone is zero. */
	if (block && bytes <= BIG_BYTES)
		memset(block, 0, bytes);
	return block;
}

/* The last block of the piece grows where it is, as long as it stays a small one. */
static bool grow_last(struct head *h, size_t size)
{
	char *block = (char *)(h + 1);

	class_of(&size);
	if (size > BIG_BYTES || block + h->size != at || size > (size_t)(end - block))
		return false;
	at = block + size;
	h->size = size;
	h->seal = seal_of(h, true);
	return true;
}

void *realloc(void *block, size_t size)
{
	struct head *h;
	void *other;

	if (!block)
		return allocate(size);
	h = head_of(block);
	if (size <= h->size || (size <= BIG_BYTES && grow_last(h, size)))
		return block;
	other = allocate(size);
	if (!other)
		return NULL;
	memcpy(other, block, h->size);
	free(block);
	return other;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The heap of programs on musl, under other names beside the C library's own. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define malloc heap_malloc
#define calloc heap_calloc
#define realloc heap_realloc
#define free heap_free
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
#include "base/musl/heap.c"

static void every_size_is_aligned_and_whole(void **state)
{
	(void)state;
	for (size_t size = 0; size < 3 * BIG_BYTES; size += size < 1200 ? 1 : 997) {
		char *a = malloc(size), *b = malloc(size);

		assert_non_null(a);
		assert_non_null(b);
		assert_int_equal((uintptr_t)a % 16, 0);
		memset(a, 1, size);
		memset(b, 2, size);
		for (size_t i = 0; i < size; i += 61)
			assert_int_equal(a[i], 1);
		free(a);
		free(b);
	}
}

static void freed_blocks_come_again(void **state)
{
	char *a = malloc(100), *guard = malloc(1), *b;

	(void)state;
	free(a);
	b = malloc(97);
	assert_ptr_equal(a, b);
	free(b);
	free(guard);
}

static void calloc_clears_what_was_used(void **state)
{
	char *a = malloc(300), *guard = malloc(1);

	(void)state;
	memset(a, 7, 300);
	free(a);
	a = calloc(3, 100);
	for (size_t i = 0; i < 300; i++)
		assert_int_equal(a[i], 0);
	free(a);
	free(guard);
	assert_null(calloc(SIZE_MAX / 2, 3));
	assert_null(malloc(SIZE_MAX - 4));
}

/* One behind which nothing is: no idle one. */
static char *fresh(size_t size)
{
	char *block;

	do
		block = malloc(size);
	while (block + size != at);
	return block;
}

static void the_last_block_grows_in_place(void **state)
{
	char *a = fresh(48), *b = realloc(a, 4000);

	(void)state;
	assert_ptr_equal(a, b);
	b = realloc(b, BIG_BYTES + 1); /* no longer a small one */
	assert_non_null(b);
	free(b);
}

/* What is where, against a shadow of what was written. */
static void many_at_random_keep_what_they_hold(void **state)
{
	enum { BLOCKS = 200, ROUNDS = 40000 };
	static struct {
		unsigned char *p, mark;
		size_t size;
	} blocks[BLOCKS];
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		int at_block = rand_r(&seed) % BLOCKS;
		size_t size = (size_t)(rand_r(&seed) % (rand_r(&seed) % 50 ? 700 : 100000)), kept;
		unsigned char *p = blocks[at_block].p;

		for (size_t k = 0; k < blocks[at_block].size; k++)
			assert_int_equal(p[k], blocks[at_block].mark);
		kept = size < blocks[at_block].size ? size : blocks[at_block].size;
		if (i % 3 == 0) {
			free(p);
			p = malloc(size);
		} else {
			p = realloc(p, size);
			for (size_t k = 0; k < kept; k++)
				assert_int_equal(p[k], blocks[at_block].mark);
		}
		assert_non_null(p);
		blocks[at_block].p = p;
		blocks[at_block].size = size;
		blocks[at_block].mark = (unsigned char)i;
		memset(p, i, size);
	}
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i].p);
}

/* The signal that ends a child which does this. */
static int ends_by(void (*wrong)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		wrong();
		_exit(0);
	}
	assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void free_twice(void)
{
	void *a = malloc(50), *guard = malloc(1);

	free(a);
	free(a);
	free(guard);
}

static void overflow(void)
{
	volatile char *a = fresh(64);
	void *b = fresh(64);

	for (int i = 0; i < 80; i++)
		a[i] = 'x';
	free(b);
}

static void free_of_the_middle(void)
{
	char *a = calloc(1, 64);

	free(a + 16);
}

static void misuse_ends_the_program(void **state)
{
	(void)state;
	assert_int_equal(ends_by(free_twice), SIGABRT);
	assert_int_equal(ends_by(overflow), SIGABRT);
	assert_int_equal(ends_by(free_of_the_middle), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_is_aligned_and_whole),
		cmocka_unit_test(freed_blocks_come_again),
		cmocka_unit_test(calloc_clears_what_was_used),
		cmocka_unit_test(the_last_block_grows_in_place),
		cmocka_unit_test(many_at_random_keep_what_they_hold),
		cmocka_unit_test(misuse_ends_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

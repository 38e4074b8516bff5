/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "scheduler/store/store.h"
#include "tests/unit/scratch.h"

#define BATCH 50

static char dir[40];
static char path[sizeof(dir) + 16];

static int setup(void **state)
{
	(void)state;
	if (scratch_make("store", dir, sizeof(dir)) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/cell.db", dir);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "cell.db", "cell.db-wal", "cell.db-shm", "copy.db" };
	char file[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(file, sizeof(file), "%s/%s", dir, names[i]);
		unlink(file);
	}
	return rmdir(dir);
}

static struct cell_store *open_store(const char *where)
{
	struct cell_store *store = NULL;
	struct err err = { 0 };

	if (cell_store_open(where, &store, &err) < 0)
		fail_msg("%s", err.text);
	return store;
}

static uint64_t put(struct cell_store *store, uint64_t epoch, const char *key, const char *value)
{
	struct store_change change = { key, value, value ? strlen(value) : 0 };
	uint64_t revision = 0;
	struct err err = { 0 };

	if (cell_store_commit(store, epoch, &change, 1, &revision, &err) < 0)
		fail_msg("%s", err.text);
	return revision;
}

/* Everything as "key=value;", a removal as "key!;". */
static int collect(void *data, const struct store_change *change, struct err *err)
{
	char *text = data;
	size_t len = strlen(text);

	(void)err;
	if (change->value)
		snprintf(text + len, 256 - len, "%s=%.*s;", change->key, (int)change->len,
			 (const char *)change->value);
	else
		snprintf(text + len, 256 - len, "%s!;", change->key);
	return 0;
}

static void what_is_put_is_there_after_opening_again(void **state)
{
	struct cell_store *store = open_store(path);
	char text[256] = "";
	uint64_t epoch, revision;
	struct stat st;

	(void)state;
	assert_int_equal(cell_store_elect(store, "a", &epoch, NULL), 0);
	assert_int_equal(epoch, 1);
	put(store, epoch, "job/b", "2");
	put(store, epoch, "job/a", "");
	assert_int_equal(put(store, epoch, "job/c", "3"), 3);
	put(store, epoch, "job/b", NULL);
	cell_store_close(store);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	store = open_store(path);
	assert_int_equal(cell_store_load(store, collect, text, &revision, NULL), 0);
	assert_string_equal(text, "job/a=;job/c=3;");
	assert_int_equal(revision, 4);
	cell_store_close(store);
}

static void watch_tells_changes_and_removals(void **state)
{
	struct cell_store *store = open_store(path), *other = open_store(path);
	char text[256] = "";
	uint64_t epoch, revision;

	(void)state;
	cell_store_elect(store, "a", &epoch, NULL);
	put(store, epoch, "a", "1");
	revision = put(store, epoch, "b", "1");
	put(store, epoch, "a", "2");
	put(store, epoch, "b", NULL);
	assert_int_equal(cell_store_watch(other, revision, collect, text, &revision, NULL), 0);
	assert_string_equal(text, "a=2;b!;");
	*text = '\0';
	assert_int_equal(cell_store_watch(other, revision, collect, text, &revision, NULL), 0);
	assert_string_equal(text, "");
	cell_store_close(other);
	cell_store_close(store);
}

static void who_was_replaced_can_do_no_harm(void **state)
{
	struct cell_store *old = open_store(path), *new = open_store(path);
	struct store_change change = { "a", "old", 3 };
	uint64_t old_epoch, new_epoch, revision;
	struct err err = { 0 };
	char text[256] = "";

	(void)state;
	cell_store_elect(old, "old", &old_epoch, NULL);
	put(old, old_epoch, "a", "1");
	cell_store_elect(new, "new", &new_epoch, NULL);
	assert_int_equal(cell_store_commit(old, old_epoch, &change, 1, &revision, &err), -ESTALE);
	assert_non_null(strstr(err.text, "another master was elected"));
	cell_store_load(new, collect, text, &revision, NULL);
	assert_string_equal(text, "a=1;");
	put(new, new_epoch, "a", "2");
	cell_store_close(old);
	cell_store_close(new);
}

/* The writer: batches in which every key has the same value, for ever. */
static void write_batches(int ready)
{
	struct cell_store *store = NULL;
	char keys[BATCH][16], value[16];
	struct store_change changes[BATCH];
	uint64_t epoch, revision;

	if (cell_store_open(path, &store, NULL) < 0 ||
	    cell_store_elect(store, "w", &epoch, NULL) < 0)
		_exit(1);
	for (unsigned n = 0;; n++) {
		snprintf(value, sizeof(value), "%u", n);
		for (int i = 0; i < BATCH; i++) {
			snprintf(keys[i], sizeof(keys[i]), "k%02d", i);
			changes[i] = (struct store_change){ keys[i], value, strlen(value) };
		}
		if (cell_store_commit(store, epoch, changes, BATCH, &revision, NULL) < 0)
			_exit(2);
		if (write(ready, &n, sizeof(n)) < 0)
			_exit(3);
	}
}

struct seen {
	unsigned count, value;
	bool mixed;
};

static int look(void *data, const struct store_change *change, struct err *err)
{
	struct seen *seen = data;
	char text[16] = "";
	unsigned value;

	(void)err;
	memcpy(text, change->value, change->len);
	value = (unsigned)strtoul(text, NULL, 10);
	seen->mixed |= seen->count && value != seen->value;
	seen->value = value;
	seen->count++;
	return 0;
}

static void a_killed_writer_leaves_whole_batches(void **state)
{
	(void)state;
	for (int round = 0; round < 10; round++) {
		struct seen seen = { 0 };
		unsigned told = 0, one;
		uint64_t revision;
		struct cell_store *store;
		int pipe_fds[2], status;
		pid_t pid;

		assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
		pid = fork();
		if (pid == 0)
			write_batches(pipe_fds[1]);
		close(pipe_fds[1]);
		for (int i = 0; i <= round; i++)
			assert_int_equal(read(pipe_fds[0], &told, sizeof(told)), sizeof(told));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
		while (read(pipe_fds[0], &one, sizeof(one)) == sizeof(one))
			told = one;
		close(pipe_fds[0]);
		store = open_store(path);
		assert_int_equal(cell_store_load(store, look, &seen, &revision, NULL), 0);
		assert_int_equal(seen.count, BATCH);
		assert_false(seen.mixed);
		/* What was acknowledged is there. */
		assert_true(seen.value >= told);
		cell_store_close(store);
	}
}

static void a_backup_is_a_store(void **state)
{
	struct cell_store *store = open_store(path), *copy;
	char text[256] = "", to[64];
	uint64_t epoch, revision;
	struct err err = { 0 };

	(void)state;
	snprintf(to, sizeof(to), "%s/copy.db", dir);
	cell_store_elect(store, "a", &epoch, NULL);
	put(store, epoch, "a", "1");
	assert_int_equal(cell_store_backup(store, to, &err), 0);
	assert_int_equal(cell_store_backup(store, to, &err), -EEXIST);
	copy = open_store(to);
	cell_store_load(copy, collect, text, &revision, NULL);
	assert_string_equal(text, "a=1;");
	cell_store_close(copy);
	cell_store_close(store);
}

static void what_is_no_store_is_told(void **state)
{
	struct cell_store *store = NULL;
	struct err err = { 0 };
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	char junk[4096];

	(void)state;
	memset(junk, 'x', sizeof(junk));
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	close(fd);
	assert_int_equal(cell_store_open(path, &store, &err), -EUCLEAN);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(cell_store_open("/nowhere/cell.db", &store, &err), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(what_is_put_is_there_after_opening_again),
		TEST(watch_tells_changes_and_removals),
		TEST(who_was_replaced_can_do_no_harm),
		TEST(a_killed_writer_leaves_whole_batches),
		TEST(a_backup_is_a_store),
		TEST(what_is_no_store_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

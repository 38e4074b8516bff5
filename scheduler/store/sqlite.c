/* SPDX-License-Identifier: Apache-2.0 */
/* The store in a SQLite database. A removed key stays as a row without value for who watches, and
 * goes at a later election. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scheduler/store/store.h"

#define STORE_VERSION 1
#define BUSY_MS 10000
/* Removals that are older than so many revisions are forgotten at an election. */
#define REMOVALS_KEPT 10000

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	GET_META,
	PUT_META,
	PUT_ITEM,
	LOAD,
	WATCH,
	FORGET,
	STATEMENTS,
};

static const char *const statements[STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[GET_META] = "SELECT value FROM meta WHERE name = ?1",
	[PUT_META] = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
	[PUT_ITEM] = "INSERT OR REPLACE INTO item (key, value, revision) VALUES (?1, ?2, ?3)",
	[LOAD] = "SELECT key, value FROM item WHERE value IS NOT NULL ORDER BY key",
	[WATCH] = "SELECT key, value FROM item WHERE revision > ?1 ORDER BY revision, key",
	[FORGET] = "DELETE FROM item WHERE value IS NULL AND revision <= ?1",
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS item (key TEXT PRIMARY KEY, value BLOB, revision INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS item_revision ON item (revision)";

struct cell_store {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *statements[STATEMENTS];
};

static int errno_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return EUCLEAN;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_CANTOPEN:
		return ENOENT;
	default:
		return EIO;
	}
}

static int fail(const struct cell_store *store, const char *what, struct err *err)
{
	return err_say(err, errno_of(sqlite3_errcode(store->db)), "%s %s: %s", what, store->path,
		       sqlite3_errmsg(store->db));
}

/* Runs a statement that gives no row. */
static int run(struct cell_store *store, enum statement which, struct err *err)
{
	sqlite3_stmt *s = store->statements[which];
	int code = sqlite3_step(s);
	int r = code == SQLITE_DONE ? 0 : fail(store, "write to", err);

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return r;
}

static int get_meta(struct cell_store *store, const char *name, uint64_t *ret, struct err *err)
{
	sqlite3_stmt *s = store->statements[GET_META];
	int code, r = 0;

	*ret = 0;
	sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
	code = sqlite3_step(s);
	if (code == SQLITE_ROW)
		*ret = (uint64_t)sqlite3_column_int64(s, 0);
	else if (code != SQLITE_DONE)
		r = fail(store, "read", err);
	sqlite3_reset(s);
	return r;
}

static int put_meta(struct cell_store *store, const char *name, uint64_t value, struct err *err)
{
	sqlite3_stmt *s = store->statements[PUT_META];

	sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, (sqlite3_int64)value);
	return run(store, PUT_META, err);
}

/* Ends a transaction, well or not: r is what its body returned. */
static int finish(struct cell_store *store, int r, struct err *err)
{
	if (r == 0)
		r = run(store, COMMIT, err);
	if (r < 0 && !sqlite3_get_autocommit(store->db))
		run(store, ROLLBACK, NULL);
	return r;
}

static int check_version(struct cell_store *store, struct err *err)
{
	uint64_t version;
	int r = run(store, BEGIN, err);

	if (r == 0)
		r = get_meta(store, "version", &version, err);
	if (r == 0 && version > STORE_VERSION)
		r = err_say(err, EPROTO,
			    "%s was written by a newer Cellar (version %llu of the store, this "
			    "program knows %d); use that one, or a backup",
			    store->path, (unsigned long long)version, STORE_VERSION);
	if (r == 0 && version < STORE_VERSION)
		r = put_meta(store, "version", STORE_VERSION, err);
	return finish(store, r, err);
}

static int prepare(struct cell_store *store, struct err *err)
{
	/* A file that is none of SQLite's is noticed at the first look at it. */
	if (sqlite3_busy_timeout(store->db, BUSY_MS) ||
	    sqlite3_exec(store->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", NULL, NULL,
			 NULL) ||
	    sqlite3_exec(store->db, schema, NULL, NULL, NULL))
		return fail(store, "open", err);
	for (int i = 0; i < STATEMENTS; i++)
		if (sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &store->statements[i], NULL))
			return fail(store, "open", err);
	return check_version(store, err);
}

/* Nobody but its owner reads it; SQLite gives its other files the same mode. */
static int make_file(const char *path, struct err *err)
{
	_cleanup_fd_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? err_set(err, errno, "open %s", path) : 0;
}

int cell_store_open(const char *path, struct cell_store **ret, struct err *err)
{
	_cleanup_cell_store_ struct cell_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store || !(store->path = strdup(path)))
		return err_set(err, ENOMEM, "open %s", path);
	r = make_file(path, err);
	if (r < 0)
		return r;
	if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL))
		return fail(store, "open", err);
	r = prepare(store, err);
	if (r < 0)
		return r;
	*ret = take_ptr(store);
	return 0;
}

struct cell_store *cell_store_close(struct cell_store *store)
{
	if (!store)
		return NULL;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close(store->db);
	free(store->path);
	free(store);
	return NULL;
}

static int forget_removals(struct cell_store *store, struct err *err)
{
	uint64_t revision, forgotten;
	int r = get_meta(store, "revision", &revision, err);

	if (r < 0 || revision <= REMOVALS_KEPT)
		return r;
	forgotten = revision - REMOVALS_KEPT;
	sqlite3_bind_int64(store->statements[FORGET], 1, (sqlite3_int64)forgotten);
	r = run(store, FORGET, err);
	return r < 0 ? r : put_meta(store, "forgotten", forgotten, err);
}

static int elect(struct cell_store *store, const char *who, uint64_t *ret_epoch, struct err *err)
{
	sqlite3_stmt *s = store->statements[PUT_META];
	int r = get_meta(store, "epoch", ret_epoch, err);

	if (r < 0)
		return r;
	++*ret_epoch;
	err_try(put_meta(store, "epoch", *ret_epoch, err));
	sqlite3_bind_text(s, 1, "leader", -1, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, who, -1, SQLITE_STATIC);
	err_try(run(store, PUT_META, err));
	return forget_removals(store, err);
}

int cell_store_elect(struct cell_store *store, const char *who, uint64_t *ret_epoch,
		     struct err *err)
{
	uint64_t epoch = 0;
	int r = run(store, BEGIN, err);

	if (r < 0)
		return r;
	r = finish(store, elect(store, who, &epoch, err), err);
	if (r == 0)
		*ret_epoch = epoch;
	return r;
}

static int check_epoch(struct cell_store *store, uint64_t epoch, struct err *err)
{
	uint64_t now;
	int r = get_meta(store, "epoch", &now, err);

	if (r == 0 && now != epoch)
		r = err_say(err, ESTALE,
			    "%s: another master was elected (epoch %llu, this one's is %llu)",
			    store->path, (unsigned long long)now, (unsigned long long)epoch);
	return r;
}

static int put_item(struct cell_store *store, const struct store_change *change, uint64_t revision,
		    struct err *err)
{
	sqlite3_stmt *s = store->statements[PUT_ITEM];

	sqlite3_bind_text(s, 1, change->key, -1, SQLITE_STATIC);
	/* An empty value is no removal. */
	if (change->value)
		sqlite3_bind_blob64(s, 2, change->len ? change->value : "", change->len,
				    SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, (sqlite3_int64)revision);
	return run(store, PUT_ITEM, err);
}

static int write_batch(struct cell_store *store, uint64_t epoch, const struct store_change *changes,
		       size_t count, uint64_t *ret_revision, struct err *err)
{
	err_try(check_epoch(store, epoch, err));
	err_try(get_meta(store, "revision", ret_revision, err));
	++*ret_revision;
	for (size_t i = 0; i < count; i++)
		err_try(put_item(store, &changes[i], *ret_revision, err));
	return put_meta(store, "revision", *ret_revision, err);
}

int cell_store_commit(struct cell_store *store, uint64_t epoch, const struct store_change *changes,
		      size_t count, uint64_t *ret_revision, struct err *err)
{
	uint64_t revision = 0;
	int r = run(store, BEGIN, err);

	if (r < 0)
		return r;
	r = finish(store, write_batch(store, epoch, changes, count, &revision, err), err);
	if (r == 0 && ret_revision)
		*ret_revision = revision;
	return r;
}

static int walk(struct cell_store *store, enum statement which, store_fn fn, void *data,
		struct err *err)
{
	sqlite3_stmt *s = store->statements[which];
	int code, r = 0;

	while (r == 0 && (code = sqlite3_step(s)) == SQLITE_ROW) {
		struct store_change change = {
			.key = (const char *)sqlite3_column_text(s, 0),
			.value = sqlite3_column_blob(s, 1),
			.len = (size_t)sqlite3_column_bytes(s, 1),
		};

		/* SQLite has no address for nothing. */
		if (!change.value && sqlite3_column_type(s, 1) != SQLITE_NULL)
			change.value = "";
		r = change.key ? fn(data, &change, err)
			       : err_set(err, ENOMEM, "read %s", store->path);
	}
	if (r == 0 && code != SQLITE_DONE)
		r = fail(store, "read", err);
	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return r;
}

int cell_store_load(struct cell_store *store, store_fn fn, void *data, uint64_t *ret_revision,
		    struct err *err)
{
	uint64_t revision = 0;
	int r = run(store, BEGIN, err);

	if (r < 0)
		return r;
	r = get_meta(store, "revision", &revision, err);
	if (r == 0)
		r = walk(store, LOAD, fn, data, err);
	r = finish(store, r, err);
	if (r == 0)
		*ret_revision = revision;
	return r;
}

static int changes_since(struct cell_store *store, uint64_t since, store_fn fn, void *data,
			 uint64_t *ret_revision, struct err *err)
{
	uint64_t forgotten;

	err_try(get_meta(store, "revision", ret_revision, err));
	err_try(get_meta(store, "forgotten", &forgotten, err));
	if (since < forgotten)
		return err_say(err, ESTALE, "%s: what changed after revision %llu is forgotten",
			       store->path, (unsigned long long)since);
	sqlite3_bind_int64(store->statements[WATCH], 1, (sqlite3_int64)since);
	return walk(store, WATCH, fn, data, err);
}

int cell_store_watch(struct cell_store *store, uint64_t since, store_fn fn, void *data,
		     uint64_t *ret_revision, struct err *err)
{
	uint64_t revision = 0;
	int r = run(store, BEGIN, err);

	if (r < 0)
		return r;
	r = finish(store, changes_since(store, since, fn, data, &revision, err), err);
	if (r == 0)
		*ret_revision = revision;
	return r;
}

int cell_store_backup(struct cell_store *store, const char *path, struct err *err)
{
	_cleanup_fd_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	sqlite3_backup *backup = NULL;
	sqlite3 *to = NULL;
	int code;

	if (fd < 0)
		return err_set(err, errno, "write backup %s", path);
	code = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK && (backup = sqlite3_backup_init(to, "main", store->db, "main")))
		code = sqlite3_backup_step(backup, -1);
	if (backup)
		sqlite3_backup_finish(backup);
	else
		code = sqlite3_errcode(to);
	sqlite3_close(to);
	if (code == SQLITE_DONE && fsync(fd) == 0)
		return 0;
	unlink(path);
	return err_say(err, errno_of(code), "write backup %s: %s", path, sqlite3_errstr(code));
}

int cell_store_check(struct cell_store *store, struct err *err)
{
	sqlite3_stmt *s = NULL;
	const char *text = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(store->db, "PRAGMA integrity_check(1)", -1, &s, NULL))
		return fail(store, "check", err);
	if (sqlite3_step(s) == SQLITE_ROW)
		text = (const char *)sqlite3_column_text(s, 0);
	if (!text)
		r = fail(store, "check", err);
	else if (strcmp(text, "ok") != 0)
		r = err_say(err, EUCLEAN, "%s is damaged: %s", store->path, text);
	sqlite3_finalize(s);
	return r;
}

static int raise_epoch(struct cell_store *store, uint64_t epoch, struct err *err)
{
	uint64_t now;

	err_try(get_meta(store, "epoch", &now, err));
	return now < epoch ? put_meta(store, "epoch", epoch, err) : 0;
}

int cell_store_raise(struct cell_store *store, uint64_t epoch, struct err *err)
{
	int r = run(store, BEGIN, err);

	return r < 0 ? r : finish(store, raise_epoch(store, epoch, err), err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/sessions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "scheduler/api/api.h"
#include "scheduler/link/document.h"
#include "scheduler/master/master.h"

#define NS_PER_MS INT64_C(1000000)
#define JSON "application/json"
#define SESSION_ID_SIZE 17

/* An agent, as it is known under its machine's name. */
struct session {
	struct sessions *sessions;
	struct session *next;
	char machine[HTTP_NAME_SIZE];
	char id[SESSION_ID_SIZE];
	uint64_t number;	   /* of the last message */
	struct document *report;   /* as of it */
	struct document *wants;	   /* as they were told last */
	struct http_request *held; /* waits for news */
	bool poked;
	int64_t until_ns; /* when what is held is answered */
	struct master_contact contact;
};

struct sessions {
	struct loop *loop;
	struct master *master;
	struct session *first;
	struct loop_source *timer;
	int64_t hold_ns;
	bool closed;
};

/* ---- answers ---- */

static void answer_text(struct http_request *request, unsigned status, struct strbuf *sb)
{
	size_t len = sb->len;
	char *text = strbuf_take(sb);

	http_answer(request, text ? status : 500, JSON, text, text ? len : 0);
}

static void answer_word(struct http_request *request, const char *word)
{
	struct strbuf sb = { 0 };

	strbuf_addf(&sb, "{\"%s\":true}", word);
	answer_text(request, 200, &sb);
}

/* What the machine is to have, as it is now. 1: it differs from what was told last, which is left
 * in ret_before. */
static int refresh(struct session *s, const char *text, size_t len, struct document **ret_before,
		   struct err *err)
{
	struct document *wants = NULL;

	err_try(document_parse(text, len, &wants, err));
	if (s->wants && strcmp(document_hash(wants), document_hash(s->wants)) == 0) {
		document_free(wants);
		return 0;
	}
	*ret_before = s->wants;
	s->wants = wants;
	return 1;
}

/* before: NULL where the client has none of it. */
static void answer_wants(struct session *s, struct http_request *request,
			 const struct document *before)
{
	struct strbuf sb = { 0 };

	strbuf_adds(&sb, "{\"wait_ms\":0,\"wants\":");
	document_add_diff(&sb, before, s->wants);
	strbuf_adds(&sb, "}");
	answer_text(request, 200, &sb);
}

static void answer_nothing_new(struct http_request *request, int64_t wait_ms)
{
	struct strbuf sb = { 0 };

	strbuf_addf(&sb, "{\"wait_ms\":%" PRId64 "}", wait_ms);
	answer_text(request, 200, &sb);
}

/* ---- what is held ---- */

static void look_at_held(struct sessions *sessions);

static int on_time(void *data)
{
	struct sessions *sessions = data;

	sessions->timer = NULL;
	look_at_held(sessions);
	return 0;
}

static void wake_at(struct sessions *sessions, int64_t at_ns)
{
	sessions->timer = loop_remove(sessions->timer);
	loop_add_time(sessions->loop, at_ns, on_time, sessions, &sessions->timer, NULL);
}

static void give_news(struct session *s)
{
	_cleanup_document_ struct document *before = NULL;
	_cleanup_free_ char *text = NULL;
	struct err err = { 0 };
	size_t len = 0;
	int r;

	s->poked = false;
	r = master_wants(s->sessions->master, s->machine, &text, &len, &err);
	if (r == 0)
		r = refresh(s, text, len, &before, &err);
	if (r < 0)
		api_answer_error(take_ptr(s->held), &err);
	else if (r > 0)
		answer_wants(s, take_ptr(s->held), before);
}

/* In the order of their coming they would be cheaper to find; with some thousand it does not
 * matter. */
static void look_at_held(struct sessions *sessions)
{
	int64_t now = clock_monotonic_ns(), next = INT64_MAX;

	for (struct session *s = sessions->first; s; s = s->next) {
		if (s->held && s->poked)
			give_news(s);
		if (s->held && s->until_ns <= now)
			answer_nothing_new(take_ptr(s->held), 0);
		if (s->held && s->until_ns < next)
			next = s->until_ns;
	}
	if (next != INT64_MAX)
		wake_at(sessions, next);
}

/* The master is in the middle of something: what it has decided is asked for after that. */
static void poke(void *data)
{
	struct session *s = data;

	s->poked = true;
	if (s->held && !s->sessions->closed)
		wake_at(s->sessions, 0);
}

static void hold(struct session *s, struct http_request *request)
{
	s->held = request;
	s->until_ns = clock_monotonic_ns() + s->sessions->hold_ns;
	if (!s->sessions->timer)
		wake_at(s->sessions, s->until_ns);
}

/* ---- sessions ---- */

static struct session *session_find(struct sessions *sessions, const char *machine)
{
	for (struct session *s = sessions->first; s; s = s->next)
		if (strcmp(s->machine, machine) == 0)
			return s;
	return NULL;
}

static struct session *session_new(struct sessions *sessions, const char *machine)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->sessions = sessions;
	s->contact = (struct master_contact){ .data = s, .poke = poke };
	snprintf(s->machine, sizeof(s->machine), "%s", machine);
	s->next = sessions->first;
	sessions->first = s;
	return s;
}

/* A name that cannot be guessed, so that what was said in an earlier one counts for nothing. */
static int begin_anew(struct session *s, struct err *err)
{
	uint64_t id;

	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		return err_set(err, errno, "begin a session");
	snprintf(s->id, sizeof(s->id), "%016" PRIx64, id);
	s->number = 0;
	s->report = document_free(s->report);
	s->wants = document_free(s->wants);
	if (s->held)
		answer_word(take_ptr(s->held), "superseded");
	return 0;
}

/* ---- a message ---- */

struct message {
	struct http_request *request;
	struct json_node root, report;
	const char *session, *have;
	uint64_t number;
	bool hold;
};

static int read_message(struct message *m, struct arena *arena, struct err *err)
{
	const struct json_node *root = &m->root;

	err_try(json_object(root, err));
	err_try(json_get_string(root, "session", arena, &m->session, err));
	err_try(json_get_string(root, "have", arena, &m->have, err));
	err_try(json_get_u64(root, "number", &m->number, err));
	err_try(json_get_bool(root, "hold", &m->hold, err));
	return json_need(json_get_object(root, "report", &m->report, err), root, "report", err);
}

/* The certificate's name is the only one that it may speak for. */
static int check_machine(const struct session *s, const char *text, size_t len, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	const char *machine = "";
	struct json_node root;

	if (!arena)
		return err_set(err, ENOMEM, "read a report");
	err_try(json_parse(text, len, &doc, err));
	root = json_root(doc);
	err_try(json_get_string(&root, "machine", arena, &machine, err));
	if (strcmp(machine, s->machine) != 0)
		return err_say(err, EACCES,
			       "the certificate is of machine %s, and speaks for no other (%.80s)",
			       s->machine, machine);
	return 0;
}

/* 1: the report does not fit, and is needed whole. */
static int take_report(struct session *s, const struct message *m, bool *ret_same, struct err *err)
{
	_cleanup_document_ struct document *report = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = document_apply(s->report, &m->report, &report, err);

	if (r != 0)
		return r;
	*ret_same = s->report && strcmp(document_hash(report), document_hash(s->report)) == 0;
	if (!*ret_same) {
		text = document_text(report, &len);
		if (!text)
			return err_set(err, ENOMEM, "read a report");
		err_try(check_machine(s, text, len, err));
	}
	document_free(s->report);
	s->report = take_ptr(report);
	return 0;
}

/* Tells the master, and learns from it. 1: what is wanted has changed. */
static int consult(struct session *s, bool same, struct document **ret_before, struct err *err)
{
	struct sessions *sessions = s->sessions;
	_cleanup_free_ char *text = NULL, *answer = NULL;
	size_t len = 0, answer_len = 0;
	int r;

	if (same && master_beat(sessions->master, s->machine, &s->contact)) {
		if (!s->poked)
			return 0;
		r = master_wants(sessions->master, s->machine, &answer, &answer_len, err);
	} else {
		text = document_text(s->report, &len);
		if (!text)
			return err_set(err, ENOMEM, "read a report");
		r = master_sync(sessions->master, text, len, &s->contact, &answer, &answer_len,
				err);
		/* It was not heard: the next one has to say it again. */
		if (r < 0)
			s->report = document_free(s->report);
	}
	s->poked = false;
	return r < 0 ? r : refresh(s, answer, answer_len, ret_before, err);
}

static void sync_report(struct session *s, const struct message *m)
{
	_cleanup_document_ struct document *before = NULL;
	bool same = false, has;
	struct err err = { 0 };
	int r = take_report(s, m, &same, &err);

	if (r > 0) {
		answer_word(m->request, "whole");
		return;
	}
	if (r == 0)
		r = consult(s, same, &before, &err);
	if (r < 0) {
		api_answer_error(m->request, &err);
		return;
	}
	has = m->have && s->wants && strcmp(m->have, document_hash(s->wants)) == 0;
	if (!has)
		answer_wants(s, m->request,
			     before && m->have && strcmp(m->have, document_hash(before)) == 0
				     ? before
				     : NULL);
	else if (m->hold)
		hold(s, m->request);
	else
		answer_nothing_new(m->request, s->sessions->hold_ns / NS_PER_MS);
}

static void answer_session(struct session *s, struct http_request *request)
{
	struct strbuf sb = { 0 };
	struct err err = { 0 };

	if (begin_anew(s, &err) < 0) {
		api_answer_error(request, &err);
		return;
	}
	strbuf_addf(&sb, "{\"session\":\"%s\"}", s->id);
	answer_text(request, 200, &sb);
}

static void take_message(struct sessions *sessions, const char *machine, struct message *m)
{
	struct session *s = session_find(sessions, machine);
	struct err err = { 0 };

	if (!s)
		s = session_new(sessions, machine);
	if (!s) {
		http_answer(m->request, 500, NULL, NULL, 0);
	} else if (!m->session || !*s->id) {
		answer_session(s, m->request);
	} else if (strcmp(m->session, s->id) != 0) {
		err_say(&err, ESTALE,
			"%s: this message is of a session that is over; another agent may be at "
			"work under this name",
			machine);
		api_answer_error(m->request, &err);
	} else if (m->number <= s->number) {
		err_say(&err, ESTALE,
			"%s: message %" PRIu64 " came before: it does not count again", machine,
			m->number);
		api_answer_error(m->request, &err);
	} else {
		s->number = m->number;
		if (s->held)
			answer_word(take_ptr(s->held), "superseded");
		sync_report(s, m);
	}
}

void sessions_serve(struct sessions *sessions, struct http_request *request, const char *machine)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	struct message m = { .request = request };
	struct err err = { 0 };
	size_t len;
	const char *text = http_body(request, &len);
	int r = arena ? json_parse(text, len, &doc, &err) : err_set(&err, ENOMEM, "read a message");

	if (r == 0) {
		m.root = json_root(doc);
		r = read_message(&m, arena, &err);
	}
	if (r < 0)
		api_answer_error(request, &err);
	else
		take_message(sessions, machine, &m);
}

/* ---- life ---- */

struct sessions *sessions_new(struct loop *loop, struct master *master, int64_t hold_ns)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions)
		*sessions = (struct sessions){ .loop = loop, .master = master, .hold_ns = hold_ns };
	return sessions;
}

void sessions_close(struct sessions *sessions)
{
	sessions->closed = true;
	sessions->timer = loop_remove(sessions->timer);
	for (struct session *s = sessions->first; s; s = s->next)
		if (s->held)
			answer_word(take_ptr(s->held), "superseded");
}

struct sessions *sessions_free(struct sessions *sessions)
{
	struct session *next;

	if (!sessions)
		return NULL;
	for (struct session *s = sessions->first; s; s = next) {
		next = s->next;
		document_free(s->report);
		document_free(s->wants);
		free(s);
	}
	free(sessions);
	return NULL;
}

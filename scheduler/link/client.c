/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http/async.h"
#include "base/log.h"
#include "base/loop.h"
#include "scheduler/link/address.h"
#include "scheduler/link/document.h"
#include "scheduler/link/pki.h"
#include "scheduler/link/resolve.h"

/* One that waits for news, and one with news. */
#define DEPTH 2
#define URL "https://" PKI_MASTER_HOST "/v1/agent/sync"
/* The master holds a message for a second: who does not answer in so many is not there. */
#define PATIENCE_S 4
#define RETRY_MS 100 /* and twice as long each time, up to */
#define RETRY_MAX_MS 1000

struct message {
	struct link_client *client;
	struct agent *agent;
	struct http_flight *flight; /* NULL: free */
	uint64_t number;
	unsigned generation; /* of the session */
	int64_t sent_ns;
};

struct link_client {
	struct loop *loop;
	struct http_async *async;
	struct agent_link link;
	struct http_trust trust;
	char *host_port, *address; /* as it was told; a number, or NULL until it is found */
	struct resolve *resolve;
	char *session;	       /* NULL: begin one */
	unsigned generation;   /* rises with each session */
	uint64_t number;       /* of the last message of it */
	uint64_t heeded;       /* the latest whose answer was heeded */
	struct document *sent; /* the last report; NULL: the next goes whole */
	struct document *wants;
	struct message messages[DEPTH];
	int trouble;	  /* an errno that the log has told of; 0: none */
	int64_t retry_ms; /* after which the last failure is followed by another try; 0: none */
};

/* ---- trouble ---- */

static void forget_session(struct link_client *client)
{
	free(client->session);
	client->session = NULL;
	client->sent = document_free(client->sent);
	client->wants = document_free(client->wants);
	client->number = client->heeded = 0;
	client->generation++;
	client->link.depth = 1;
}

static void fail(struct link_client *client, struct agent *agent, const struct err *err)
{
	if (client->trouble != err->code)
		log_warn("the master is not reached: %s; what runs goes on", err->text);
	client->trouble = err->code;
	forget_session(client);
	client->retry_ms = client->retry_ms ? client->retry_ms * 2 : RETRY_MS;
	if (client->retry_ms > RETRY_MAX_MS)
		client->retry_ms = RETRY_MAX_MS;
	agent_reply_to(agent, &(struct agent_answer){ .wait_ms = client->retry_ms });
}

static void on_found(void *data, const char *address, const struct err *err)
{
	struct link_client *client = data;

	client->resolve = NULL;
	if (!address) {
		log_debug("%s", err->text);
		return;
	}
	free(client->address);
	client->address = strdup(address);
}

static bool is_number(const char *host_port)
{
	struct in_addr address;
	char host[INET_ADDRSTRLEN] = "";
	size_t len = (size_t)(strrchr(host_port, ':') - host_port);

	if (*host_port == '[')
		return true;
	if (len < sizeof(host))
		memcpy(host, host_port, len);
	return inet_pton(AF_INET, host, &address) == 1;
}

/* A name may mean another address by now. */
static void look_up(struct link_client *client)
{
	if (!client->resolve && !is_number(client->host_port))
		resolve_start(client->loop, client->host_port, on_found, client, &client->resolve,
			      NULL);
}

/* ---- answers ---- */

/* The whole of the report is wanted, or a session begun: at once. */
static void say_again(struct link_client *client, struct agent *agent)
{
	client->sent = document_free(client->sent);
	agent_reply_to(agent, &(struct agent_answer){ 0 });
	agent_poke(agent);
}

static int take_wants(struct link_client *client, const struct json_node *root, struct err *err)
{
	struct document *wants = NULL;
	struct json_node diff;
	int r = json_get_object(root, "wants", &diff, err);

	if (r <= 0)
		return r;
	r = document_apply(client->wants, &diff, &wants, err);
	if (r > 0)
		return err_say(err, EBADMSG, "its answer does not fit what was said before");
	if (r < 0)
		return r;
	document_free(client->wants);
	client->wants = wants;
	return 0;
}

static int heed(struct message *m, const struct json_node *root, struct err *err)
{
	struct link_client *client = m->client;
	struct agent_answer answer = { .sent_ns = m->sent_ns };
	_cleanup_free_ char *text = NULL;

	err_try(json_get_i64(root, "wait_ms", &answer.wait_ms, err));
	err_try(take_wants(client, root, err));
	text = client->wants ? document_text(client->wants, &answer.len) : NULL;
	if (!text)
		return err_say(err, EBADMSG, "it has said nothing yet");
	answer.text = text;
	client->heeded = m->number;
	if (client->trouble)
		log_info("the master is reached again");
	client->trouble = 0;
	client->retry_ms = 0;
	agent_reply_to(m->agent, &answer);
	return 0;
}

static int take_answer(struct message *m, const struct http_answer *answer, struct err *err)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_json_ struct json_doc *doc = NULL;
	const char *session = NULL, *sentence = "status";
	bool whole = false, superseded = false;
	struct json_node root;

	if (!arena)
		return err_set(err, ENOMEM, "read the master's answer");
	err_try(json_parse(answer->body, answer->len, &doc, err));
	root = json_root(doc);
	err_try(json_object(&root, err));
	if (answer->status != 200) {
		err_try(json_get_string(&root, "error", arena, &sentence, err));
		return err_say(err, EPROTO, "%s (%ld)", sentence, answer->status);
	}
	err_try(json_get_string(&root, "session", arena, &session, err));
	err_try(json_get_bool(&root, "whole", &whole, err));
	err_try(json_get_bool(&root, "superseded", &superseded, err));
	if (session) {
		forget_session(m->client);
		m->client->session = strdup(session);
		m->client->link.depth = DEPTH;
	}
	if (session || whole)
		say_again(m->client, m->agent);
	else if (superseded || m->number < m->client->heeded)
		agent_reply_to(m->agent, &(struct agent_answer){ 0 });
	else
		return heed(m, &root, err);
	return 0;
}

static void on_answer(void *data, const struct http_answer *answer, const struct err *why)
{
	struct message *m = data;
	struct err err = *why;
	int r;

	m->flight = NULL;
	/* Of a session that is over by now. */
	if (m->generation != m->client->generation) {
		agent_reply_to(m->agent, &(struct agent_answer){ 0 });
		return;
	}
	r = answer ? take_answer(m, answer, &err) : -err.code;
	if (r == -ECONNREFUSED || r == -ETIMEDOUT)
		look_up(m->client);
	if (r < 0)
		fail(m->client, m->agent, &err);
}

/* ---- messages ---- */

static char *write_body(struct link_client *client, const struct document *report)
{
	struct strbuf sb = { 0 };

	strbuf_adds(&sb, "{");
	if (client->session)
		strbuf_addf(&sb, "\"session\":\"%s\",\"number\":%" PRIu64 ",", client->session,
			    ++client->number);
	if (client->wants)
		strbuf_addf(&sb, "\"have\":\"%s\",", document_hash(client->wants));
	strbuf_adds(&sb, "\"hold\":true,\"report\":");
	document_add_diff(&sb, client->session ? client->sent : NULL, report);
	strbuf_adds(&sb, "}");
	return strbuf_take(&sb);
}

static int start(struct link_client *client, struct message *m, const char *text, size_t len,
		 struct err *err)
{
	struct http_call call = { .address = client->address,
				  .trust = &client->trust,
				  .method = "POST",
				  .url = URL,
				  .timeout_s = PATIENCE_S };
	struct document *report = NULL;
	_cleanup_free_ char *body = NULL;

	if (!client->address) {
		look_up(client);
		return err_say(err, EHOSTUNREACH, "%s: its address is not known yet",
			       client->host_port);
	}
	err_try(document_parse(text, len, &report, err));
	body = write_body(client, report);
	document_free(client->sent);
	client->sent = report;
	if (!body)
		return err_set(err, ENOMEM, "write to the master");
	call.body = body;
	call.body_len = strlen(body);
	m->number = client->number;
	m->generation = client->generation;
	return http_async_start(client->async, &call, on_answer, m, &m->flight, err);
}

static void send_report(void *data, const char *text, size_t len, struct agent *agent)
{
	struct link_client *client = data;
	struct message *m = client->messages[0].flight ? &client->messages[1] : client->messages;
	struct err err = { 0 };

	*m = (struct message){ .client = client, .agent = agent, .sent_ns = agent_sent_ns(agent) };
	if (start(client, m, text, len, &err) < 0)
		fail(client, agent, &err);
}

/* ---- life ---- */

int link_client_new(struct loop *loop, const struct link_client_options *options,
		    struct link_client **ret, struct err *err)
{
	_cleanup_link_client_ struct link_client *client = calloc(1, sizeof(*client));

	if (!client)
		return err_set(err, ENOMEM, "reach the master");
	client->loop = loop;
	client->trust = options->trust;
	client->link = (struct agent_link){ .data = client, .send = send_report, .depth = DEPTH };
	err_try(link_address(options->master, &client->host_port, err));
	err_try(http_async_new(loop, &client->async, err));
	if (is_number(client->host_port))
		client->address = strdup(client->host_port);
	look_up(client);
	*ret = take_ptr(client);
	return 0;
}

struct link_client *link_client_free(struct link_client *client)
{
	if (!client)
		return NULL;
	for (size_t i = 0; i < DEPTH; i++)
		http_flight_cancel(client->messages[i].flight);
	http_async_free(client->async);
	resolve_cancel(client->resolve);
	forget_session(client);
	free(client->host_port);
	free(client->address);
	free(client);
	return NULL;
}

const struct agent_link *link_client_link(const struct link_client *client)
{
	return &client->link;
}

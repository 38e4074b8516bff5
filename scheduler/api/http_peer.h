/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection's client has shown: looked at once, remembered for as long as it stands. */
#pragma once

#include <gnutls/gnutls.h>

#include "scheduler/api/http.h"

struct http_peer_state;

struct http_peer_state *http_peer_state_new(void); /* NULL when out of memory */
struct http_peer_state *http_peer_state_free(struct http_peer_state *state);

/* As http_certificate(). */
int http_peer_certificate(struct http_peer_state *state, gnutls_session_t session,
			  struct http_certificate *ret, struct err *err);

/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/api/http_peer.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <stdlib.h>

struct http_peer_state {
	bool looked;
	int result;
	struct err err;
	struct http_certificate certificate;
};

struct http_peer_state *http_peer_state_new(void)
{
	return calloc(1, sizeof(struct http_peer_state));
}

struct http_peer_state *http_peer_state_free(struct http_peer_state *state)
{
	free(state);
	return NULL;
}

static int take_names(gnutls_x509_crt_t crt, struct http_certificate *ret, struct err *err)
{
	size_t role = sizeof(ret->role), name = sizeof(ret->name);

	if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, 0, 0,
					  ret->role, &role) < 0 ||
	    gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, ret->name,
					  &name) < 0)
		return err_say(err, EACCES, "the certificate names no role and nobody");
	return 0;
}

static int read_names(const gnutls_datum_t *der, struct http_certificate *ret, struct err *err)
{
	gnutls_x509_crt_t crt;
	int r;

	if (gnutls_x509_crt_init(&crt) < 0)
		return err_set(err, ENOMEM, "read a certificate");
	if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) < 0)
		r = err_say(err, EACCES, "the certificate cannot be read");
	else
		r = take_names(crt, ret, err);
	ret->since_s = (int64_t)gnutls_x509_crt_get_activation_time(crt);
	gnutls_x509_crt_deinit(crt);
	return r;
}

static int look(gnutls_session_t session, struct http_certificate *ret, struct err *err)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT
	};
	const gnutls_datum_t *chain;
	unsigned count = 0, status = 0;

	chain = gnutls_certificate_get_peers(session, &count);
	if (!chain || !count)
		return err_say(err, ENOTCONN,
			       "this asks for a certificate of this cell: `celld join` gets one");
	if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0)
		return err_say(err, EACCES, "the certificate cannot be checked");
	if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		return err_say(err, EACCES,
			       "the certificate's time is over: `celld join` gets another");
	if (status)
		return err_say(err, EACCES,
			       "the certificate is none of this cell's: `celld join` gets one");
	return read_names(chain, ret, err);
}

int http_peer_certificate(struct http_peer_state *state, gnutls_session_t session,
			  struct http_certificate *ret, struct err *err)
{
	if (!state->looked) {
		state->result = look(session, &state->certificate, &state->err);
		state->looked = true;
	}
	if (state->result < 0) {
		if (err)
			*err = state->err;
		return state->result;
	}
	*ret = state->certificate;
	return 0;
}

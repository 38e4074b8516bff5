/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and certificates of a cell (ECDSA, P-256), in PEM. The master has a CA of its own, which
 * signs everybody: role and name, as organizational unit and common name. The master itself is
 * PKI_MASTER_HOST to whoever asks, on whatever address it listens.
 *
 * Texts are owned by the caller.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/err.h"

#define PKI_MASTER_HOST "master.cellar"
#define PKI_ROLE_MASTER "master"
#define PKI_ROLE_AGENT "agent"
#define PKI_ROLE_PERSON "person"
#define PKI_ROLE_OPERATOR "operator" /* a person who may do everything */

/* Certificates hold from so long before they are made, for clocks that differ. */
#define PKI_EARLIER_S INT64_C(86400)

struct pki_pair {
	char *key, *certificate;
};

int pki_make_ca(struct pki_pair *ret, struct err *err);
int pki_make_master(const struct pki_pair *ca, struct pki_pair *ret, struct err *err);

/* A key and what a CA needs to sign it (PKCS #10). */
int pki_make_request(char **ret_key, char **ret_request, struct err *err);
/* Of the request only its key counts. -EINVAL: it is none, or not signed by that key. */
int pki_sign(const struct pki_pair *ca, const char *request, const char *role, const char *name,
	     char **ret_certificate, struct err *err);

/* Whose it is; no signature is looked at. -EINVAL where they do not fit. */
int pki_read_names(const char *certificate, char *ret_role, size_t role_size, char *ret_name,
		   size_t name_size, struct err *err);

/* SHA-256 of a certificate. */
int pki_fingerprint(const char *certificate, char ret[static DIGEST_HEX_SIZE], struct err *err);

static inline void pki_pair_deinit(struct pki_pair *pair)
{
	free(pair->key);
	free(pair->certificate);
}

#define _cleanup_pki_pair_ _cleanup_(pki_pair_deinit)

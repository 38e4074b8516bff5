/* SPDX-License-Identifier: Apache-2.0 */
#include "scheduler/link/pki.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define SERIAL_BYTES 16
#define SECONDS_PER_DAY (24 * 60 * 60)
#define YEARS 10
/* Clocks of a cell may differ by so much. */

CLEANUP_DEFINE(struct gnutls_x509_privkey_int, privkey, gnutls_x509_privkey_deinit);
CLEANUP_DEFINE(struct gnutls_x509_crt_int, crt, gnutls_x509_crt_deinit);
CLEANUP_DEFINE(struct gnutls_x509_crq_int, crq, gnutls_x509_crq_deinit);
CLEANUP_DEFINE(struct gnutls_pubkey_st, pubkey, gnutls_pubkey_deinit);
#define _cleanup_pubkey_ _cleanup_(cleanup_pubkey)
#define _cleanup_privkey_ _cleanup_(cleanup_privkey)
#define _cleanup_crt_ _cleanup_(cleanup_crt)
#define _cleanup_crq_ _cleanup_(cleanup_crq)

static int fail(int code, const char *what, struct err *err)
{
	return err_say(err, code == GNUTLS_E_MEMORY_ERROR ? ENOMEM : EINVAL, "%s: %s", what,
		       gnutls_strerror(code));
}

#define try_tls(expr, what)                            \
	do {                                           \
		int code_ = (expr);                    \
		if (code_ < 0)                         \
			return fail(code_, what, err); \
	} while (0)

static char *text_of(gnutls_datum_t *pem)
{
	char *text = pem->data ? strndup((const char *)pem->data, pem->size) : NULL;

	gnutls_free(pem->data);
	return text;
}

static gnutls_datum_t datum(const char *text)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)text, (unsigned)strlen(text) };
}

/* ---- keys ---- */

static int make_key(gnutls_x509_privkey_t *ret, struct err *err)
{
	_cleanup_privkey_ gnutls_x509_privkey_t key = NULL;

	try_tls(gnutls_x509_privkey_init(&key), "make a key");
	try_tls(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		"make a key");
	*ret = take_ptr(key);
	return 0;
}

static int write_key(gnutls_x509_privkey_t key, char **ret, struct err *err)
{
	gnutls_datum_t pem = { 0 };

	try_tls(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
						  &pem),
		"write a key");
	*ret = text_of(&pem);
	return *ret ? 0 : err_set(err, ENOMEM, "write a key");
}

static int read_key(const char *text, gnutls_x509_privkey_t *ret, struct err *err)
{
	_cleanup_privkey_ gnutls_x509_privkey_t key = NULL;
	gnutls_datum_t pem = datum(text);

	try_tls(gnutls_x509_privkey_init(&key), "read a key");
	try_tls(gnutls_x509_privkey_import(key, &pem, GNUTLS_X509_FMT_PEM), "read a key");
	*ret = take_ptr(key);
	return 0;
}

static int read_certificate(const char *text, gnutls_x509_crt_t *ret, struct err *err)
{
	_cleanup_crt_ gnutls_x509_crt_t crt = NULL;
	gnutls_datum_t pem = datum(text);

	try_tls(gnutls_x509_crt_init(&crt), "read a certificate");
	try_tls(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), "read a certificate");
	*ret = take_ptr(crt);
	return 0;
}

/* ---- certificates ---- */

static int set_name(gnutls_x509_crt_t crt, const char *oid, const char *text, struct err *err)
{
	try_tls(gnutls_x509_crt_set_dn_by_oid(crt, oid, 0, text, (unsigned)strlen(text)),
		"name a certificate");
	return 0;
}

/* Of the key that is in it already. */
static int set_key_id(gnutls_x509_crt_t crt, struct err *err)
{
	unsigned char id[64];
	size_t size = sizeof(id);

	try_tls(gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, id, &size),
		"make a certificate");
	try_tls(gnutls_x509_crt_set_subject_key_id(crt, id, size), "make a certificate");
	return 0;
}

static int begin(const char *role, const char *name, gnutls_x509_crt_t *ret, struct err *err)
{
	_cleanup_crt_ gnutls_x509_crt_t crt = NULL;
	unsigned char serial[SERIAL_BYTES];
	time_t now = time(NULL);

	try_tls(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)), "make a certificate");
	serial[0] &= 0x7f; /* a positive number */
	serial[0] |= 0x40; /* of a length that is always the same */
	try_tls(gnutls_x509_crt_init(&crt), "make a certificate");
	try_tls(gnutls_x509_crt_set_version(crt, 3), "make a certificate");
	try_tls(gnutls_x509_crt_set_serial(crt, serial, sizeof(serial)), "make a certificate");
	try_tls(gnutls_x509_crt_set_activation_time(crt, now - PKI_EARLIER_S),
		"make a certificate");
	try_tls(gnutls_x509_crt_set_expiration_time(crt,
						    now + YEARS * INT64_C(365) * SECONDS_PER_DAY),
		"make a certificate");
	err_try(set_name(crt, GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, role, err));
	err_try(set_name(crt, GNUTLS_OID_X520_COMMON_NAME, name, err));
	*ret = take_ptr(crt);
	return 0;
}

/* Signs what has its key, and writes it. */
static int end(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, gnutls_x509_privkey_t issuer_key,
	       char **ret, struct err *err)
{
	gnutls_datum_t pem = { 0 };

	err_try(set_key_id(crt, err));
	try_tls(gnutls_x509_crt_sign2(crt, issuer, issuer_key, GNUTLS_DIG_SHA256, 0),
		"sign a certificate");
	try_tls(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), "write a certificate");
	*ret = text_of(&pem);
	return *ret ? 0 : err_set(err, ENOMEM, "write a certificate");
}

int pki_make_ca(struct pki_pair *ret, struct err *err)
{
	_cleanup_privkey_ gnutls_x509_privkey_t key = NULL;
	_cleanup_crt_ gnutls_x509_crt_t crt = NULL;
	_cleanup_pki_pair_ struct pki_pair pair = { 0 };

	err_try(make_key(&key, err));
	err_try(begin("ca", "Cellar cell", &crt, err));
	try_tls(gnutls_x509_crt_set_key(crt, key), "make a CA");
	try_tls(gnutls_x509_crt_set_basic_constraints(crt, 1, 0), "make a CA");
	try_tls(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN),
		"make a CA");
	err_try(end(crt, crt, key, &pair.certificate, err));
	err_try(write_key(key, &pair.key, err));
	*ret = pair;
	pair = (struct pki_pair){ 0 };
	return 0;
}

static int issue(const struct pki_pair *ca, gnutls_x509_crt_t crt, const char *purpose, char **ret,
		 struct err *err)
{
	_cleanup_privkey_ gnutls_x509_privkey_t ca_key = NULL;
	_cleanup_crt_ gnutls_x509_crt_t ca_crt = NULL;

	err_try(read_key(ca->key, &ca_key, err));
	err_try(read_certificate(ca->certificate, &ca_crt, err));
	try_tls(gnutls_x509_crt_set_basic_constraints(crt, 0, -1), "make a certificate");
	try_tls(gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE),
		"make a certificate");
	try_tls(gnutls_x509_crt_set_key_purpose_oid(crt, purpose, 0), "make a certificate");
	return end(crt, ca_crt, ca_key, ret, err);
}

int pki_make_master(const struct pki_pair *ca, struct pki_pair *ret, struct err *err)
{
	_cleanup_privkey_ gnutls_x509_privkey_t key = NULL;
	_cleanup_crt_ gnutls_x509_crt_t crt = NULL;
	_cleanup_pki_pair_ struct pki_pair pair = { 0 };

	err_try(make_key(&key, err));
	err_try(begin(PKI_ROLE_MASTER, PKI_MASTER_HOST, &crt, err));
	try_tls(gnutls_x509_crt_set_key(crt, key), "make a certificate");
	try_tls(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, PKI_MASTER_HOST,
						     sizeof(PKI_MASTER_HOST) - 1, GNUTLS_FSAN_SET),
		"make a certificate");
	err_try(issue(ca, crt, GNUTLS_KP_TLS_WWW_SERVER, &pair.certificate, err));
	err_try(write_key(key, &pair.key, err));
	*ret = pair;
	pair = (struct pki_pair){ 0 };
	return 0;
}

/* ---- somebody else's key ---- */

int pki_make_request(char **ret_key, char **ret_request, struct err *err)
{
	_cleanup_privkey_ gnutls_x509_privkey_t key = NULL;
	_cleanup_crq_ gnutls_x509_crq_t crq = NULL;
	_cleanup_free_ char *key_text = NULL;
	gnutls_datum_t pem = { 0 };

	err_try(make_key(&key, err));
	err_try(write_key(key, &key_text, err));
	try_tls(gnutls_x509_crq_init(&crq), "make a request");
	try_tls(gnutls_x509_crq_set_version(crq, 1), "make a request");
	try_tls(gnutls_x509_crq_set_key(crq, key), "make a request");
	try_tls(gnutls_x509_crq_sign2(crq, key, GNUTLS_DIG_SHA256, 0), "make a request");
	try_tls(gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_PEM, &pem), "make a request");
	*ret_request = text_of(&pem);
	if (!*ret_request)
		return err_set(err, ENOMEM, "make a request");
	*ret_key = take_ptr(key_text);
	return 0;
}

int pki_sign(const struct pki_pair *ca, const char *request, const char *role, const char *name,
	     char **ret_certificate, struct err *err)
{
	_cleanup_crt_ gnutls_x509_crt_t crt = NULL;
	_cleanup_crq_ gnutls_x509_crq_t crq = NULL;
	_cleanup_pubkey_ gnutls_pubkey_t key = NULL;
	gnutls_datum_t pem = datum(request);

	try_tls(gnutls_x509_crq_init(&crq), "read a request for a certificate");
	try_tls(gnutls_x509_crq_import(crq, &pem, GNUTLS_X509_FMT_PEM),
		"read a request for a certificate");
	try_tls(gnutls_x509_crq_verify(crq, 0), "check a request for a certificate");
	err_try(begin(role, name, &crt, err));
	try_tls(gnutls_pubkey_init(&key), "sign a certificate");
	try_tls(gnutls_pubkey_import_x509_crq(key, crq, 0), "sign a certificate");
	try_tls(gnutls_x509_crt_set_pubkey(crt, key), "sign a certificate");
	return issue(ca, crt, GNUTLS_KP_TLS_WWW_CLIENT, ret_certificate, err);
}

int pki_read_names(const char *certificate, char *ret_role, size_t role_size, char *ret_name,
		   size_t name_size, struct err *err)
{
	_cleanup_crt_ gnutls_x509_crt_t crt = NULL;

	err_try(read_certificate(certificate, &crt, err));
	try_tls(gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATIONAL_UNIT_NAME, 0, 0,
					      ret_role, &role_size),
		"read a certificate");
	try_tls(gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, ret_name,
					      &name_size),
		"read a certificate");
	return 0;
}

int pki_fingerprint(const char *certificate, char ret[static DIGEST_HEX_SIZE], struct err *err)
{
	_cleanup_crt_ gnutls_x509_crt_t crt = NULL;
	gnutls_datum_t der = { 0 };

	err_try(read_certificate(certificate, &crt, err));
	try_tls(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &der), "read a certificate");
	digest_of(der.data, der.size, ret);
	gnutls_free(der.data);
	return 0;
}

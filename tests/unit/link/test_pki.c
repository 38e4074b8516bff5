/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <gnutls/x509.h>

#include "base/fd.h"
#include "scheduler/link/address.h"
#include "scheduler/link/keys.h"
#include "scheduler/link/token.h"

static gnutls_x509_crt_t import(const char *text)
{
	gnutls_datum_t pem = { (unsigned char *)(uintptr_t)text, (unsigned)strlen(text) };
	gnutls_x509_crt_t crt;

	gnutls_x509_crt_init(&crt);
	assert_int_equal(gnutls_x509_crt_import(crt, &pem, GNUTLS_X509_FMT_PEM), 0);
	return crt;
}

/* What GnuTLS finds wrong with it, under that CA. */
static unsigned check(const char *certificate, const char *ca)
{
	gnutls_x509_crt_t crt = import(certificate), issuer = import(ca);
	unsigned status = 0;

	assert_true(gnutls_x509_crt_verify(crt, &issuer, 1, 0, &status) >= 0);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_crt_deinit(issuer);
	return status;
}

static void a_ca_signs_a_request_for_whom_it_wants(void **state)
{
	_cleanup_pki_pair_ struct pki_pair ca = { 0 }, other = { 0 };
	_cleanup_free_ char *key = NULL, *request = NULL, *certificate = NULL;
	char role[16], name[64];
	struct err err = { 0 };

	(void)state;
	assert_int_equal(pki_make_ca(&ca, &err), 0);
	assert_int_equal(pki_make_ca(&other, &err), 0);
	assert_int_equal(pki_make_request(&key, &request, &err), 0);
	assert_int_equal(pki_sign(&ca, request, PKI_ROLE_AGENT, "web-1", &certificate, &err), 0);
	assert_int_equal(pki_read_names(certificate, role, sizeof(role), name, sizeof(name), &err),
			 0);
	assert_string_equal(role, "agent");
	assert_string_equal(name, "web-1");
	assert_int_equal(check(certificate, ca.certificate), 0);
	assert_int_not_equal(check(certificate, other.certificate), 0);
}

static void a_master_has_its_name(void **state)
{
	_cleanup_pki_pair_ struct pki_pair ca = { 0 }, master = { 0 };
	gnutls_x509_crt_t crt;

	(void)state;
	assert_int_equal(pki_make_ca(&ca, NULL), 0);
	assert_int_equal(pki_make_master(&ca, &master, NULL), 0);
	assert_int_equal(check(master.certificate, ca.certificate), 0);
	crt = import(master.certificate);
	assert_true(gnutls_x509_crt_check_hostname(crt, PKI_MASTER_HOST));
	assert_false(gnutls_x509_crt_check_hostname(crt, "web-1"));
	gnutls_x509_crt_deinit(crt);
}

static void what_is_no_request_is_refused(void **state)
{
	_cleanup_pki_pair_ struct pki_pair ca = { 0 };
	char *certificate = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(pki_make_ca(&ca, &err), 0);
	assert_int_equal(pki_sign(&ca, "nonsense", PKI_ROLE_AGENT, "x", &certificate, &err),
			 -EINVAL);
	assert_int_equal(pki_sign(&ca, ca.certificate, PKI_ROLE_AGENT, "x", &certificate, &err),
			 -EINVAL);
	assert_null(certificate);
}

static void keys_are_kept_from_others(void **state)
{
	char folder[] = "/tmp/cellar-pki-XXXXXX", path[96], path_of_keys[64];
	_cleanup_pki_pair_ struct pki_pair ca = { 0 }, master = { 0 }, again = { 0 }, same = { 0 };
	_cleanup_keys_ struct keys keys = { 0 };
	struct err err = { 0 };
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path_of_keys, sizeof(path_of_keys), "%s/pki", folder);
	assert_int_equal(keys_of_master(path_of_keys, &ca, &master, &err), 0);
	assert_int_equal(keys_of_master(path_of_keys, &again, &same, &err), 0);
	assert_string_equal(ca.key, again.key);
	assert_string_equal(master.certificate, same.certificate);
	snprintf(path, sizeof(path), "%s/ca.key", path_of_keys);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(path_of_keys, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(keys_load(path_of_keys, PKI_ROLE_AGENT, &keys, &err), -ENOENT);
	assert_int_equal(keys_save(path_of_keys, PKI_ROLE_OPERATOR, "https://m", ca.certificate,
				   &master, &err),
			 0);
	assert_int_equal(keys_load(path_of_keys, PKI_ROLE_PERSON, &keys, &err), 0);
	assert_string_equal(keys.name, PKI_MASTER_HOST);
	assert_string_equal(keys.master, "https://m");
	assert_int_equal(tree_remove(AT_FDCWD, folder, &err), 0);
}

static void a_token_is_cut_in_two_or_refused(void **state)
{
	char token[TOKEN_SIZE], fingerprint[DIGEST_HEX_SIZE], secret[TOKEN_SECRET_SIZE];
	static const char *const bad[] = { "", "cellar-", "cellar-12-34", "no" };

	(void)state;
	snprintf(token, sizeof(token), "cellar-%064d-%032d", 1, 2);
	assert_int_equal(token_split(token, fingerprint, secret, NULL), 0);
	assert_int_equal(strlen(fingerprint), 64);
	assert_int_equal(strlen(secret), 32);
	assert_int_equal(secret[31], '2');
	token[10] = 'g';
	assert_int_equal(token_split(token, fingerprint, secret, NULL), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(token_split(bad[i], fingerprint, secret, NULL), -EINVAL);
}

static void addresses_of_masters(void **state)
{
	static const struct {
		const char *url, *address;
	} rows[] = {
		{ "https://10.0.0.1:7643", "10.0.0.1:7643" },
		{ "https://master.example", "master.example:7643" },
		{ "https://master.example/", "master.example:7643" },
		{ "https://[fd00::1]:99", "[fd00::1]:99" },
		{ "https://[fd00::1]", "[fd00::1]:7643" },
		{ "http://10.0.0.1", NULL },
		{ "https://", NULL },
		{ "https://:7643", NULL },
		{ "https://host:", NULL },
		{ "https://host:port", NULL },
		{ "https://host/path", NULL },
		{ "10.0.0.1:7643", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *address = NULL;

		assert_int_equal(link_address(rows[i].url, &address, NULL),
				 rows[i].address ? 0 : -EINVAL);
		if (rows[i].address)
			assert_string_equal(address, rows[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ca_signs_a_request_for_whom_it_wants),
		cmocka_unit_test(a_master_has_its_name),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(keys_are_kept_from_others),
		cmocka_unit_test(a_token_is_cut_in_two_or_refused),
		cmocka_unit_test(addresses_of_masters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

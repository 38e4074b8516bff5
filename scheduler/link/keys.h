/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and certificates on the disk, in a folder that is its owner's alone:
 *
 *	ca.key ca.crt master.key master.crt	of the master
 *	agent.key agent.crt agent-ca.crt	of a machine that has joined, and in agent-master
 *where person.*				the same of a person
 */
#pragma once

#include "base/http/client.h"
#include "scheduler/link/pki.h"

#define KEYS_FOLDER "pki" /* below the root */
#define KEYS_EPOCH "agent-epoch"

/* The master's, made where there are none. */
int keys_of_master(const char *folder, struct pki_pair *ret_ca, struct pki_pair *ret_master,
		   struct err *err);

/* Who has joined. role: PKI_ROLE_*; an operator is a person. */
struct keys {
	char *ca, *certificate, *key; /* paths */
	char *master;		      /* URL */
	char role[16], name[128];
};

int keys_save(const char *folder, const char *role, const char *master, const char *ca,
	      const struct pki_pair *pair, struct err *err);
/* -ENOENT: nobody has joined there. */
int keys_load(const char *folder, const char *role, struct keys *ret, struct err *err);
void keys_deinit(struct keys *keys);

/* What http_call() is to show; valid as long as the keys. */
static inline struct http_trust keys_trust(const struct keys *keys)
{
	return (struct http_trust){ keys->ca, keys->certificate, keys->key };
}

#define _cleanup_keys_ _cleanup_(keys_deinit)

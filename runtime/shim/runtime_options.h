/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that containerd hands a shim on, of either type that it has:
 *
 *	containerd.runc.v1.Options	what it knows of runc
 *	runtimeoptions.v1.Options	what CRI, dockerd and `ctr run --runtime-config-path` have
 *for a runtime that they do not know: its section of their own configuration as TOML (config_body,
 *from containerd 1.7 on), or a file of that (config_path), which comes first
 *
 * The keys in the TOML are those that containerd's configuration has for runc (SystemdCgroup, Root,
 * ...), so that a section can be copied. A key that is not known is refused: one that is misspelt
 * would else do nothing.
 */
#pragma once

#include "base/err.h"
#include "runtime/shim/common.pb-c.h"
#include "runtime/shim/options.pb-c.h"

/* Owned by the caller (proto_free). any of another type, or NULL: *ret is NULL, and 0. */
int runtime_options_read(const Pb__Any *any, Options__Runc **ret, struct err *err);

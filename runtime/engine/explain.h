/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime knows fields of config.json; a person wrote options. */
#pragma once

#include "base/err.h"

/* Names the option in a sentence that names the field it became. */
void explain_options(struct err *err);

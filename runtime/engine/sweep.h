/* SPDX-License-Identifier: Apache-2.0 */
/* What commands that were killed left half made or half removed: ended by the next command. */
#pragma once

/* Finishes every removal, and undoes every creation, that nobody is at any more. Failures are
 * logged at debug: it is another's rubbish. */
void engine_sweep(const char *root, const char *runroot);

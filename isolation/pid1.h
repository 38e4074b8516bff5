/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cellar-pid1, the small first process of `ctr run --init`, as a file's content: it is written into
 * the container's folder and bind-mounted, so that nothing in a container ever runs, or could
 * change, a program of the host.
 */
#pragma once

extern const char cellar_pid1_start[], cellar_pid1_end[];

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that an idle shim gives back: the pages of its program that it needed for its start, or
 * for an exec, and the free end of its heap and stack. The program's pages come back from the file
 * when they are needed again. Of one shim among many they are shared anyway; of a single one they
 * are what it costs.
 */
#pragma once

void trim_memory(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* Text of strangers on a terminal: an image or a program must not steer it. */
#pragma once

/*
 * Replaces control characters in place: line ends and tabs by a space, the rest by '?'. Of UTF-8,
 * U+0080 to U+009F are such too, as terminals take them for ESC sequences.
 */
static inline void tame(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++) {
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
		else if (*p < ' ' || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			p[0] = p[1] = '?';
	}
}

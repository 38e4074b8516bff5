/* SPDX-License-Identifier: Apache-2.0 */
/* docs/openapi.yaml, between two symbols. */
	.section .rodata
	.balign 16
	.globl openapi_start
	.globl openapi_end
	.hidden openapi_start
	.hidden openapi_end
openapi_start:
	.incbin OPENAPI_FILE
openapi_end:
	.section .note.GNU-stack,"",%progbits

/* SPDX-License-Identifier: Apache-2.0 */
/* cellar-init, whole, in the programs that start it. CELLAR_INIT_FILE comes from CMake. */
	.section .rodata
	.balign 64
	.global cellar_init_start, cellar_init_end
	.type cellar_init_start, %object
	.type cellar_init_end, %object
cellar_init_start:
	.incbin CELLAR_INIT_FILE
cellar_init_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits

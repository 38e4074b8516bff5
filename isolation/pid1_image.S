/* SPDX-License-Identifier: Apache-2.0 */
/* cellar-pid1, whole. CELLAR_PID1_FILE comes from CMake. */
	.section .rodata
	.balign 64
	.global cellar_pid1_start, cellar_pid1_end
	.type cellar_pid1_start, %object
	.type cellar_pid1_end, %object
cellar_pid1_start:
	.incbin CELLAR_PID1_FILE
cellar_pid1_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits

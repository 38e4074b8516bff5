/* SPDX-License-Identifier: Apache-2.0 */
/* The default AppArmor profile, compiled; empty where the build had no compiler for it. */
	.section .rodata
	.balign 64
	.global apparmor_profile_start, apparmor_profile_end
	.type apparmor_profile_start, %object
	.type apparmor_profile_end, %object
apparmor_profile_start:
	.incbin APPARMOR_FILE
apparmor_profile_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits

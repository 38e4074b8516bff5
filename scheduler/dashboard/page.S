/* SPDX-License-Identifier: Apache-2.0 */
/* The page's files, whole, in celld. PAGE_FOLDER comes from CMake. */
	.section .rodata
	.macro page name, file
	.global page_\name\()_start, page_\name\()_end
	.type page_\name\()_start, %object
	.type page_\name\()_end, %object
page_\name\()_start:
	.incbin "\file"
page_\name\()_end:
	.byte 0
	.endm
	page index, "index.html"
	page app, "app.js"
	page style, "style.css"
	.section .note.GNU-stack, "", %progbits

/* SPDX-License-Identifier: MIT */
/* Started at EL2, where this image stays, its own MMU off: nothing of it needs a page table. */
	.section .text.first, "ax"
	.global first
first:
	mrs	x0, CurrentEL
	cmp	x0, #(2 << 2)
	b.ne	wrong
	adrp	x0, vectors
	add	x0, x0, :lo12:vectors
	msr	vbar_el2, x0
	adrp	x0, stack_top
	add	x0, x0, :lo12:stack_top
	mov	sp, x0
	b	guest_main
wrong:
	mov	x0, #0
	b	machine_exit

	/* No exception is expected. */
	.balign	2048
vectors:
	.rept	16
	.balign	128
	b	wrong
	.endr

/* SPDX-License-Identifier: MIT */
/*
 * Started in M-mode, which no table concerns. Accesses are made with MPRV set: as from U-mode,
 * through satp. A trap goes to the end of the access that caused it.
 */
	.section .text.first, "ax"
	.global first
first:
	csrr	t0, mhartid
	bnez	t0, park
	la	sp, stack_top
	/* U-mode may use all of memory. */
	li	t0, -1
	csrw	pmpaddr0, t0
	li	t0, 0x1f
	csrw	pmpcfg0, t0
	call	guest_main
park:
	wfi
	j	park

	.text
#define MPP	(3 << 11)
#define MPRV	(1 << 17)

	/* mcause, or -1: none. */
	.macro access name, instruction
	.global \name
\name:
	la	t0, 1f
	csrw	mtvec, t0
	li	t1, MPP
	csrc	mstatus, t1
	li	t1, MPRV
	csrs	mstatus, t1
	\instruction
	csrc	mstatus, t1
	li	a0, -1
	ret
	.balign	4
1:	li	t1, MPRV
	csrc	mstatus, t1
	csrr	a0, mcause
	ret
	.endm

	access	load_from, "ld a1, 0(a0)"	/* the value is in a1 */
	access	store_to, "sd a1, 0(a0)"

	/* To U-mode, and back by a trap. */
	.global	jump_to
jump_to:
	la	t0, 1f
	csrw	mtvec, t0
	li	t1, MPP
	csrc	mstatus, t1
	csrw	mepc, a0
	mret
	.balign	4
1:	csrr	a0, mcause
	ret

/* SPDX-License-Identifier: MIT */
/*
 * Started by multiboot, in 32 bits without paging. Goes to 64 bits with tables of its own, of five
 * levels if the parcel's are, that map the first 8 GiB where they are.
 */
#include "x86_64.h"

	.section .text.first, "ax"
	.code32
	.global first
multiboot:
	.long	0x1badb002, 0x10000, -0x1badb002 - 0x10000
	.long	multiboot, multiboot, image_end, memory_end, first

first:
	mov	$stack_top, %esp
	/* The lowest tables: 1 GiB pages. */
	mov	$0x83, %eax
	mov	$boot_level3, %edi
	xor	%edx, %edx
	mov	$8, %ecx
1:	mov	%eax, (%edi)
	mov	%edx, 4(%edi)
	add	$0x40000000, %eax
	adc	$0, %edx
	add	$8, %edi
	loop	1b
	movl	$boot_level3 + 3, boot_level4
	movl	$boot_level4 + 3, boot_level5
	/* PAE, and with five levels LA57. */
	mov	$0x20, %ebx
	mov	$boot_level4, %ecx
	mov	MACHINE_PARCEL + 16, %eax
	cmpl	$5, WORLD_NR_LEVELS(%eax)
	jne	2f
	or	$0x1000, %ebx
	mov	$boot_level5, %ecx
2:	mov	%ebx, %cr4
	mov	%ecx, %cr3
	mov	%ecx, boot_root
	/* Long mode, and NX has a meaning. */
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x900, %eax
	wrmsr
	/* Paging; what is read-only is so for everybody. */
	mov	$0x80010011, %eax
	mov	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$8, $in_64

	.code64
in_64:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	/* Gate 14, page faults. No other exception is expected: a triple fault ends all. */
	lea	page_fault(%rip), %rax
	mov	%ax, idt + 14 * 16
	movl	$0x8e000008, idt + 14 * 16 + 2
	shr	$16, %rax
	mov	%ax, idt + 14 * 16 + 6
	lidt	idt_pointer
	call	guest_main
3:	hlt
	jmp	3b

	/* Gone on with where the caller would go on, the error code above bit 32 of the result. */
page_fault:
	pop	%rax
	bts	$32, %rax
	movq	$back, (%rsp)
	iretq
back:
	ret

	/* Each may fault before it touches the stack: 0, or the error code with bit 32. */
	.global	load_from, store_to, jump_to
load_from:
	mov	(%rdi), %rax
	mov	%rax, (%rsi)
	xor	%eax, %eax
	ret
store_to:
	mov	%rsi, (%rdi)
	xor	%eax, %eax
	ret
jump_to:
	xor	%eax, %eax
	call	*%rdi
	ret

	.section .rodata
	.balign	8
gdt:
	.quad	0, 0x00af9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
	.word	23
	.quad	gdt
idt_pointer:
	.word	16 * 16 - 1
	.quad	idt

	.bss
	.balign	4096
boot_level5:
	.skip	4096
boot_level4:
	.skip	4096
boot_level3:
	.skip	4096
idt:
	.skip	16 * 16
	.global	boot_root
boot_root:
	.skip	8

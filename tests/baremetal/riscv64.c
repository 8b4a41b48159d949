/* SPDX-License-Identifier: MIT */
/* RISC-V: this image runs in M-mode and accesses memory as U-mode would, through satp. */
#include "loads.h"

/* regs: the mode field of satp. */
enum { MODE };

#define NO_CAUSE          (~UINT64_C(0))
#define CAUSE_USER_ECALL  8u
#define CAUSE_FETCH_FAULT 12u
#define CAUSE_LOAD_FAULT  13u
#define CAUSE_STORE_FAULT 15u

/* In a0 and a1, as the assembly leaves them. */
struct loaded {
	uint64_t cause, value;
};

struct loaded load_from(uint64_t iova);
uint64_t store_to(uint64_t iova, uint64_t value);
uint64_t jump_to(uint64_t iova);

const uint64_t machine_parcel = 0x90000000;
const uint64_t machine_code = 0x73; /* ecall */

void machine_putc(char c)
{
	*(volatile uint8_t *)(uintptr_t)0x10000000 = (uint8_t)c; /* 16550, data */
}

/* The "virt" machine's test device. */
void machine_exit(int is_ok)
{
	for (;;)
		*(volatile uint32_t *)(uintptr_t)0x100000 = is_ok ? 0x5555 : 0x13333;
}

void machine_enter(const struct world *world)
{
	uint64_t satp = world->regs[MODE] << 60 | world->root >> 12;

	__asm__ volatile("csrw satp, %0\n\tsfence.vma" ::"r"(satp) : "memory");
}

static enum outcome outcome_of(uint64_t cause, uint64_t page_fault)
{
	return cause == page_fault ? PAGE_FAULT : OTHER_FAULT;
}

enum outcome machine_load(const struct world *world, uint64_t iova, uint64_t *value)
{
	struct loaded loaded = load_from(iova);

	(void)world;
	*value = loaded.cause == NO_CAUSE ? loaded.value : loaded.cause;
	return loaded.cause == NO_CAUSE ? DONE : outcome_of(loaded.cause, CAUSE_LOAD_FAULT);
}

enum outcome machine_store(const struct world *world, uint64_t iova, uint64_t value)
{
	uint64_t cause = store_to(iova, value);

	(void)world;
	return cause == NO_CAUSE ? DONE : outcome_of(cause, CAUSE_STORE_FAULT);
}

enum outcome machine_jump(const struct world *world, uint64_t iova)
{
	uint64_t cause;

	(void)world;
	__asm__ volatile("fence.i" ::: "memory");
	cause = jump_to(iova);
	return cause == CAUSE_USER_ECALL ? DONE : outcome_of(cause, CAUSE_FETCH_FAULT);
}

void machine_poke(uint64_t pa, uint64_t value)
{
	*(volatile uint64_t *)(uintptr_t)pa = value;
}

uint64_t machine_peek(uint64_t pa)
{
	return *(volatile uint64_t *)(uintptr_t)pa;
}

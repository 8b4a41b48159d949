/* SPDX-License-Identifier: MIT */
/*
 * x86-64: the world's tables map this image, too, where it is, so that CR3 can be changed to them
 * for one access. Between the accesses memory is seen as it is.
 */
#include "loads.h"
#include "x86_64.h"

_Static_assert(offsetof(struct world, nr_levels) == WORLD_NR_LEVELS, "assembly knows it");

#define IS_FAULT (UINT64_C(1) << 32)
#define RESERVED (UINT64_C(1) << 3)

uint64_t load_from(uint64_t iova, uint64_t *value);
uint64_t store_to(uint64_t iova, uint64_t value);
uint64_t jump_to(uint64_t iova);

extern uint64_t boot_root;

const uint64_t machine_parcel = MACHINE_PARCEL;
const uint64_t machine_code = 0xc3; /* ret */

static void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

void machine_putc(char c)
{
	out(0x3f8, (uint8_t)c);
}

/* The emulator's exit status is twice that and one. */
void machine_exit(int is_ok)
{
	for (;;)
		out(0xf4, is_ok ? 0x10 : 0x11);
}

void machine_enter(const struct world *world)
{
	(void)world;
}

static void use_tables(uint64_t root)
{
	__asm__ volatile("mov %0, %%cr3" ::"r"(root) : "memory");
}

/* A bit that must not be set is no page fault that was asked for. */
static enum outcome outcome_of(uint64_t error)
{
	use_tables(boot_root);
	if (!(error & IS_FAULT))
		return DONE;
	return error & RESERVED ? OTHER_FAULT : PAGE_FAULT;
}

enum outcome machine_load(const struct world *world, uint64_t iova, uint64_t *value)
{
	uint64_t loaded = 0, error;

	use_tables(world->root);
	error = load_from(iova, &loaded);
	*value = error ? error : loaded;
	return outcome_of(error);
}

enum outcome machine_store(const struct world *world, uint64_t iova, uint64_t value)
{
	use_tables(world->root);
	return outcome_of(store_to(iova, value));
}

enum outcome machine_jump(const struct world *world, uint64_t iova)
{
	use_tables(world->root);
	return outcome_of(jump_to(iova));
}

void machine_poke(uint64_t pa, uint64_t value)
{
	*(volatile uint64_t *)(uintptr_t)pa = value;
}

uint64_t machine_peek(uint64_t pa)
{
	return *(volatile uint64_t *)(uintptr_t)pa;
}

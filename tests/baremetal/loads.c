/* SPDX-License-Identifier: MIT */
/*
 * A page is where the library says if what is put there is what a load finds, and what may be done
 * with it if it can be done.
 */
#include "loads.h"

static const char *ask_to_store(const struct world *world, const struct question *q,
                                uint64_t pattern)
{
	int may_write = (q->prot & GRANTS_WRITE) != 0;

	if (machine_store(world, q->iova, ~pattern) != (may_write ? DONE : PAGE_FAULT))
		return "the machine thinks otherwise of writing";
	if (machine_peek(q->pa) != (may_write ? ~pattern : pattern))
		return "the machine writes elsewhere";
	return NULL;
}

static const char *ask_to_jump(const struct world *world, const struct question *q)
{
	int may_execute = !(q->prot & GRANTS_NOEXEC);

	machine_poke(q->pa, machine_code);
	if (machine_jump(world, q->iova) != (may_execute ? DONE : PAGE_FAULT))
		return "the machine thinks otherwise of executing";
	return NULL;
}

const char *machine_ask(const struct world *world, const struct question *q, uint64_t *got)
{
	uint64_t pattern = (q->iova ^ q->pa << 7) * UINT64_C(0x9e3779b97f4a7c15);
	const char *what;
	enum outcome outcome;

	if (!q->is_mapped)
		return machine_load(world, q->iova, got) == PAGE_FAULT ? NULL
		                                                       : "the machine finds a page";
	machine_poke(q->pa, pattern);
	outcome = machine_load(world, q->iova, got);
	if (outcome != DONE)
		return "the machine cannot load";
	if (*got != pattern)
		return "the machine loads from elsewhere";
	what = ask_to_store(world, q, pattern);
	return what ? what : ask_to_jump(world, q);
}

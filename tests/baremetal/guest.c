/* SPDX-License-Identifier: MIT */
/*
 * Every question to the machine's own MMU, world by world, in the test protocol that Meson reads.
 */
#include "guest.h"

#define MAX_COMPLAINTS 5u

static void print(const char *text)
{
	while (*text)
		machine_putc(*text++);
}

static void print_number(uint64_t n, unsigned base)
{
	char digits[24], *at = digits + sizeof(digits);

	*--at = 0;
	do {
		*--at = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	print(base == 16 ? "0x" : "");
	print(at);
}

static void complain(const struct question *q, const char *what, uint64_t got)
{
	print("# iova ");
	print_number(q->iova, 16);
	print(q->is_mapped ? ", mapped to " : ", not mapped ");
	print_number(q->pa, 16);
	print(", prot ");
	print_number(q->prot, 16);
	print(": ");
	print(what);
	print(", ");
	print_number(got, 16);
	print("\n");
}

static uint64_t ask_all(const struct world *world)
{
	const struct question *q = (const struct question *)(uintptr_t)world->questions;
	uint64_t nr_wrong = 0;

	machine_enter(world);
	for (uint64_t i = 0; i < world->nr_questions; i++) {
		uint64_t got = 0;
		const char *what = machine_ask(world, &q[i], &got);

		if (what && nr_wrong++ < MAX_COMPLAINTS)
			complain(&q[i], what, got);
	}
	return nr_wrong;
}

static int run(const struct world *world, uint64_t number)
{
	uint64_t nr_wrong = ask_all(world);

	print(nr_wrong || !world->nr_questions ? "not ok " : "ok ");
	print_number(number, 10);
	print(" - ");
	print(world->name);
	print("\n# ");
	print_number(world->nr_mappings, 10);
	print(" mappings, ");
	print_number(world->nr_questions, 10);
	print(" addresses, ");
	print_number(nr_wrong, 10);
	print(" wrong\n");
	return !nr_wrong;
}

void guest_main(void)
{
	const struct parcel *parcel = (const struct parcel *)(uintptr_t)machine_parcel;
	const struct world *world = (const struct world *)(uintptr_t)parcel->worlds;
	int is_ok = parcel->magic == PARCEL_MAGIC;

	if (!is_ok) {
		print("Bail out! there is no parcel\n");
		machine_exit(0);
	}
	print("1..");
	print_number(parcel->nr_worlds, 10);
	print("\n");
	for (uint64_t i = 0; i < parcel->nr_worlds; i++)
		is_ok &= run(&world[i], i + 1);
	machine_exit(is_ok);
}

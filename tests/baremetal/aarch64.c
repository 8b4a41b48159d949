/* SPDX-License-Identifier: MIT */
/*
 * AArch64: the tables are those of EL1 and EL0, this image runs at EL2. The address translation
 * instructions walk them for an access that is never made, so that pages may lead anywhere.
 */
#include "guest.h"

#define SYSREG_WRITE(name, value) __asm__ volatile("msr " name ", %0" ::"r"(value) : "memory")
#define TRANSLATE(how, iova)      __asm__ volatile("at " how ", %0\n\tisb" ::"r"(iova) : "memory")

const uint64_t machine_parcel = 0x44000000;

/* regs: stage, 3: both; TCR or VTCR, MAIR, 1: the tables are those of the upper addresses; of both
   stages VTCR and VTTBR of the second. */
enum { STAGE, TCR, MAIR, IS_UPPER, VTCR, VTTBR };

static uint64_t semihosting(uint64_t operation, const void *argument)
{
	register uint64_t x0 __asm__("x0") = operation;
	register const void *x1 __asm__("x1") = argument;

	__asm__ volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
	return x0;
}

void machine_putc(char c)
{
	*(volatile uint32_t *)(uintptr_t)0x09000000 = (unsigned char)c; /* PL011, data */
}

/* SYS_EXIT, ADP_Stopped_ApplicationExit, status. */
void machine_exit(int is_ok)
{
	uint64_t block[2] = { 0x20026, is_ok ? 0 : 1 };

	for (;;)
		semihosting(0x18, block);
}

void machine_enter(const struct world *world)
{
	uint64_t is_s1 = world->regs[STAGE] != 2, is_s2 = world->regs[STAGE] != 1;

	/* EL1 is AArch64; the translation of each stage is on or off. */
	SYSREG_WRITE("hcr_el2", UINT64_C(1) << 31 | is_s2);
	SYSREG_WRITE("sctlr_el1", UINT64_C(0x30d00800) | is_s1);
	if (is_s2) {
		SYSREG_WRITE("vtcr_el2", world->regs[is_s1 ? VTCR : TCR]);
		SYSREG_WRITE("vttbr_el2", is_s1 ? world->regs[VTTBR] : world->root);
	}
	if (is_s1) {
		SYSREG_WRITE("tcr_el1", world->regs[TCR]);
		SYSREG_WRITE("mair_el1", world->regs[MAIR]);
		SYSREG_WRITE("ttbr0_el1", world->regs[IS_UPPER] ? 0 : world->root);
		SYSREG_WRITE("ttbr1_el1", world->regs[IS_UPPER] ? world->root : 0);
	}
	__asm__ volatile("isb\n\ttlbi alle1\n\tdsb sy\n\tisb" ::: "memory");
}

/* What became of the last translation. */
static uint64_t outcome(void)
{
	uint64_t par;

	__asm__ volatile("mrs %0, par_el1" : "=r"(par));
	return par;
}

/* Outcomes of the four kinds of access; stage 2 does not know of privileges. */
static void translate(const struct world *world, uint64_t iova, uint64_t *read, uint64_t *write,
                      uint64_t *user)
{
	if (world->regs[STAGE] != 1) {
		TRANSLATE("s12e1w", iova);
		*write = outcome();
		TRANSLATE("s12e0r", iova);
		*user = outcome();
		TRANSLATE("s12e1r", iova);
	} else {
		TRANSLATE("s1e1w", iova);
		*write = outcome();
		TRANSLATE("s1e0r", iova);
		*user = outcome();
		TRANSLATE("s1e1r", iova);
	}
	*read = outcome();
}

/* A translation fault, at the level where the library found nothing: Arm's number, 3 is the last.
 */
static const char *judge_fault(const struct question *q, uint64_t par)
{
	unsigned status = (unsigned)(par >> 1 & 0x3f);

	if (!(par & 1))
		return "the machine finds a page";
	if (status >> 2 != 1)
		return "this is no translation fault";
	if (q->level != ANY_LEVEL && (status & 3) != 3 - q->level)
		return "the machine stops at another level";
	return NULL;
}

/* The attributes that MAIR holds for it; shareable with cached memory. */
static const char *judge_memory(const struct question *q, uint64_t par)
{
	unsigned attributes = (unsigned)(par >> 56);
	unsigned want = q->prot & GRANTS_MMIO ? 0x04 : q->prot & GRANTS_CACHE ? 0xff : 0x44;

	if (attributes != want)
		return "the memory is of another kind";
	return want == 0xff && (par >> 7 & 3) != 3 ? "it is not inner shareable" : NULL;
}

/*
 * The stage, the role, the kind and the level of a fault; its place among the faults is @shift. Of
 * a fault of stage 2 at a table, QEMU 7.2 names the level of stage 1 that the table has.
 */
static const char *judge_nested(const struct question *q, uint64_t par, unsigned shift)
{
	unsigned want = q->faults >> shift & 0xff, got;

	got = FAULT_IS | (par >> 9 & 1 ? FAULT_STAGE2 : 0) | (par >> 8 & 1 ? FAULT_TABLE : 0) |
	      (par >> 1 & FAULT_WHAT);
	if (!(par & 1))
		return want ? "the machine finds a page in both stages" : NULL;
	if (!want)
		return "the machine finds no page in both stages";
	if ((want ^ got) & FAULT_STAGE2)
		return "the machine faults in another stage";
	if (want & FAULT_TABLE)
		got = (got & ~3u) | (want & 3);
	return want == got ? NULL : "the machine faults otherwise";
}

static const char *ask_nested(const struct world *world, const struct question *q, uint64_t *got)
{
	uint64_t read, write, user;
	const char *what;

	translate(world, q->iova, &read, &write, &user);
	*got = read;
	what = judge_nested(q, read, 0);
	if (!what)
		what = judge_nested(q, write, 8);
	if (!what)
		what = judge_nested(q, user, 16);
	if (what || read & 1)
		return what;
	*got = (read & UINT64_C(0xffffffffff000)) | (q->iova & 0xfff);
	return *got == q->pa ? NULL : "the machine goes elsewhere";
}

const char *machine_ask(const struct world *world, const struct question *q, uint64_t *got)
{
	uint64_t read, write, user, is_s1 = world->regs[STAGE] == 1;

	if (world->regs[STAGE] == 3)
		return ask_nested(world, q, got);
	translate(world, q->iova, &read, &write, &user);
	*got = read;
	if (!q->is_mapped)
		return judge_fault(q, read);
	if (!(read & 1) != !!(is_s1 || (q->prot & GRANTS_READ)))
		return "the machine thinks otherwise of reading";
	if (!(write & 1) != !!(q->prot & GRANTS_WRITE))
		return "the machine thinks otherwise of writing";
	if (is_s1 && !(user & 1) != !(q->prot & GRANTS_PRIV))
		return "the machine thinks otherwise of who may read";
	*got = ((read & 1 ? write : read) & UINT64_C(0xffffffffff000)) | (q->iova & 0xfff);
	if (*got != q->pa)
		return "the machine goes elsewhere";
	return is_s1 ? judge_memory(q, read) : NULL;
}

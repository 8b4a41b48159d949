/* SPDX-License-Identifier: MIT */
/*
 * RISC-V Sv39, Sv48 and Sv57, and with Svnapot, which makes pages of 64K of 16 equal words. Models
 * drivers/iommu/riscv of Linux 6.13; from 6.19 on, and for Svnapot always, the generic tables
 * (drivers/iommu/generic_pt), whose pages may be executed unless NOEXEC forbids it. Part of a
 * larger page is not unmapped; a table in the way of a page is freed. Simplifies: a leaf in the way
 * is -EEXIST, in 6.13 as later, and memory types (Svpbmt) are not told.
 */
#include "pgtable/ops.h"

#define V     PT_BIT(0)
#define R     PT_BIT(1)
#define W     PT_BIT(2)
#define X     PT_BIT(3)
#define U     PT_BIT(4)
#define A     PT_BIT(6)
#define D     PT_BIT(7)
#define PPN   PT_BITS(53, 10) /* of the address shifted by 2 */
#define N     PT_BIT(63)
#define N_64K PT_BIT(13)      /* the lowest four bits of PPN are 8 */
#define N_LOW PT_BITS(13, 10) /* and hold no address */
#define ZERO  PT_BITS(62, 54) /* PBMT and reserved */

#define SZ_64K PT_BIT(16)

static enum isim_word_kind kind(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	if (!(word & V))
		return ISIM_WORD_EMPTY;
	return level && !(word & (R | W | X)) ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

static int are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return (all & (V | R)) == (V | R);
}

static int napot_are_leaves(uint64_t all, uint64_t any, unsigned level)
{
	return are_leaves(all, any, level) && !(any & N);
}

static uint64_t leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa >> 2 & PPN) | attributes;
}

static uint64_t table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (pa >> 2 & PPN) | V;
}

static uint64_t address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	uint64_t pa = (word & PPN) << 2;

	return level && word & (R | W | X) ? pa & ~(PT_BIT(12 + 9 * level) - 1) : pa;
}

static uint64_t napot_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return address(p, word & N && !level ? word & ~N_LOW : word, level);
}

/* 6.19: does the driver say which pages may be executed? */
static int tells_execution(const struct iommusim_pgtable *p)
{
	return p->ops->words->run_lg2 || p->config.kernel >= IOMMUSIM_KERNEL(6, 19);
}

/* A unit that does not set D by itself finds it set. */
static uint64_t attributes(const struct iommusim_pgtable *p, unsigned prot, unsigned form)
{
	uint64_t dirty = p->config.hw_dirty && !tells_execution(p) ? 0 : D;

	return V | R | U | A | (prot & IOMMUSIM_PROT_WRITE ? W | dirty : 0) |
	       (tells_execution(p) && !(prot & IOMMUSIM_PROT_NOEXEC) ? X : 0) |
	       (form & ISIM_FORM_RUN ? N | N_64K : 0);
}

static unsigned prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return (word & R ? IOMMUSIM_PROT_READ : 0) | (word & W ? IOMMUSIM_PROT_WRITE : 0) |
	       (word & X ? 0 : IOMMUSIM_PROT_NOEXEC);
}

static unsigned run_lg2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return word & N && !level ? 4 : 0;
}

/* W without R is reserved, and so are a page that is not aligned and a table below the last. */
static enum iommusim_fault_cause fault(const struct iommusim_pgtable *p, uint64_t word,
                                       unsigned level)
{
	int is_run = word & N && p->ops->words->run_lg2 && !level && (word & N_LOW) == N_64K;

	if (word & ZERO || (word & N && !is_run) || (word & (R | W)) == W)
		return IOMMUSIM_FAULT_RESERVED;
	if (!(word & (R | W | X)))
		return level && !(word & (U | A | D)) ? IOMMUSIM_FAULT_NONE
		                                      : IOMMUSIM_FAULT_RESERVED;
	if ((word & PPN) << 2 & (PT_BIT(12 + 9 * level) - 1))
		return IOMMUSIM_FAULT_RESERVED;
	return word & A ? IOMMUSIM_FAULT_NONE : IOMMUSIM_FAULT_ACCESS_FLAG;
}

static unsigned marks(const struct iommusim_pgtable *p, uint64_t word)
{
	return (word & A ? IOMMUSIM_MARK_ACCESSED : 0) | (word & D ? IOMMUSIM_MARK_DIRTY : 0);
}

static uint64_t marked(const struct iommusim_pgtable *p, uint64_t word, unsigned marks)
{
	return (word & ~(A | D)) | (marks & IOMMUSIM_MARK_ACCESSED ? A : 0) |
	       (marks & IOMMUSIM_MARK_DIRTY ? D : 0);
}

#define WORDS(levels)                                                                         \
	.word_bytes = 8, .nr_levels = (levels), .granule_lg2 = 12, .index_lg2 = 9,            \
	.linear_lg2 = 56, .even_lg2 = 56, .partial = ISIM_PARTIAL_REFUSE, .kind = kind,       \
	.leaf = leaf, .table = table, .attributes = attributes, .prot = prot, .fault = fault, \
	.marks = marks, .marked = marked

/* The same tables are both stages: there is no wider first table for the second. */
#define IMPL                                                                                   \
	.set_root = set_root, .stage1 = ISIM_NEST_RISCV, .stage2 = ISIM_NEST_RISCV, .ias = 64, \
	.oas = 56

#define FORMAT(sv, levels, title)                                                                \
	static const struct isim_pgtable_words sv = { WORDS(levels), .are_leaves = are_leaves,   \
		                                      .address = address };                      \
	static const struct isim_pgtable_words sv##_napot = { WORDS(levels),                     \
		                                              .are_leaves = napot_are_leaves,    \
		                                              .address = napot_address,          \
		                                              .run_lg2 = run_lg2 };              \
	ISIM_PGTABLE_OPS(sv);                                                                    \
	ISIM_PGTABLE_OPS(sv##_napot);                                                            \
	static int sv##_configure(struct iommusim_pgtable *p)                                    \
	{                                                                                        \
		return configure(p, &sv##_ops);                                                  \
	}                                                                                        \
	static int sv##_napot_configure(struct iommusim_pgtable *p)                              \
	{                                                                                        \
		return configure(p, &sv##_napot_ops);                                            \
	}                                                                                        \
	static const struct isim_pgtable_impl sv##_impl = { .configure = sv##_configure, IMPL }; \
	static const struct isim_pgtable_impl sv##_napot_impl = { .configure =                   \
		                                                          sv##_napot_configure,  \
		                                                  IMPL };                        \
	const struct iommusim_pgtable_format iommusim_pgtable_riscv_##sv = {                     \
		.name = "riscv-" #sv,                                                            \
		.kernel_name = "riscv_" #sv,                                                     \
		.source = "RISC-V Privileged Architecture, " title,                              \
		.summary = "RISC-V " title ": pages of 4K, 2M, 1G (and 512G above Sv39)",        \
		.word_bytes = 8,                                                                 \
		.impl = &sv##_impl,                                                              \
	};                                                                                       \
	const struct iommusim_pgtable_format iommusim_pgtable_riscv_##sv##_napot = {             \
		.name = "riscv-" #sv "-napot",                                                   \
		.kernel_name = "riscv_" #sv "_napot",                                            \
		.source = "RISC-V Privileged Architecture, " title " and Svnapot",               \
		.summary = "RISC-V " title " with Svnapot: also 64K, 16 equal words",            \
		.word_bytes = 8,                                                                 \
		.impl = &sv##_napot_impl,                                                        \
	}

/* ---- Configuration ---- */

/* Half of the space is for devices: above it, all higher bits would have to be set. */
static int configure(struct iommusim_pgtable *p, const struct isim_pgtable_ops *ops)
{
	unsigned levels = ops->words->nr_levels, has_runs = ops->words->run_lg2 != NULL;
	uint64_t pgsizes = PT_BIT(12) | PT_BIT(21) | PT_BIT(30) | (levels > 3 ? PT_BIT(39) : 0);
	int err;

	if (has_runs)
		pgsizes |= SZ_64K | (levels > 4 ? PT_BIT(48) : 0);
	err = isim_pgtable_fit(p, ops, pgsizes, 11 + 9 * levels, 56);
	if (err)
		return err;
	isim_pgtable_set_geometry(p, ops->words, levels, 9, 12);
	if (has_runs)
		isim_pgtable_add_run(p, 0, 4, 16);
	return 0;
}

/* As the satp register holds it: the mode, 8 for three levels, and the page number. */
static void set_root(struct iommusim_pgtable *p)
{
	p->info.ttbr = (uint64_t)(p->info.nr_levels + 5) << 60 | p->info.root >> 12;
}

FORMAT(sv39, 3, "Sv39");
FORMAT(sv48, 4, "Sv48");
FORMAT(sv57, 5, "Sv57");

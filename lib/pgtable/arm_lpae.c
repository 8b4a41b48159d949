/* SPDX-License-Identifier: MIT */
/*
 * Arm long descriptors, stage 1 and stage 2, in their 64-bit and 32-bit variants, and Mali's: what
 * a configuration comes to. Levels are counted from the leaves here; Arm counts them from the root,
 * so its level 3 is level 0.
 */
#include "pgtable/arm_lpae.h"
#include "pgtable/word.h"

/* Bits of every table word. */
#define COHERENT PT_BIT(55) /* software: a table that a non-coherent walker may read */
#define NSTABLE  PT_BIT(63)

/* As Linux passes it: sign-extended from 32 bits. */
#define MAIR UINT64_C(0xfffffffff404ff44)

#define SIZES_32 (PT_BIT(12) | PT_BIT(21) | PT_BIT(30)) /* of the 32-bit variants and Mali */

/* Mali: registers. */
#define MEMATTR        UINT64_C(0x888d88)
#define TRANSTAB_MODE  UINT64_C(7)    /* a table, read through inner caches */
#define TRANSTAB_OUTER UINT64_C(0x10) /* shared with the CPU */

#define S1_QUIRKS (IOMMUSIM_QUIRK_ARM_NS | IOMMUSIM_QUIRK_ARM_TTBR1 | IOMMUSIM_QUIRK_ARM_OUTER_WBWA)

/* The CPU page if it is offered, else the largest size below it, else the smallest above. */
static const struct isim_arm_granule *choose_granule(uint64_t pgsizes, unsigned page_shift)
{
	uint64_t below = pgsizes & isim_low_bits(page_shift + 1);
	unsigned lg2;

	if (!pgsizes)
		return NULL;
	lg2 = below ? isim_high_bit(below) : isim_low_bit(pgsizes);
	for (unsigned i = 0; i < ISIM_ARM_NR_GRANULES; i++)
		if (isim_arm_granules[i].lg2 == lg2)
			return &isim_arm_granules[i];
	return NULL;
}

/* The pages of @g that are runs of words. */
static uint64_t runs_of(const struct isim_arm_granule *g)
{
	return isim_bit(g->lg2 + g->run_lg2[0]) | isim_bit(g->lg2 + g->index_lg2 + g->run_lg2[1]);
}

/* Not in Linux: with the hint, page sizes without a granule may be runs of the largest that has
   them all, as 2M and 1G are runs of 16K. */
static const struct isim_arm_granule *choose_runs(uint64_t pgsizes)
{
	for (unsigned i = ISIM_ARM_NR_GRANULES; pgsizes && i > 0; i--) {
		const struct isim_arm_granule *g = &isim_arm_granules[i - 1];

		if (!(pgsizes & ~(g->pgsizes | runs_of(g))))
			return g;
	}
	return NULL;
}

/* Bits of the output address as registers tell them: 0 .. 6. 7: there is no such width. */
static unsigned encode_oas(unsigned oas)
{
	static const unsigned widths[] = { 32, 36, 40, 42, 44, 48, 52 };
	unsigned i = 0;

	while (i < ISIM_ARRAY_LEN(widths) && widths[i] != oas)
		i++;
	return i;
}

/* Levels, and entries of the first table: *lg2. */
static unsigned levels_of(const struct iommusim_pgtable *p, const struct isim_arm_granule *g,
                          unsigned *lg2)
{
	unsigned bits = p->info.ias - g->lg2;
	unsigned levels = (bits + g->index_lg2 - 1) / g->index_lg2;

	*lg2 = bits - g->index_lg2 * (levels - 1);
	return levels;
}

/* Pages that several words are together; not in Linux, whose tables never have the hint. */
static void add_runs(struct iommusim_pgtable *p, const struct isim_arm_granule *g)
{
	for (unsigned level = 0; level < 2 && level <= p->top; level++) {
		unsigned shift = g->lg2 + level * g->index_lg2;

		if (p->info.pgsizes >> shift & 1)
			p->info.pgsizes |= isim_bit(shift + g->run_lg2[level]);
		if (p->info.pgsizes >> (shift + g->run_lg2[level]) & 1)
			isim_pgtable_add_run(p, level, g->run_lg2[level],
			                     shift + g->run_lg2[level]);
	}
}

/* Tables are at least a CPU page. */
static void set_engine(struct iommusim_pgtable *p, const struct isim_arm_granule *g,
                       const struct isim_pgtable_ops *const ops[2], unsigned levels,
                       unsigned root_index_lg2)
{
	p->ops = ops[p->config.contiguous];
	isim_pgtable_set_geometry(p, p->ops->words, levels, root_index_lg2, p->config.page_shift);
	if (p->config.contiguous)
		add_runs(p, g);
}

/* Page sizes and address widths that one granule leaves. */
static int narrow(struct iommusim_pgtable *p, const struct isim_arm_granule *g)
{
	const struct iommusim_pgtable_config *c = &p->config;

	p->info.pgsizes &= g->pgsizes | (c->contiguous ? runs_of(g) : 0);
	if (c->oas <= 48)
		p->info.pgsizes &= ~PT_BIT(42);
	p->info.ias = c->ias < g->max_bits ? c->ias : g->max_bits;
	p->info.oas = c->oas < g->max_bits ? c->oas : g->max_bits;
	if (p->info.ias <= g->lg2)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL, "ias %u is not above the granule, 2^%u",
		                 p->info.ias, g->lg2);
	p->info.tcr_ips = encode_oas(p->info.oas);
	return 0;
}

static int check_oas(struct iommusim_pgtable *p)
{
	if (p->info.tcr_ips <= 6)
		return 0;
	return isim_fail(&p->diag, IOMMUSIM_EINVAL, "oas %u is none of 32, 36, 40, 42, 44, 48, 52",
	                 p->info.oas);
}

/* What a variant may have at most. */
static int check_widths(struct iommusim_pgtable *p, unsigned ias, unsigned oas)
{
	if (p->config.ias <= ias && p->config.oas <= oas)
		return 0;
	return isim_fail(&p->diag, IOMMUSIM_EINVAL, "%s has at most ias %u and oas %u, not %u, %u",
	                 p->config.format->name, ias, oas, p->config.ias, p->config.oas);
}

/* What all share, with the page sizes in @pgsizes. The granule; NULL: -EINVAL, worded. */
static const struct isim_arm_granule *configure(struct iommusim_pgtable *p, uint32_t quirks,
                                                uint64_t pgsizes)
{
	const struct iommusim_pgtable_config *c = &p->config;
	const struct isim_arm_granule *g = choose_granule(c->pgsizes & pgsizes, c->page_shift);

	if (!g && c->contiguous)
		g = choose_runs(c->pgsizes & pgsizes);
	if (!g)
		isim_fail(&p->diag, IOMMUSIM_EINVAL,
		          "page sizes 0x%llx leave no granule of 4K, 16K or 64K",
		          (unsigned long long)c->pgsizes);
	p->info.pgsizes = c->pgsizes & pgsizes;
	if (!g || isim_pgtable_check_quirks(p, quirks) || narrow(p, g))
		return NULL;
	p->info.tcr_tg = g->tg0;
	p->info.tcr_sh = c->is_noncoherent ? 2 : 3;
	p->info.tcr_orgn = p->info.tcr_irgn = !c->is_noncoherent;
	p->info.tcr_tsz = 64 - p->info.ias;
	p->table_flags = c->is_noncoherent ? COHERENT : 0;
	return g;
}

/* ---- Stage 1 ---- */

static int s1_registers(struct iommusim_pgtable *p, const struct isim_arm_granule *g)
{
	const struct iommusim_pgtable_config *c = &p->config;

	if (c->quirks & IOMMUSIM_QUIRK_ARM_OUTER_WBWA) {
		if (!c->is_noncoherent)
			return isim_fail(&p->diag, IOMMUSIM_EINVAL,
			                 "a coherent walk and OUTER_WBWA exclude each other");
		p->info.tcr_orgn = 1;
	}
	if (c->quirks & IOMMUSIM_QUIRK_ARM_TTBR1)
		p->info.tcr_tg = g->tg1;
	if (c->quirks & IOMMUSIM_QUIRK_ARM_NS)
		p->table_flags |= NSTABLE;
	p->info.mair = MAIR;
	return check_oas(p);
}

static int s1_of_sizes(struct iommusim_pgtable *p, uint64_t pgsizes)
{
	int has_hd = p->config.kernel >= IOMMUSIM_KERNEL(6, 12);
	const struct isim_arm_granule *g =
		configure(p, S1_QUIRKS | (has_hd ? IOMMUSIM_QUIRK_ARM_HD : 0), pgsizes);
	unsigned levels, lg2;
	int err = g ? s1_registers(p, g) : -IOMMUSIM_EINVAL;

	if (err)
		return err;
	levels = levels_of(p, g, &lg2);
	set_engine(p, g, g->s1, levels, lg2);
	return 0;
}

static int s1_configure(struct iommusim_pgtable *p)
{
	return s1_of_sizes(p, UINT64_MAX);
}

static int s1_32_configure(struct iommusim_pgtable *p)
{
	int err = check_widths(p, 32, 40);

	return err ? err : s1_of_sizes(p, SIZES_32);
}

/* ---- Stage 2 ---- */

static int s2_of_sizes(struct iommusim_pgtable *p, uint64_t pgsizes)
{
	const struct isim_arm_granule *g = configure(p, 0, pgsizes);
	unsigned levels, lg2;
	int err = g ? check_oas(p) : -IOMMUSIM_EINVAL;

	if (err)
		return err;
	levels = levels_of(p, g, &lg2);
	/* Up to 16 tables of the next level side by side take the place of a level 0 of Arm's. */
	if (levels == 4 && lg2 <= 4) {
		lg2 += g->index_lg2;
		levels--;
	}
	p->info.tcr_sl = ~(4 - levels + (g->lg2 == 12)) & 3;
	set_engine(p, g, g->s2, levels, lg2);
	return 0;
}

static int s2_configure(struct iommusim_pgtable *p)
{
	return s2_of_sizes(p, UINT64_MAX);
}

static int s2_32_configure(struct iommusim_pgtable *p)
{
	int err = check_widths(p, 40, 40);

	return err ? err : s2_of_sizes(p, SIZES_32);
}

/* ---- Mali ---- */

/* A walk reads four levels, however few are needed: the first table may have but one entry. */
static int mali_configure(struct iommusim_pgtable *p)
{
	int err = check_widths(p, 48, 40);
	const struct isim_arm_granule *g = err ? NULL : configure(p, 0, SIZES_32);
	unsigned levels, lg2;

	if (!g)
		return -IOMMUSIM_EINVAL;
	if (!g->mali || p->config.contiguous)
		return isim_fail(&p->diag, IOMMUSIM_EINVAL,
		                 "Mali has a granule of 4K and no contiguous hint");
	levels = levels_of(p, g, &lg2);
	p->ops = g->mali;
	isim_pgtable_set_geometry(p, p->ops->words, 4, levels == 4 ? lg2 : 0, p->config.page_shift);
	p->info.mair = MEMATTR;
	return 0;
}

static void mali_set_root(struct iommusim_pgtable *p)
{
	p->info.ttbr =
		p->info.root | TRANSTAB_MODE | (p->config.is_noncoherent ? 0 : TRANSTAB_OUTER);
}

#define ARM_BOTH (ISIM_NEST_ARM_64 | ISIM_NEST_ARM_32)

static const struct isim_pgtable_impl s1_impl = { .configure = s1_configure,
	                                          .stage1 = ISIM_NEST_ARM_64 };
static const struct isim_pgtable_impl s2_impl = { .configure = s2_configure,
	                                          .stage2 = ISIM_NEST_ARM_64 };
static const struct isim_pgtable_impl s1_32_impl = {
	.configure = s1_32_configure, .stage1 = ARM_BOTH, .ias = 32, .oas = 40
};
static const struct isim_pgtable_impl s2_32_impl = {
	.configure = s2_32_configure, .stage2 = ISIM_NEST_ARM_32, .ias = 40, .oas = 40
};
static const struct isim_pgtable_impl mali_impl = { .configure = mali_configure,
	                                            .set_root = mali_set_root,
	                                            .oas = 40 };

const struct iommusim_pgtable_format iommusim_pgtable_arm_lpae_s1 = {
	.name = "arm-lpae-s1",
	.kernel_name = "arm_64_lpae_s1",
	.source = "Arm Architecture Reference Manual (DDI 0487), D8.3, VMSAv8-64 descriptors",
	.summary = "Arm 64-bit long descriptors, stage 1: SMMUv2, SMMUv3",
	.quirks = S1_QUIRKS | IOMMUSIM_QUIRK_ARM_HD,
	.word_bytes = 8,
	.impl = &s1_impl,
};

const struct iommusim_pgtable_format iommusim_pgtable_arm_lpae_s2 = {
	.name = "arm-lpae-s2",
	.kernel_name = "arm_64_lpae_s2",
	.source = "Arm Architecture Reference Manual (DDI 0487), D8.3, VMSAv8-64 descriptors",
	.summary = "Arm 64-bit long descriptors, stage 2: SMMUv2, SMMUv3",
	.word_bytes = 8,
	.impl = &s2_impl,
};

const struct iommusim_pgtable_format iommusim_pgtable_arm_lpae32_s1 = {
	.name = "arm-lpae32-s1",
	.kernel_name = "arm_32_lpae_s1",
	.source = "Arm Architecture Reference Manual (DDI 0487), G5.5, VMSAv8-32 long descriptors",
	.summary = "Arm 32-bit long descriptors, stage 1: Renesas IPMMU, SMMUv2",
	.quirks = S1_QUIRKS | IOMMUSIM_QUIRK_ARM_HD,
	.word_bytes = 8,
	.impl = &s1_32_impl,
};

const struct iommusim_pgtable_format iommusim_pgtable_arm_lpae32_s2 = {
	.name = "arm-lpae32-s2",
	.kernel_name = "arm_32_lpae_s2",
	.source = "Arm Architecture Reference Manual (DDI 0487), G5.5, VMSAv8-32 long descriptors",
	.summary = "Arm 32-bit long descriptors, stage 2: SMMUv2",
	.word_bytes = 8,
	.impl = &s2_32_impl,
};

const struct iommusim_pgtable_format iommusim_pgtable_arm_mali_lpae = {
	.name = "arm-mali-lpae",
	.kernel_name = "arm_mali_lpae",
	.source = "words that Linux 6.1 and 6.12 write for Panfrost; Arm publishes no manual",
	.summary = "Arm Mali Midgard and Bifrost GPUs: long descriptors of their own",
	.word_bytes = 8,
	.impl = &mali_impl,
};

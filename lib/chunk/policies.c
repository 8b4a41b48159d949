/* SPDX-License-Identifier: MIT */
/* The history of the loop behind dma_alloc(): who did what, and since when. */
#include "chunk/run.h"

#include <string.h>

#include "base/compiler.h"

/* What dma-iommu and arch/arm add to the caller's gfp. */
#define DMA_GFP                                                               \
	{                                                                     \
		.always = IOMMUSIM_GFP_BIT_NOWARN | IOMMUSIM_GFP_BIT_HIGHMEM, \
		.high = IOMMUSIM_GFP_BIT_NORETRY                              \
	}

/* What the older ones do with compound blocks. */
#define COMPOUND                                                                                   \
	"a compound block that cannot be split, as no driver's can, is freed, and after the last " \
	"order used all the same (stale block)"

/* What goes wrong when buffers are freed of which the size was rounded. */
#define TAIL                                                                                     \
	"pages that rounding to a granule above the CPU page added are lost when the buffer is " \
	"freed (lost tail; DMA domains have no such granule)"

static const struct isim_steps restarting = { .gfp = DMA_GFP };
static const struct isim_steps sticky = { .sticky = 1, .gfp = DMA_GFP };
static const struct isim_steps sticky_or_single = { .sticky = 1, .singles = 1, .gfp = DMA_GFP };
static const struct isim_ladder arm_orders = {
	.nr = 4,
	.order = { 9, 8, 4, 0 },
	.singles = 1,
	.by_order = { .ignored = IOMMUSIM_GFP_BIT_COMP,
	              .always = IOMMUSIM_GFP_BIT_NOWARN | IOMMUSIM_GFP_BIT_HIGHMEM,
	              .high = IOMMUSIM_GFP_BIT_NORETRY },
};
static const struct isim_mask splitting = { .beyond_max = 1, .split_comp = 1 };
static const struct isim_mask exclusive = { .beyond_max = 1, .drop_comp = 1 };
static const struct isim_mask inclusive = { .beyond_max = 0 };

const struct iommusim_policy iommusim_policy_dma_iommu_4_4 = {
	.size = sizeof(struct iommusim_policy),
	.name = "dma-iommu-4.4",
	.alias = "P1",
	.kernels = "4.4",
	.source = "__iommu_dma_alloc_pages(), drivers/iommu/dma-iommu.c, commit 0db2e5d18f76",
	.summary = "every chunk starts at the largest order that fits and steps down to 0; "
		   "the IOMMU's page sizes and the attributes are not looked at",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &restarting,
	.family = "history",
	.quirks = "tries orders that failed again for every chunk; order 11, which cannot succeed, "
		  "for every chunk while 2,048 pages or more are left; " COMPOUND,
	.takes_comp = 1,
};

const struct iommusim_policy iommusim_policy_dma_iommu_4_5 = {
	.size = sizeof(struct iommusim_policy),
	.name = "dma-iommu-4.5",
	.alias = "P2",
	.kernels = "4.5 to 4.6",
	.source = "__iommu_dma_alloc_pages(), drivers/iommu/dma-iommu.c, Linux 4.5",
	.summary = "as dma-iommu-4.4, but an order that failed is not tried again for the buffer",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &sticky,
	.family = "history",
	.quirks = "tries order 11 once, which cannot succeed, for 2,048 pages or more; " COMPOUND,
	.takes_comp = 1,
};

const struct iommusim_policy iommusim_policy_single_pages_patch = {
	.size = sizeof(struct iommusim_policy),
	.name = "single-pages-patch",
	.alias = "P3",
	.kernels = "never merged; posted for 4.6",
	.source = "arm64/dma-mapping: Add DMA_ATTR_ALLOC_SINGLE_PAGES support, March 2016",
	.summary = "as dma-iommu-4.5; with ALLOC_SINGLE_PAGES every chunk is one CPU page, "
		   "whatever the IOMMU can map",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &sticky_or_single,
	.family = "history",
	.quirks = "a domain whose smallest page is above the CPU page is handed single CPU "
		  "pages; " COMPOUND,
	.takes_comp = 1,
};

const struct iommusim_policy iommusim_policy_arm_orders_4_6 = {
	.size = sizeof(struct iommusim_policy),
	.name = "arm-orders-4.6",
	.alias = "A4",
	.kernels = "4.6 and later, arch/arm",
	.source = "__iommu_alloc_buffer(), arch/arm/mm/dma-mapping.c, ARM 8505/1 to 8507/1",
	.summary = "orders 9, 8, 4 and 0, one that failed is not tried again; "
		   "with ALLOC_SINGLE_PAGES order 0 only",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_arm_ladder,
	.params = &arm_orders,
	.family = "history",
	.is_arm = 1,
	.quirks = "looks at no page size: the table fits pages of 4K, 64K, 1M and 2M; " ISIM_FORCED,
};

const struct iommusim_policy iommusim_policy_dma_iommu_4_7 = {
	.size = sizeof(struct iommusim_policy),
	.name = "dma-iommu-4.7",
	.alias = "P4",
	.kernels = "4.7 to 5.9",
	.source = "__iommu_dma_alloc_pages(), drivers/iommu/dma-iommu.c, commit 3b6b7e19e31a",
	.summary = "only orders that a page size of the IOMMU can use, largest first; the lowest "
		   "gets the full effort; one order beyond the largest is tried in vain",
	.plan = isim_chunk_plan_mask,
	.alloc = isim_chunk_alloc_mask,
	.params = &splitting,
	.family = "history",
	.quirks = "page sizes of 4 GiB and more are cut off the bitmap; the order above the "
		  "largest is tried once where a page size has it; " TAIL "; " COMPOUND,
	.takes_comp = 1,
};

const struct iommusim_policy iommusim_policy_dma_iommu_5_10 = {
	.size = sizeof(struct iommusim_policy),
	.name = "dma-iommu-5.10",
	.alias = "P4b",
	.kernels = "5.10 to 6.3",
	.source = "__iommu_dma_alloc_pages(), drivers/iommu/dma-iommu.c, commit 4604393ca0c6; "
		  "read in Linux 6.1",
	.summary = "as dma-iommu-4.7, but COMP is dropped",
	.plan = isim_chunk_plan_mask,
	.alloc = isim_chunk_alloc_mask,
	.params = &exclusive,
	.family = "history",
	.quirks = "page sizes of 4 GiB and more are cut off the bitmap; the order above the "
		  "largest is tried once where a page size has it; " TAIL,
	.takes_comp = 1,
};

const struct iommusim_policy iommusim_policy_dma_iommu_6_4 = {
	.size = sizeof(struct iommusim_policy),
	.name = "dma-iommu-6.4",
	.alias = "P5",
	.kernels = "6.4 and later",
	.source = "__iommu_dma_alloc_pages(), drivers/iommu/dma-iommu.c, commit 61883d3c3241; "
		  "read in Linux 6.12",
	.summary = "as dma-iommu-5.10, without the order that cannot succeed; callers with COMP "
		   "are refused before",
	.plan = isim_chunk_plan_mask,
	.alloc = isim_chunk_alloc_mask,
	.params = &inclusive,
	.family = "history",
	.quirks = "page sizes of 4 GiB and more are cut off the bitmap; " TAIL,
};

static const struct iommusim_policy *const history[] = {
	&iommusim_policy_dma_iommu_4_4,      &iommusim_policy_dma_iommu_4_5,
	&iommusim_policy_single_pages_patch, &iommusim_policy_arm_orders_4_6,
	&iommusim_policy_dma_iommu_4_7,      &iommusim_policy_dma_iommu_5_10,
	&iommusim_policy_dma_iommu_6_4,
};

const struct iommusim_policy *iommusim_policy_at(size_t index)
{
	size_t nr = ISIM_ARRAY_LEN(history);

	if (index < nr)
		return history[index];
	return index - nr < isim_policies_nr_others ? isim_policies_others[index - nr] : NULL;
}

const struct iommusim_policy *iommusim_policy_of_kernel(unsigned kernel)
{
	static const struct {
		unsigned since;
		const struct iommusim_policy *policy;
	} releases[] = {
		{ IOMMUSIM_KERNEL(6, 4), &iommusim_policy_dma_iommu_6_4 },
		{ IOMMUSIM_KERNEL(5, 10), &iommusim_policy_dma_iommu_5_10 },
		{ IOMMUSIM_KERNEL(4, 7), &iommusim_policy_dma_iommu_4_7 },
		{ IOMMUSIM_KERNEL(4, 5), &iommusim_policy_dma_iommu_4_5 },
		{ IOMMUSIM_KERNEL(4, 4), &iommusim_policy_dma_iommu_4_4 },
	};

	for (size_t i = 0; i < ISIM_ARRAY_LEN(releases); i++)
		if (kernel >= releases[i].since)
			return releases[i].policy;
	return NULL;
}

const struct iommusim_policy *iommusim_policy_find(const char *name)
{
	const struct iommusim_policy *policy;

	for (size_t i = 0; (policy = iommusim_policy_at(i)) != NULL; i++)
		if (!strcmp(policy->name, name) || !strcmp(policy->alias, name))
			break;
	return policy;
}

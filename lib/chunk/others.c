/* SPDX-License-Identifier: MIT */
/*
 * The loops of other allocators, and what the history left behind in copies. Each is a row for one
 * of the engines: steps, ladder, mask, or large.
 */
#include "chunk/run.h"

#define BIT(name) IOMMUSIM_GFP_BIT_##name

/* ---- arch/arm, copies, proposals ---- */

static const struct isim_steps rfc = {
	.singles = 2,
	.limit = ISIM_LIMIT_NONE,
	.gfp = { .ignored = BIT(COMP), .always = BIT(NOWARN) },
};
static const struct isim_steps smallest_first = {
	.upwards = 1,
	.forgets = 1,
	.limit = ISIM_LIMIT_NONE,
	.gfp = { .ignored = BIT(COMP), .always = BIT(NOWARN) },
};
static const struct isim_steps largest_first = {
	.limit = ISIM_LIMIT_NONE,
	.gfp = { .ignored = BIT(COMP), .always = BIT(NOWARN) | BIT(HIGHMEM) },
};
static const struct isim_steps no_retry = {
	.limit = ISIM_LIMIT_NONE,
	.gfp = { .ignored = BIT(COMP), .always = BIT(NOWARN) | BIT(HIGHMEM), .high = BIT(NORETRY) },
};
static const struct isim_steps ipu = {
	.limit = ISIM_LIMIT_NONE,
	.gfp = { .ignored = BIT(COMP), .always = BIT(NOWARN) },
};
static const struct isim_steps imgu = {
	.singles = 2,
	.gfp = { .always = IOMMUSIM_GFP_KERNEL | BIT(HIGHMEM) | BIT(ZERO) },
};
static const struct isim_steps msm = {
	.sticky = 1,
	.gfp = { .always = BIT(NOWARN) | BIT(HIGHMEM),
	         .high = BIT(NORETRY),
	         .never_high = IOMMUSIM_GFP_RECLAIM },
};
static const struct isim_steps automotive = {
	.limit = ISIM_LIMIT_NONE,
	.gfp = { .always = BIT(NOWARN), .highmem_unless_zone = 1 },
};

const struct iommusim_policy iommusim_policy_arm_rfc = {
	.size = sizeof(struct iommusim_policy),
	.name = "arm-rfc",
	.alias = "A0",
	.kernels = "posted 2011, arch/arm",
	.source = "__iommu_alloc_buffer(), arch/arm/mm/dma-mapping.c, RFC of 2011",
	.summary = "single pages only",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &rfc,
	.family = "arm",
	.is_arm = 1,
	.quirks = "none",
};

const struct iommusim_policy iommusim_policy_arm_3_5 = {
	.size = sizeof(struct iommusim_policy),
	.name = "arm-3.5",
	.alias = "A1",
	.kernels = "3.5 to about 3.8, arch/arm",
	.source = "__iommu_alloc_buffer(), arch/arm/mm/dma-mapping.c, Linux 3.5",
	.summary =
		"every chunk starts at the lowest bit of the pages that are left, and steps down",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_arm_steps,
	.params = &smallest_first,
	.family = "arm",
	.is_arm = 1,
	.quirks = "the smallest pieces come first, so that the large ones are not aligned in the "
		  "IOVA range; after a failure the first page is not given back; " ISIM_FORCED,
};

const struct iommusim_policy iommusim_policy_arm_3_9 = {
	.size = sizeof(struct iommusim_policy),
	.name = "arm-3.9",
	.alias = "A2",
	.kernels = "about 3.9 to 4.0, arch/arm",
	.source = "__iommu_alloc_buffer(), arch/arm/mm/dma-mapping.c, commit 593f47355467",
	.summary = "every chunk starts at the largest order that fits and steps down to 0, with "
		   "the full effort",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_arm_steps,
	.params = &largest_first,
	.family = "arm",
	.is_arm = 1,
	.quirks = "never NORETRY: orders 1 to 3 reclaim and may kill before they fail; orders "
		  "above the largest are tried in vain; " ISIM_FORCED,
};

const struct iommusim_policy iommusim_policy_arm_4_1 = {
	.size = sizeof(struct iommusim_policy),
	.name = "arm-4.1",
	.alias = "A3",
	.kernels = "about 4.1 to 4.5, arch/arm (from memory, not read)",
	.source = "__iommu_alloc_buffer(), arch/arm/mm/dma-mapping.c",
	.summary = "as arm-3.9, with NORETRY above order 0",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_arm_steps,
	.params = &no_retry,
	.family = "arm",
	.is_arm = 1,
	.quirks = "tries orders that failed again for every chunk; orders above the largest in "
		  "vain; " ISIM_FORCED,
};

const struct iommusim_policy iommusim_policy_ipu_camera = {
	.size = sizeof(struct iommusim_policy),
	.name = "ipu-camera",
	.alias = "N1",
	.kernels = "6.10 and later",
	.source = "drivers/staging/media/ipu6 and ipu7, DMA code",
	.summary = "as arm-3.9, without HIGHMEM",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &ipu,
	.family = "media",
	.quirks = "never NORETRY",
};

const struct iommusim_policy iommusim_policy_ipu3_imgu = {
	.size = sizeof(struct iommusim_policy),
	.name = "ipu3-imgu",
	.alias = "N2",
	.kernels = "5.0 and later",
	.source = "drivers/staging/media/ipu3/ipu3-dmamap.c",
	.summary = "a copy of dma-iommu-4.7 whose mask is order 0: single pages",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &imgu,
	.family = "media",
	.quirks = "its branch for larger orders is dead code",
};

const struct iommusim_policy iommusim_policy_msm_4_4 = {
	.size = sizeof(struct iommusim_policy),
	.name = "msm-4.4",
	.alias = "N3",
	.kernels = "4.4, a handset tree",
	.source = "drivers/iommu/dma-iommu.c of a vendor tree, 2016 and 2017",
	.summary = "as dma-iommu-4.5; above order 0 nothing is reclaimed",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &msm,
	.family = "vendor",
	.quirks = "no kswapd either above order 0",
	.takes_comp = 1,
};

const struct iommusim_policy iommusim_policy_automotive_4_9 = {
	.size = sizeof(struct iommusim_policy),
	.name = "automotive-4.9",
	.alias = "N4",
	.kernels = "4.9, an automotive tree",
	.source = "drivers/iommu/dma-iommu.c of a vendor tree",
	.summary = "every chunk starts at the largest order that fits and steps down to 0, with "
		   "the full effort; HIGHMEM only where the caller names no zone",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &automotive,
	.family = "vendor",
	.quirks = "looks at no page size; never NORETRY; orders above the largest in vain",
};

const struct iommusim_policy iommusim_policy_large_granule = {
	.size = sizeof(struct iommusim_policy),
	.name = "large-granule-2021",
	.alias = "P6",
	.kernels = "never merged; posted for 5.15",
	.source = "Support IOMMU page sizes larger than the CPU page size, v3, October 2021",
	.summary = "as dma-iommu-4.7, but the size is not rounded to the granule: the tail is cut "
		   "out of a block of the smallest order",
	.plan = isim_chunk_plan_large,
	.alloc = isim_chunk_alloc_large,
	.params = NULL,
	.family = "proposal",
	.quirks =
		"with several page sizes the smallest order is taken for the largest; the widened "
		"mapping of the tail lets the device reach pages that are not the buffer's",
	.takes_comp = 1,
};

/* ---- Heaps and pools ---- */

#define HEAP      (IOMMUSIM_GFP_HIGHUSER | BIT(ZERO))
#define HEAP_HIGH ((HEAP | BIT(NOWARN) | BIT(NORETRY)) & ~IOMMUSIM_GFP_RECLAIM)

static const struct isim_ladder ion_2012 = {
	.nr = 3,
	.order = { 8, 4, 0 },
	.gfp = { HEAP | BIT(COMP) | BIT(NOWARN) | BIT(NORETRY),
	         HEAP | BIT(COMP) | BIT(NOWARN) | BIT(NORETRY),
	         HEAP | BIT(COMP) | BIT(NOWARN) | BIT(NORETRY) },
	.restarts = 1,
	.whole = 1,
};
static const struct isim_ladder ion_pools = {
	.nr = 3,
	.order = { 8, 4, 0 },
	.gfp = { HEAP_HIGH, HEAP, HEAP },
	.whole = 1,
};
static const struct isim_ladder heap_5_11 = {
	.nr = 3,
	.order = { 8, 4, 0 },
	.gfp = { HEAP_HIGH | BIT(COMP), HEAP | BIT(COMP) | BIT(NOWARN), HEAP | BIT(COMP) },
	.whole = 1,
};
static const struct isim_ladder heap_6_4 = {
	.nr = 3,
	.order = { 8, 4, 0 },
	.gfp = { HEAP_HIGH | BIT(COMP), HEAP_HIGH | BIT(COMP), HEAP },
	.whole = 1,
};
static const struct isim_ladder kgsl = {
	.nr = 4,
	.size_lg2 = { 20, 16, 13, 12 },
	.by_order = { .ignored = ~BIT(ZERO),
	              .always = IOMMUSIM_GFP_KERNEL | BIT(HIGHMEM),
	              .high = BIT(COMP) | BIT(NORETRY) | BIT(NOWARN),
	              .never_high = BIT(DIRECT_RECLAIM) },
	.whole = 1,
};
static const struct isim_steps vb2 = {
	.limit = ISIM_LIMIT_NONE,
	.gfp = { .always = IOMMUSIM_GFP_KERNEL | BIT(ZERO) | BIT(NOWARN) },
};

/* TTM: the caller's ZERO, RETRY_MAYFAIL and DMA32 are the pool's. */
#define TTM_GFP(more)                                                         \
	{                                                                     \
		.ignored = ~(BIT(ZERO) | BIT(RETRY_MAYFAIL) | BIT(DMA32)),    \
		.always = IOMMUSIM_GFP_USER, .highmem_unless_zone = 1,        \
		.high = BIT(NOMEMALLOC) | BIT(NORETRY) | BIT(NOWARN) | (more) \
	}

static const struct isim_steps ttm_6_1 = {
	.sticky = 1,
	.whole = 1,
	.limit = ISIM_LIMIT_LARGEST,
	.gfp = TTM_GFP(BIT(KSWAPD_RECLAIM)),
};
static const struct isim_steps ttm_6_12 = {
	.sticky = 1,
	.whole = 1,
	.limit = ISIM_LIMIT_LARGEST,
	.gfp = TTM_GFP(BIT(THISNODE)),
};
static const struct isim_steps ttm_6_19 = {
	.sticky = 1,
	.whole = 1,
	.no_reclaim_above = 9,
	.limit = ISIM_LIMIT_LARGEST,
	.gfp = TTM_GFP(BIT(THISNODE)),
};

#define I915_GFP                                                                             \
	{                                                                                    \
		.ignored = ~(BIT(ZERO) | BIT(DMA32)),                                        \
		.always = IOMMUSIM_GFP_KERNEL | BIT(RECLAIMABLE), .highmem_unless_zone = 1,  \
		.high = BIT(NORETRY) | BIT(NOWARN), .last = BIT(RETRY_MAYFAIL) | BIT(NOWARN) \
	}

static const struct isim_steps i915 = {
	.sticky = 1,
	.whole = 1,
	.limit = ISIM_LIMIT_LARGEST,
	.gfp = I915_GFP,
};
static const struct isim_steps i915_single = {
	.singles = 2,
	.whole = 1,
	.gfp = I915_GFP,
};
static const struct isim_steps drm_buddy = {
	.sticky = 1,
	.whole = 1,
	.floor = 1,
	.limit = ISIM_LIMIT_LARGEST,
	.gfp = { .ignored = UINT32_MAX },
};

const struct iommusim_policy iommusim_policy_ion_2012 = {
	.size = sizeof(struct iommusim_policy),
	.name = "ion-2012",
	.alias = "H1",
	.kernels = "3.4 era, Android",
	.source = "ION system heap, 2012",
	.summary = "blocks of order 8, 4 and 0, each chunk from the largest that fits; not split",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_ladder,
	.params = &ion_2012,
	.family = "heap",
	.quirks = "NORETRY even for order 0",
	.first_back_first = 1,
};

const struct iommusim_policy iommusim_policy_ion_pools = {
	.size = sizeof(struct iommusim_policy),
	.name = "ion-pools",
	.alias = "H2",
	.kernels = "3.x to 4.19, staging",
	.source = "drivers/staging/android/ion/ion_system_heap.c",
	.summary = "orders 8, 4 and 0, none larger than the one got before; not split",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_ladder,
	.params = &ion_pools,
	.family = "heap",
	.quirks = "order 4 gets the full effort and warns; simplifies: the page pools are empty",
	.first_back_first = 1,
};

const struct iommusim_policy iommusim_policy_system_heap_5_11 = {
	.size = sizeof(struct iommusim_policy),
	.name = "system-heap-5.11",
	.alias = "H3a",
	.kernels = "5.11 to 6.3",
	.source = "system_heap_allocate(), drivers/dma-buf/heaps/system_heap.c, read in Linux 6.1",
	.summary = "as ion-pools, with compound blocks",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_ladder,
	.params = &heap_5_11,
	.family = "heap",
	.quirks = "order 4 gets the full effort",
	.first_back_first = 1,
};

const struct iommusim_policy iommusim_policy_system_heap_6_4 = {
	.size = sizeof(struct iommusim_policy),
	.name = "system-heap-6.4",
	.alias = "H3b",
	.kernels = "6.4 and later",
	.source = "system_heap_allocate(), drivers/dma-buf/heaps/system_heap.c, read in Linux 6.12",
	.summary = "as system-heap-5.11, and order 4 reclaims nothing",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_ladder,
	.params = &heap_6_4,
	.family = "heap",
	.quirks = "order 0 warns and gets the full effort",
	.first_back_first = 1,
};

const struct iommusim_policy iommusim_policy_kgsl = {
	.size = sizeof(struct iommusim_policy),
	.name = "kgsl-pool",
	.alias = "Q1",
	.kernels = "3.18 to 4.19, vendor trees",
	.source = "kgsl_pool_alloc_page(), drivers/gpu/msm/kgsl_pool.c",
	.summary = "blocks of 1M, 64K, 8K and a page, one that failed is not tried again",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_ladder,
	.params = &kgsl,
	.family = "vendor",
	.quirks = "simplifies: the pools are empty, and compound blocks stay whole until they are "
		  "freed",
	.first_back_first = 1,
};

const struct iommusim_policy iommusim_policy_vb2_dma_sg = {
	.size = sizeof(struct iommusim_policy),
	.name = "vb2-dma-sg",
	.alias = "V1",
	.kernels = "3.x and later",
	.source = "vb2_dma_sg_alloc_compacted(), drivers/media/common/videobuf2/videobuf2-dma-sg.c",
	.summary = "every chunk starts at the largest order that fits and steps down to 0",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &vb2,
	.family = "media",
	.quirks = "never NORETRY: orders 1 to 3 reclaim and may kill before they fail",
};

const struct iommusim_policy iommusim_policy_ttm_6_1 = {
	.size = sizeof(struct iommusim_policy),
	.name = "ttm-pool-6.1",
	.alias = "T1a",
	.kernels = "5.11 to 6.11",
	.source = "ttm_pool_alloc(), drivers/gpu/drm/ttm/ttm_pool.c, read in Linux 6.1",
	.summary = "the largest order that fits, one that failed is not tried again; not split",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &ttm_6_1,
	.family = "drm",
	.quirks = "simplifies: the pools are empty",
	.first_back_first = 1,
};

const struct iommusim_policy iommusim_policy_ttm_6_12 = {
	.size = sizeof(struct iommusim_policy),
	.name = "ttm-pool-6.12",
	.alias = "T1b",
	.kernels = "6.12 to 6.18",
	.source = "ttm_pool_alloc(), drivers/gpu/drm/ttm/ttm_pool.c, read in Linux 6.12",
	.summary = "as ttm-pool-6.1, above order 0 on the pool's node only",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &ttm_6_12,
	.family = "drm",
	.quirks = "simplifies: the pools are empty",
	.first_back_first = 1,
};

const struct iommusim_policy iommusim_policy_ttm_6_19 = {
	.size = sizeof(struct iommusim_policy),
	.name = "ttm-pool-6.19",
	.alias = "T1c",
	.kernels = "6.19 and later, with a driver whose beneficial order is 9",
	.source = "ttm_pool_alloc(), drivers/gpu/drm/ttm/ttm_pool.c, commit 7e9c548d3709",
	.summary = "as ttm-pool-6.12, and above order 9 nothing is reclaimed directly",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &ttm_6_19,
	.family = "drm",
	.quirks = "until a fix of February 2026 any beneficial order acted as 1; simplifies: the "
		  "pools are empty",
	.first_back_first = 1,
};

const struct iommusim_policy iommusim_policy_i915_internal = {
	.size = sizeof(struct iommusim_policy),
	.name = "i915-internal",
	.alias = "I1",
	.kernels = "4.x and later",
	.source = "i915_gem_object_get_pages_internal(), "
		  "drivers/gpu/drm/i915/gem/i915_gem_internal.c",
	.summary = "the largest order that fits, one that failed is not tried again; not split",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &i915,
	.family = "drm",
	.quirks = "simplifies: no segment is too long for the device",
	.first_back_first = 1,
};

const struct iommusim_policy iommusim_policy_i915_single = {
	.size = sizeof(struct iommusim_policy),
	.name = "i915-single",
	.alias = "I1s",
	.kernels = "4.x and later",
	.source = "i915_gem_object_get_pages_internal(), "
		  "drivers/gpu/drm/i915/gem/i915_gem_internal.c",
	.summary = "what i915-internal does after the mapping failed: single pages",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &i915_single,
	.family = "drm",
	.quirks = "none",
	.first_back_first = 1,
};

const struct iommusim_policy iommusim_policy_drm_buddy = {
	.size = sizeof(struct iommusim_policy),
	.name = "drm-buddy",
	.alias = "G1",
	.kernels = "5.19 and later, device memory",
	.source = "drm_buddy_alloc_blocks(), drivers/gpu/drm/drm_buddy.c",
	.summary = "the largest order that fits, one that failed is not tried again, none below "
		   "the smallest page",
	.plan = isim_chunk_plan_pages,
	.alloc = isim_chunk_alloc_steps,
	.params = &drm_buddy,
	.family = "drm",
	.quirks = "device memory has no gfp, so nothing is reclaimed; simplifies: which block is "
		  "taken is the page source's choice",
	.first_back_first = 1,
};

const struct iommusim_policy *const isim_policies_others[] = {
	&iommusim_policy_arm_rfc,         &iommusim_policy_arm_3_5,
	&iommusim_policy_arm_3_9,         &iommusim_policy_arm_4_1,
	&iommusim_policy_ipu_camera,      &iommusim_policy_ipu3_imgu,
	&iommusim_policy_msm_4_4,         &iommusim_policy_automotive_4_9,
	&iommusim_policy_large_granule,   &iommusim_policy_ion_2012,
	&iommusim_policy_ion_pools,       &iommusim_policy_system_heap_5_11,
	&iommusim_policy_system_heap_6_4, &iommusim_policy_kgsl,
	&iommusim_policy_vb2_dma_sg,      &iommusim_policy_ttm_6_1,
	&iommusim_policy_ttm_6_12,        &iommusim_policy_ttm_6_19,
	&iommusim_policy_i915_internal,   &iommusim_policy_i915_single,
	&iommusim_policy_drm_buddy,
};

const size_t isim_policies_nr_others =
	sizeof(isim_policies_others) / sizeof(isim_policies_others[0]);

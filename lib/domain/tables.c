/* SPDX-License-Identifier: MIT */
/* Page tables as a driver: what an unmap frees is gathered for the IOTLB. */
#include "domain/domain.h"

static int map_pages(void *ctx, const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	return iommusim_pgtable_map(ctx, pages, mapped);
}

static void gather_leaves(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count)
{
	iommusim_gather_add_pages(ctx, iova, pgsize, count);
}

/* A walker may be reading the table: it must have let go of it before it is freed. */
static void flush_table(void *ctx, uint64_t iova, uint64_t bytes)
{
	struct iommusim_gather *gather = ctx, now;

	iommusim_gather_init(&now, gather->domain);
	iommusim_gather_add_page(&now, iova, bytes);
	iommusim_gather_sync(&now);
}

static uint64_t unmap_pages(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                            struct iommusim_gather *gather)
{
	struct iommusim_pgtable_flush flush = { .ctx = gather,
		                                .leaves = gather_leaves,
		                                .table = flush_table };

	return iommusim_pgtable_unmap(ctx, iova, pgsize, count, &flush);
}

static uint64_t iova_to_phys(void *ctx, uint64_t iova)
{
	return iommusim_pgtable_iova_to_phys(ctx, iova);
}

struct iommusim_driver iommusim_pgtable_driver(struct iommusim_pgtable *pgtable)
{
	struct iommusim_driver driver = { .size = sizeof(driver),
		                          .ctx = pgtable,
		                          .map_pages = map_pages,
		                          .unmap_pages = unmap_pages,
		                          .iova_to_phys = iova_to_phys };

	return driver;
}

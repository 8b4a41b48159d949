/* SPDX-License-Identifier: MIT */
/* Page tables for the tests, in the arena. */
#ifndef PGTABLE_TEST_H
#define PGTABLE_TEST_H

#include <stdlib.h>
#include <string.h>

#include "test.h"

/* As @config says, with page sizes {4K,2M,1G} unless it names others. */
static inline struct iommusim_pgtable *given_pgtable(struct iommusim_pgtable_config config)
{
	struct iommusim_pgtable *pgtable = NULL;

	config.size = sizeof(config);
	if (!config.pgsizes)
		config.pgsizes = SZ_4K | SZ_2M | SZ_1G;
	assert_ok(iommusim_pgtable_create(&config, &pgtable));
	return pgtable;
}

static inline int try_map(struct iommusim_pgtable *pgtable, uint64_t iova, uint64_t pa,
                          uint64_t pgsize, uint64_t count)
{
	struct iommusim_map_pages pages = { .iova = iova,
		                            .pa = pa,
		                            .pgsize = pgsize,
		                            .count = count,
		                            .prot = IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE };
	uint64_t mapped = 77;
	int err = iommusim_pgtable_map(pgtable, &pages, &mapped);

	assert_int_equal(mapped, err ? 0 : pgsize * count);
	return err;
}

static inline void map_ok(struct iommusim_pgtable *pgtable, uint64_t iova, uint64_t pa,
                          uint64_t pgsize, uint64_t count)
{
	assert_ok(try_map(pgtable, iova, pa, pgsize, count));
}

static inline uint64_t unmap(struct iommusim_pgtable *pgtable, uint64_t iova, uint64_t pgsize,
                             uint64_t count)
{
	return iommusim_pgtable_unmap(pgtable, iova, pgsize, count, NULL);
}

#endif

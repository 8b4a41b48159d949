/* SPDX-License-Identifier: MIT */
/* A device over small memory and the recording driver, watched by the shadow. */
#ifndef RIG_H
#define RIG_H

#include <stdlib.h>
#include <string.h>

#include "shadow.h"
#include "test.h"

#define KERNEL_6_1  IOMMUSIM_KERNEL(6, 1)
#define KERNEL_6_12 IOMMUSIM_KERNEL(6, 12)

struct rig_config {
	unsigned kernel;
	uint64_t pgsizes;
	uint64_t frames;        /* 0: 4096, 16 MiB */
	uint64_t iova_start;    /* lowest frame of the IOVA space */
	unsigned iova_cpus;     /* with caches; 0: none */
	uint64_t fail_map, cap; /* of the recording driver */
	const struct iommusim_host *domain_host, *iova_host, *recorder_host;
	const struct iommusim_host *host;
	struct iommusim_dma_config dma; /* what is to differ from the default */
};

struct rig {
	struct iommusim_phys *phys;
	struct iommusim_recorder *recorder;
	struct shadow shadow;
	struct iommusim_domain *domain;
	struct iommusim_iova *iova;
	struct iommusim_dma *dma;
	uint64_t nr_free[IOMMUSIM_MAX_ORDERS]; /* blocks, before the first request */
};

static inline void create_phys(struct rig *rig, const struct rig_config *c)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = 1 << 20,
		                             .nr_frames = c->frames ? c->frames : 4096 };
	struct iommusim_phys_config config = {
		.size = sizeof(config), .kernel = c->kernel, .zones = &zone, .nr_zones = 1
	};

	assert_ok(iommusim_phys_create(&config, &rig->phys));
}

static inline void note_free(struct rig *rig)
{
	for (unsigned order = 0; order < IOMMUSIM_MAX_ORDERS; order++)
		rig->nr_free[order] = iommusim_phys_nr_free_blocks(rig->phys, order);
}

static inline unsigned granule_lg2(uint64_t pgsizes)
{
	unsigned n = 0;

	while (!(pgsizes >> n & 1))
		n++;
	return n;
}

/* Everything but the device itself. */
static inline struct rig *given_parts(const struct rig_config *c)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct iommusim_recorder_config recorder = { .size = sizeof(recorder),
		                                     .cap = c->cap,
		                                     .fail_map = c->fail_map,
		                                     .keep_calls = 1,
		                                     .host = c->recorder_host };
	struct iommusim_driver driver;
	struct iommusim_domain_config domain = { .size = sizeof(domain),
		                                 .kernel = c->kernel,
		                                 .pgsizes = c->pgsizes,
		                                 .driver = &driver,
		                                 .host = c->domain_host };
	struct iommusim_iova_config iova = { .size = sizeof(iova),
		                             .granule_lg2 = granule_lg2(c->pgsizes),
		                             .start = c->iova_start,
		                             .kernel = c->kernel,
		                             .nr_cpus = c->iova_cpus,
		                             .host = c->iova_host };

	assert_non_null(rig);
	rig->shadow.granule = UINT64_C(1) << iova.granule_lg2;
	rig->shadow.page_shift = c->dma.page_shift ? c->dma.page_shift : 12;
	rig->shadow.is_strict = c->dma.invalidation == IOMMUSIM_INVALIDATE_STRICT;
	create_phys(rig, c);
	note_free(rig);
	assert_ok(iommusim_recorder_create(&recorder, &rig->recorder));
	driver = shadow_driver(&rig->shadow, iommusim_recorder_driver(rig->recorder));
	assert_ok(iommusim_domain_create(&domain, &rig->domain));
	assert_ok(iommusim_iova_create(&iova, &rig->iova));
	return rig;
}

static inline int create_device(struct rig *rig, const struct rig_config *c)
{
	struct iommusim_page_source source =
		shadow_source(&rig->shadow, iommusim_phys_source(rig->phys));
	struct iommusim_dma_config config = c->dma;

	config.size = sizeof(config);
	config.kernel = c->kernel;
	config.domain = rig->domain;
	config.iova = rig->iova;
	config.source = &source;
	config.host = c->host;
	return iommusim_dma_create(&config, &rig->dma);
}

static inline struct rig *given_rig(const struct rig_config *c)
{
	struct rig *rig = given_parts(c);

	assert_ok(create_device(rig, c));
	return rig;
}

static inline void finish(struct rig *rig)
{
	iommusim_dma_destroy(rig->dma);
	iommusim_iova_destroy(rig->iova);
	iommusim_domain_destroy(rig->domain);
	iommusim_recorder_destroy(rig->recorder);
	iommusim_phys_destroy(rig->phys);
	shadow_finish(&rig->shadow);
	free(rig);
}

/* As before the first request: every block free again, no IOVA range, nothing mapped. */
static inline void assert_untouched(struct rig *rig)
{
	struct iommusim_mapped_range range;

	assert_ok(iommusim_phys_check(rig->phys));
	for (unsigned order = 0; order < IOMMUSIM_MAX_ORDERS; order++)
		assert_int_equal(iommusim_phys_nr_free_blocks(rig->phys, order),
		                 rig->nr_free[order]);
	iommusim_iova_flush(rig->iova);
	assert_int_equal(iommusim_iova_nr_ranges(rig->iova), 0);
	assert_int_equal(iommusim_recorder_next(rig->recorder, 0, &range), 0);
	shadow_check_empty(&rig->shadow, rig->recorder);
}

/* Of 2^@order frames of every second such block only the first is free: neighbours never adjoin. */
static inline void fragment(struct rig *rig)
{
	struct iommusim_page_request req = { .gfp = IOMMUSIM_GFP_KERNEL, .node = -1 };
	struct iommusim_page_block block;
	uint64_t first = 1 << 20, nr = 0;

	while (!iommusim_phys_alloc(rig->phys, &req, &block))
		nr++;
	for (uint64_t i = 0; i < nr; i += 2)
		assert_ok(iommusim_phys_free(rig->phys, first + i, 0));
	note_free(rig);
}

static inline struct iommusim_dma_request request_of(const struct iommusim_policy *policy,
                                                     uint64_t size)
{
	struct iommusim_dma_request req = { .policy = policy,
		                            .size = size,
		                            .gfp = IOMMUSIM_GFP_KERNEL };

	return req;
}

#endif

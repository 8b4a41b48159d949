/* SPDX-License-Identifier: MIT */
/* Small machines for the tests of phys, and what they look at. */
#ifndef PHYS_TEST_H
#define PHYS_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define MAX_LISTED 64

/* One zone NORMAL of @frames from pfn @start, as after boot or with nothing free. */
static inline struct iommusim_phys *given_zone(struct iommusim_phys_config config, uint64_t start,
                                               uint64_t frames)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = start,
		                             .nr_frames = frames };
	struct iommusim_phys *phys = NULL;

	config.size = sizeof(config);
	config.zones = &zone;
	config.nr_zones = 1;
	assert_ok(iommusim_phys_create(&config, &phys));
	return phys;
}

static inline iommusim_pfn take(struct iommusim_phys *phys, unsigned order, uint32_t gfp)
{
	struct iommusim_page_request req = { .order = order, .gfp = gfp, .node = -1 };
	struct iommusim_page_block block = { .pfn = IOMMUSIM_NO_PFN };

	assert_ok(iommusim_phys_alloc(phys, &req, &block));
	return block.pfn;
}

#define KERNEL  IOMMUSIM_GFP_KERNEL
#define MOVABLE (IOMMUSIM_GFP_KERNEL | IOMMUSIM_GFP_BIT_MOVABLE)

/* The list as text, "0 1024 2048", from its head. */
static inline const char *list_text(const struct iommusim_phys *phys, unsigned order, unsigned type)
{
	static char text[MAX_LISTED * 12];
	struct iommusim_list_id id = { .zone = 0, .order = order, .type = type };
	iommusim_pfn pfns[MAX_LISTED];
	int nr = iommusim_phys_list(phys, id, pfns, MAX_LISTED);
	size_t at = 0;

	text[0] = 0;
	for (int i = 0; i < nr; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%llu", i ? " " : "",
		                       (unsigned long long)pfns[i]);
	return text;
}

#define assert_list(phys, order, type, text) \
	assert_string_equal(list_text(phys, order, IOMMUSIM_##type), text)

/* Take all of it as movable single pages, then free the pages @first .. @last one by one. */
static inline void take_everything_movable(struct iommusim_phys *phys)
{
	struct iommusim_page_request req = { .order = 0, .gfp = MOVABLE, .node = -1 };
	struct iommusim_page_block block;

	while (!iommusim_phys_alloc(phys, &req, &block))
		;
	assert_int_equal(iommusim_phys_nr_free(phys), 0);
}

static inline void free_pages(struct iommusim_phys *phys, iommusim_pfn first, iommusim_pfn last)
{
	for (iommusim_pfn pfn = first; pfn <= last; pfn++)
		assert_ok(iommusim_phys_free(phys, pfn, 0));
}

#endif

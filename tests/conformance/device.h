/* SPDX-License-Identifier: MIT */
/* The device of a record: an IOVA space and a domain over a driver that records its calls. */
#ifndef DEVICE_H
#define DEVICE_H

#include "record.h"

struct device_config {
	unsigned kernel, page_shift;
	uint64_t pgsizes;
	uint64_t cap, fail_map;                    /* of the recording driver */
	uint64_t start_pfn;                        /* of the IOVA space; 0: default */
	const struct iommusim_page_source *source; /* NULL: no pages are needed */
	struct iommusim_dma_config dma;            /* what is to differ from the default */
};

struct device {
	struct iommusim_recorder *recorder;
	struct iommusim_domain *domain;
	struct iommusim_iova *iova;
	struct iommusim_dma *dma;
};

/* Zeroed before. Returns 0 or the error of the part that cannot be; then destroy it too. */
int device_create(struct device *device, const struct device_config *config);
void device_destroy(struct device *device);

/* For each bit n of @pre from the lowest on, a range of 2^n granules is taken, none above @limit.
 */
void device_take_ranges(struct device *device, uint64_t pre, uint64_t limit);

/* The driver calls from number @at on, against the list @key of [kind, iova, pa, page size, count,
   done]. Returns how many there are now. */
size_t device_compare_calls(struct record *record, const struct device *device, size_t at,
                            const char *key);

#endif

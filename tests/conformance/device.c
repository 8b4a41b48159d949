/* SPDX-License-Identifier: MIT */
/* What most records stand on. */
#include "device.h"

static unsigned granule_lg2(uint64_t pgsizes)
{
	unsigned lg2 = 0;

	while (lg2 < 63 && !(pgsizes >> lg2 & 1))
		lg2++;
	return lg2;
}

static int create_domain(struct device *device, const struct device_config *config)
{
	struct iommusim_recorder_config recorder = { .size = sizeof(recorder),
		                                     .cap = config->cap,
		                                     .fail_map = config->fail_map,
		                                     .keep_calls = 1 };
	struct iommusim_driver driver;
	struct iommusim_domain_config domain = { .size = sizeof(domain),
		                                 .kernel = config->kernel,
		                                 .pgsizes = config->pgsizes,
		                                 .driver = &driver };
	int err = iommusim_recorder_create(&recorder, &device->recorder);

	if (err)
		return err;
	driver = iommusim_recorder_driver(device->recorder);
	return iommusim_domain_create(&domain, &device->domain);
}

/* A page source that has none. */
static int no_pages(void *ctx, const struct iommusim_page_request *req,
                    struct iommusim_page_block *block)
{
	return -IOMMUSIM_ENOMEM;
}

static int nothing(void *ctx, iommusim_pfn pfn, unsigned order)
{
	return 0;
}

int device_create(struct device *device, const struct device_config *config)
{
	static const struct iommusim_page_source empty = { .size = sizeof(empty),
		                                           .alloc_pages = no_pages,
		                                           .free_pages = nothing,
		                                           .split_page = nothing };
	struct iommusim_iova_config iova = { .size = sizeof(iova),
		                             .granule_lg2 = granule_lg2(config->pgsizes),
		                             .start = config->start_pfn,
		                             .kernel = config->kernel,
		                             .nr_cpus = 1 };
	struct iommusim_dma_config dma = config->dma;
	int err = create_domain(device, config);

	if (!err)
		err = iommusim_iova_create(&iova, &device->iova);
	if (err)
		return err;
	dma.size = sizeof(dma);
	dma.kernel = config->kernel;
	dma.page_shift = config->page_shift;
	dma.mode = IOMMUSIM_DOMAIN_EXTENDED;
	dma.domain = device->domain;
	dma.iova = device->iova;
	dma.source = config->source ? config->source : &empty;
	return iommusim_dma_create(&dma, &device->dma);
}

void device_destroy(struct device *device)
{
	iommusim_dma_destroy(device->dma);
	iommusim_iova_destroy(device->iova);
	iommusim_domain_destroy(device->domain);
	iommusim_recorder_destroy(device->recorder);
}

void device_take_ranges(struct device *device, uint64_t pre, uint64_t limit)
{
	uint64_t frames = limit >> iommusim_iova_granule_lg2(device->iova), lo;

	for (unsigned n = 0; n < 64; n++)
		if (pre >> n & 1)
			iommusim_iova_alloc(device->iova, UINT64_C(1) << n, frames, 1, &lo);
}

size_t device_compare_calls(struct record *record, const struct device *device, size_t at,
                            const char *key)
{
	struct json_object *calls = field(record, key);
	size_t nr;
	const struct iommusim_driver_call *call = iommusim_recorder_calls(device->recorder, &nr);

	for (size_t i = 0; at + i < nr && i < length_of(calls); i++) {
		struct json_object *want = item(calls, i);
		const struct iommusim_driver_call *c = &call[at + i];
		const char *kind = json_object_get_string(item(want, 0));

		compare_at(record, "the kind of call", i, (unsigned char)c->kind,
		           kind ? (unsigned char)kind[0] : 0);
		compare_at(record, "the iova of call", i, c->iova, item_u64(record, want, 1));
		compare_at(record, "the pa of call", i, c->pa, item_u64(record, want, 2));
		compare_at(record, "the page size of call", i, c->pgsize,
		           item_u64(record, want, 3));
		compare_at(record, "the page count of call", i, c->count,
		           item_u64(record, want, 4));
		compare_at(record, "the pages done by call", i, c->done, item_u64(record, want, 5));
	}
	compare_u64(record, "the number of calls", nr - at, length_of(calls));
	return nr;
}

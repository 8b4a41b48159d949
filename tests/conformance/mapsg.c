/* SPDX-License-Identifier: MIT */
/* iommu_map_sg(), and dma_map_sg() with its undoing, over a driver that records its calls. */
#include <stdlib.h>

#include "device.h"

static void compare_result(struct record *record, int err, uint64_t got)
{
	compare_u64(record, "the result", err ? (uint64_t)(int64_t)err : got,
	            number(record, field(record, "ret")));
}

static void *must_alloc(struct record *record, size_t nr, size_t bytes)
{
	void *memory = calloc(nr + 1, bytes);

	if (!memory)
		differ(record, "the host has no memory");
	return memory;
}

static int create(struct device *device, struct record *record, struct device_config *config)
{
	int err;

	config->kernel = record->kernel;
	config->page_shift = page_shift_of(record);
	config->pgsizes = field_u64(record, "pgsizes");
	config->fail_map = field_u64(record, "fail") + 1;
	err = device_create(device, config);
	if (err)
		differ(record, "there is no such device: %s", iommusim_errname(err));
	return err;
}

/* ---- The domain alone ---- */

static int is_domain(const struct record *record)
{
	return field_is(record, "fn", "iommu_map_sg");
}

static void map_on_domain(struct record *record, struct device *device)
{
	struct json_object *in = field(record, "sg_in");
	size_t nr = length_of(in);
	struct iommusim_sg *sg = must_alloc(record, nr, sizeof(*sg));
	struct iommusim_map_list list = { .iova = field_u64(record, "iova"),
		                          .sg = sg,
		                          .nr = nr,
		                          .prot = IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE,
		                          .gfp = IOMMUSIM_GFP_KERNEL };
	uint64_t mapped = 0;
	int err;

	for (size_t i = 0; sg && i < nr; i++)
		sg[i] = (struct iommusim_sg){ item_u64(record, item(in, i), 0) +
			                              item_u64(record, item(in, i), 1),
			                      item_u64(record, item(in, i), 2) };
	if (sg) {
		err = iommusim_domain_map_sg(device->domain, &list, &mapped);
		compare_result(record, err, mapped);
		device_compare_calls(record, device, 0, "calls");
	}
	free(sg);
}

static void run_domain(struct record *record)
{
	struct device_config config = { .cap = field_u64(record, "cap") };
	struct device device = { NULL, NULL, NULL, NULL };

	if (!create(&device, record, &config))
		map_on_domain(record, &device);
	device_destroy(&device);
}

const struct kind kind_map_sg = { "map-sg, iommu_map_sg", is_domain, run_domain };

/* ---- The device ---- */

static int is_dma(const struct record *record)
{
	return field_is(record, "fn", "dma_map_sg");
}

/* Segments in use, and what the entries that have none say. */
static void compare_segments(struct record *record, const struct iommusim_dma_list *list,
                             size_t nr_segments)
{
	struct json_object *dma = field(record, "dma"), *rest = field(record, "rest");

	compare_u64(record, "the number of segments", nr_segments, length_of(dma));
	compare_u64(record, "the number of entries", list->nr, length_of(dma) + length_of(rest));
	for (size_t i = 0; i < list->nr; i++) {
		struct json_object *want =
			i < length_of(dma) ? item(dma, i) : item(rest, i - length_of(dma));

		compare_at(record, "the address of segment", i, list->sg[i].dma_addr,
		           item_u64(record, want, 0));
		compare_at(record, "the length of segment", i, list->sg[i].dma_length,
		           item_u64(record, want, 1));
	}
}

static void compare_entries(struct record *record, const struct iommusim_dma_list *list)
{
	struct json_object *sg = field(record, "sg");

	for (size_t i = 0; i < list->nr; i++) {
		compare_at(record, "the offset of entry", i, list->sg[i].offset,
		           item_u64(record, item(sg, i), 0));
		compare_at(record, "the length of entry", i, list->sg[i].length,
		           item_u64(record, item(sg, i), 1));
	}
}

static void map_on_device(struct record *record, struct device *device)
{
	struct json_object *in = field(record, "sg_in");
	size_t nr = length_of(in), nr_segments = 0, at;
	struct iommusim_dma_sg *sg = must_alloc(record, nr, sizeof(*sg));
	struct iommusim_dma_list list = { .sg = sg, .nr = nr };
	int err;

	for (size_t i = 0; sg && i < nr; i++) {
		sg[i].page_pa = item_u64(record, item(in, i), 0);
		sg[i].offset = (uint32_t)item_u64(record, item(in, i), 1);
		sg[i].length = (uint32_t)item_u64(record, item(in, i), 2);
	}
	if (!sg)
		return;
	err = iommusim_dma_map_sg(device->dma, &list, &nr_segments);
	compare_result(record, err, nr_segments);
	compare_segments(record, &list, nr_segments);
	compare_entries(record, &list);
	at = device_compare_calls(record, device, 0, "calls");
	if (!err && nr_segments) {
		iommusim_dma_unmap_sg(device->dma, &list);
		device_compare_calls(record, device, at, "unmap");
	}
	free(sg);
}

static void run_dma(struct record *record)
{
	struct device_config config = { .cap = 0 };
	struct device device = { NULL, NULL, NULL, NULL };

	config.dma.streaming_mask = field_u64(record, "mask");
	config.dma.max_seg_size = field_u64(record, "max_seg");
	config.dma.seg_boundary = field_u64(record, "seg_boundary");
	if (!create(&device, record, &config)) {
		device_take_ranges(&device, field_u64(record, "pre"), config.dma.streaming_mask);
		map_on_device(record, &device);
	}
	device_destroy(&device);
}

const struct kind kind_dma_map_sg = { "map-sg, dma_map_sg", is_dma, run_dma };

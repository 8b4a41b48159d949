/* SPDX-License-Identifier: MIT */
/* Single mappings, one after the other in one IOVA space, over a driver that records its calls. */
#include "device.h"

static int is_dma_map(const struct record *record)
{
	return has_field(record, "aperture_end") && has_field(record, "ops");
}

/* Calls from number @at on against [iova, (pa,) page size, count]. Returns how many there are. */
static size_t compare_calls(struct record *record, const struct device *device, size_t at,
                            struct json_object *op)
{
	int is_map = json_object_get_string(item(op, 0))[0] == 'm';
	struct json_object *calls = item(op, is_map ? 4 : 3);
	size_t nr, column;
	const struct iommusim_driver_call *call = iommusim_recorder_calls(device->recorder, &nr);

	for (size_t i = 0; at + i < nr && i < length_of(calls); i++) {
		const struct iommusim_driver_call *c = &call[at + i];
		struct json_object *want = item(calls, i);

		column = 0;
		compare_at(record, "the kind of call", i, c->kind == 'm', (uint64_t)is_map);
		compare_at(record, "the iova of call", i, c->iova,
		           item_u64(record, want, column++));
		if (is_map)
			compare_at(record, "the pa of call", i, c->pa,
			           item_u64(record, want, column++));
		compare_at(record, "the page size of call", i, c->pgsize,
		           item_u64(record, want, column++));
		compare_at(record, "the page count of call", i, c->count,
		           item_u64(record, want, column));
	}
	compare_u64(record, "the number of calls", nr - at, length_of(calls));
	return nr;
}

static void map(struct record *record, struct device *device, struct json_object *op)
{
	struct iommusim_dma_mapping m = { .pa = item_u64(record, op, 1),
		                          .size = item_u64(record, op, 2) };
	uint64_t want = item_u64(record, op, 3);

	iommusim_dma_map_page(device->dma, &m);
	compare_u64(record, "the dma address", m.dma_addr, want ? want : IOMMUSIM_DMA_ERROR);
}

static void unmap(struct record *record, struct device *device, struct json_object *op)
{
	struct iommusim_dma_mapping m = { .dma_addr = item_u64(record, op, 1),
		                          .size = item_u64(record, op, 2) };

	iommusim_dma_unmap_page(device->dma, &m);
}

static void run_ops(struct record *record, struct device *device)
{
	struct json_object *ops = field(record, "ops");
	size_t at = 0;

	for (size_t i = 0; i < length_of(ops) && !record->difference[0]; i++) {
		struct json_object *op = item(ops, i);
		const char *kind = json_object_get_string(item(op, 0));

		if (kind && kind[0] == 'm')
			map(record, device, op);
		else if (kind && kind[0] == 'u')
			unmap(record, device, op);
		else
			differ(record, "operation %lu is neither m nor u", (unsigned long)i);
		if (!record->difference[0])
			at = compare_calls(record, device, at, op);
	}
}

static void run_dma_map(struct record *record)
{
	struct device_config config = { .kernel = record->kernel,
		                        .page_shift = page_shift_of(record),
		                        .pgsizes = field_u64(record, "pgsizes"),
		                        .start_pfn = field_u64(record, "start_pfn") };
	struct device device = { NULL, NULL, NULL, NULL };
	int err;

	config.dma.streaming_mask = field_u64(record, "mask");
	config.dma.bus_limit = field_u64(record, "bus_limit");
	config.dma.aperture_last = field_u64(record, "aperture_end");
	config.dma.is_pci = field_u64(record, "pci") != 0;
	err = device_create(&device, &config);
	if (err)
		differ(record, "there is no such device: %s", iommusim_errname(err));
	else
		run_ops(record, &device);
	device_destroy(&device);
}

const struct kind kind_dma_map = { "dma-map", is_dma_map, run_dma_map };

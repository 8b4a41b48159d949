/* SPDX-License-Identifier: MIT */
/* The chunk loop of both kernels on a scripted page source, alone and with IOVA and mapping. */
#include "device.h"
#include "script.h"

/* ---- What came out, against the record ---- */

/* Attempts of one run of the record, from number @at on. Returns the number behind it. */
static size_t compare_attempts(struct record *record, const struct iommusim_chunks *chunks,
                               size_t at, struct json_object *run)
{
	uint64_t repeat = item_u64(record, run, 3);
	uint32_t gfp = field_gfp(record, "gfp");

	if (item_u64(record, run, 2))
		gfp |= IOMMUSIM_GFP_BIT_NORETRY;
	for (uint64_t i = 0; i < repeat && at < chunks->nr_attempts; i++, at++) {
		const struct iommusim_attempt *attempt = &chunks->attempt[at];

		compare_at(record, "the order of attempt", at, attempt->order,
		           item_u64(record, run, 0));
		compare_at(record, "the success of attempt", at, attempt->pfn != IOMMUSIM_NO_PFN,
		           item_u64(record, run, 1));
		compare_at(record, "the gfp of attempt", at, attempt->gfp, gfp);
	}
	return at;
}

static void compare_all_attempts(struct record *record, const struct iommusim_chunks *chunks)
{
	struct json_object *runs = field(record, "att");
	uint64_t nr = 0;
	size_t at = 0;

	for (size_t i = 0; i < length_of(runs); i++) {
		nr += item_u64(record, item(runs, i), 3);
		at = compare_attempts(record, chunks, at, item(runs, i));
	}
	compare_u64(record, "the number of attempts", chunks->nr_attempts, nr);
}

static size_t compare_chunk_run(struct record *record, const struct iommusim_chunks *chunks,
                                size_t at, struct json_object *run, unsigned page_shift)
{
	uint64_t nr = item_u64(record, run, 1), pa = item_u64(record, run, 2);
	uint64_t stride = item_u64(record, run, 3);

	for (uint64_t i = 0; i < nr && at < chunks->nr_chunks; i++, at++, pa += stride) {
		compare_at(record, "the order of chunk", at, chunks->chunk[at].order,
		           item_u64(record, run, 0));
		compare_at(record, "the pa of chunk", at, chunks->chunk[at].pfn << page_shift, pa);
	}
	return at;
}

/* The record lists the blocks that were obtained, on failure too. */
static void compare_chunks(struct record *record, const struct iommusim_chunks *chunks,
                           unsigned page_shift)
{
	struct json_object *runs = field(record, "chunks");
	uint64_t nr = 0;
	size_t at = 0;

	for (size_t i = 0; i < length_of(runs); i++) {
		nr += item_u64(record, item(runs, i), 1);
		at = compare_chunk_run(record, chunks, at, item(runs, i), page_shift);
	}
	compare_u64(record, "the number of chunks", chunks->nr_chunks, nr);
}

static void compare_outcome(struct record *record, const struct iommusim_chunks *chunks, int err,
                            const struct script *script)
{
	uint64_t ok = field_u64(record, "ok");

	if (err && ok)
		differ(record, "it failed with %s", iommusim_errname(err));
	compare_u64(record, "success", !err, ok);
	compare_all_attempts(record, chunks);
	compare_chunks(record, chunks, script->page_shift);
	compare_u64(record, "the number of pages given back", script->nr_freed,
	            field_u64(record, "freed"));
}

/* ---- The loop alone ---- */

static int is_pages(const struct record *record)
{
	return field_is(record, "fn", "pages");
}

static void run_pages(struct record *record)
{
	unsigned shift = page_shift_of(record);
	uint64_t count = field_up_to(record, "count", UINT64_C(1) << 28);
	struct iommusim_chunk_plan plan = { count << shift, count,
		                            field_u64(record, "order_mask") };
	struct script script;
	struct iommusim_page_source source;
	struct iommusim_chunk_job job = { .policy = iommusim_policy_of_kernel(record->kernel),
		                          .req = { .size = count << shift,
		                                   .page_shift = shift,
		                                   .max_order = max_order_of(shift),
		                                   .gfp = field_gfp(record, "gfp_in") },
		                          .plan = &plan,
		                          .source = &source };
	struct iommusim_chunks chunks;
	int err;

	script_init(&script, record, shift);
	if (record->difference[0])
		return;
	source = script_source(&script);
	err = iommusim_chunk_alloc(&job, &chunks);
	compare_outcome(record, &chunks, err, &script);
	iommusim_chunks_finish(&chunks);
}

const struct kind kind_chunk_pages = { "chunks, pages", is_pages, run_pages };

/* ---- With IOVA, scatterlist and mapping ---- */

static int is_noncontig(const struct record *record)
{
	return field_is(record, "fn", "noncontig");
}

static int create(struct device *device, struct record *record, struct script *script)
{
	struct iommusim_page_source source = script_source(script);
	struct device_config config = { .kernel = record->kernel,
		                        .page_shift = script->page_shift,
		                        .pgsizes = field_u64(record, "pgsizes"),
		                        .source = &source };
	int err;

	config.dma.nr_orders = script->max_order + 1;
	config.dma.coherent_mask = field_u64(record, "mask");
	err = device_create(device, &config);
	if (!err)
		device_take_ranges(device, field_u64(record, "pre"), config.dma.coherent_mask);
	return err;
}

static void compare_list(struct record *record, const struct iommusim_dma_buffer *buffer)
{
	struct json_object *list;

	if (has_field(record, "sg_n")) {
		compare_u64(record, "the length of the scatterlist", buffer->nr_sg,
		            field_u64(record, "sg_n"));
		return;
	}
	list = field(record, "sg");
	compare_u64(record, "the length of the scatterlist", buffer->nr_sg, length_of(list));
	for (size_t i = 0; i < buffer->nr_sg && i < length_of(list); i++) {
		compare_at(record, "the pa of entry", i, buffer->sg[i].pa,
		           item_u64(record, item(list, i), 0));
		compare_at(record, "the size of entry", i, buffer->sg[i].size,
		           item_u64(record, item(list, i), 1));
	}
}

static void compare_maps(struct record *record, const struct device *device)
{
	size_t nr;
	const struct iommusim_driver_call *call = iommusim_recorder_calls(device->recorder, &nr);
	struct json_object *maps;

	if (has_field(record, "maps_n")) {
		compare_u64(record, "the number of map calls", nr, field_u64(record, "maps_n"));
		return;
	}
	maps = field(record, "maps");
	compare_u64(record, "the number of map calls", nr, length_of(maps));
	for (size_t i = 0; i < nr && i < length_of(maps); i++) {
		struct json_object *want = item(maps, i);

		compare_at(record, "the iova of map call", i, call[i].iova,
		           item_u64(record, want, 0));
		compare_at(record, "the pa of map call", i, call[i].pa, item_u64(record, want, 1));
		compare_at(record, "the page size of map call", i, call[i].pgsize,
		           item_u64(record, want, 2));
		compare_at(record, "the page count of map call", i, call[i].count,
		           item_u64(record, want, 3));
	}
}

static void compare_buffer(struct record *record, const struct iommusim_dma_buffer *buffer)
{
	struct json_object *dma = field(record, "dma");

	compare_u64(record, "the dma address", buffer->dma_addr, item_u64(record, dma, 0));
	compare_u64(record, "the mapped size", buffer->size, item_u64(record, dma, 1));
	compare_list(record, buffer);
}

static void run_buffer(struct record *record, struct device *device, const struct script *script)
{
	struct iommusim_dma_request req = { .policy = iommusim_policy_of_kernel(record->kernel),
		                            .size = field_up_to(record, "size", UINT64_C(1) << 40),
		                            .gfp = field_gfp(record, "gfp_in"),
		                            .attrs = (uint32_t)field_u64(record, "attrs") };
	struct iommusim_dma_buffer buffer;
	int err = iommusim_dma_alloc_chunks(device->dma, &req, &buffer);

	compare_outcome(record, &buffer.chunks, err, script);
	compare_maps(record, device);
	if (!err)
		compare_buffer(record, &buffer);
	iommusim_dma_free(device->dma, &buffer);
}

static void run_noncontig(struct record *record)
{
	struct device device = { NULL, NULL, NULL, NULL };
	struct script script;
	int err;

	script_init(&script, record, page_shift_of(record));
	if (record->difference[0])
		return;
	err = create(&device, record, &script);
	if (err)
		differ(record, "there is no such device: %s", iommusim_errname(err));
	else
		run_buffer(record, &device, &script);
	device_destroy(&device);
}

const struct kind kind_chunk_noncontig = { "chunks, noncontig", is_noncontig, run_noncontig };

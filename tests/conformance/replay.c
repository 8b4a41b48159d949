/* SPDX-License-Identifier: MIT */
/* Pages by the recording's outcomes; a driver over page tables, or none, that notes each call. */
#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must(void *memory)
{
	if (memory)
		return memory;
	fputs("conformance: the host has no memory\n", stderr);
	exit(2);
}

/* Room for one more element. */
static void *grow(void *array, size_t nr, size_t *cap, size_t bytes)
{
	if (nr < *cap)
		return array;
	*cap = *cap * 2 + 64;
	return must(realloc(array, *cap * bytes));
}

/* ---- The page source: outcomes of the recording ---- */

static int next_outcome(void *ctx, const struct iommusim_page_request *req,
                        struct iommusim_page_block *block)
{
	struct machine *m = ctx;
	const uint64_t want[] = { req->order, req->gfp, ROWS_ANY, ROWS_ANY };

	rows_expect(&m->attempts, want);
	if (m->record->difference[0])
		return -IOMMUSIM_EIO;
	if (m->attempts.row[2] == UINT64_MAX)
		return -IOMMUSIM_ENOMEM;
	*block = (struct iommusim_page_block){ .pfn = m->attempts.row[2] };
	return 0;
}

static int note_free(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct machine *m = ctx;

	struct seen *seen = &m->seen;

	seen->freed = grow(seen->freed, seen->nr_freed, &seen->cap_freed, sizeof(*seen->freed));
	seen->freed[seen->nr_freed++] =
		(struct iommusim_chunk){ .pfn = pfn, .order = (uint8_t)order };
	return 0;
}

static int split(void *ctx, iommusim_pfn pfn, unsigned order)
{
	return 0;
}

struct iommusim_page_source recorded_pages(struct machine *m)
{
	return (struct iommusim_page_source){ .size = sizeof(struct iommusim_page_source),
		                              .ctx = m,
		                              .alloc_pages = next_outcome,
		                              .free_pages = note_free,
		                              .split_page = split };
}

/* ---- The driver: page tables or none, and a note of each call ---- */

static void note_call(struct seen *seen, const struct iommusim_driver_call *call)
{
	seen->call = grow(seen->call, seen->nr_calls, &seen->cap_calls, sizeof(*seen->call));
	seen->call[seen->nr_calls++] = *call;
}

static int map_pages(void *ctx, const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	struct machine *m = ctx;

	note_call(&m->seen,
	          &(struct iommusim_driver_call){ 'm', pages->iova, pages->pa, pages->pgsize,
	                                          pages->count, 0, pages->prot });
	return m->inner.map_pages(m->inner.ctx, pages, mapped);
}

/* The bytes of the map calls that begin in @size bytes at @iova: a device of virtio removes what
 * one request mapped as a whole. */
static uint64_t whole_mappings(const struct machine *m, uint64_t iova, uint64_t size)
{
	struct iommusim_mapped_range range;
	uint64_t at = iova;

	while (at - iova < size && iommusim_recorder_next(m->recorder, at, &range) &&
	       range.iova <= at)
		at = range.iova + range.size;
	return at - iova;
}

static uint64_t unmap_pages(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                            struct iommusim_gather *gather)
{
	struct machine *m = ctx;

	note_call(&m->seen, &(struct iommusim_driver_call){ 'u', iova, 0, pgsize, count, 0, 0 });
	if (m->has_mappings) {
		uint64_t page = UINT64_C(1) << m->page_shift;

		count = whole_mappings(m, iova, pgsize * count) / page;
		pgsize = page;
	}
	return m->inner.unmap_pages(m->inner.ctx, iova, pgsize, count, gather);
}

static uint64_t iova_to_phys(void *ctx, uint64_t iova)
{
	struct machine *m = ctx;

	return m->inner.iova_to_phys(m->inner.ctx, iova);
}

static void note_event(void *ctx, const struct iommusim_event *event)
{
	struct seen *seen = &((struct machine *)ctx)->seen;

	if (event->kind == IOMMUSIM_EVENT_MAP || event->kind == IOMMUSIM_EVENT_UNMAP) {
		seen->map = grow(seen->map, seen->nr_maps, &seen->cap_maps, sizeof(*seen->map));
		seen->map[seen->nr_maps++] = *event;
	}
	if (event->kind == IOMMUSIM_EVENT_IOVA_ALLOC || event->kind == IOMMUSIM_EVENT_IOVA_FREE) {
		seen->iova =
			grow(seen->iova, seen->nr_iovas, &seen->cap_iovas, sizeof(*seen->iova));
		seen->iova[seen->nr_iovas++] = *event;
	}
}

/* ---- The machine ---- */

unsigned log2_of(uint64_t x)
{
	unsigned n = 0;

	while (x >>= 1)
		n++;
	return n;
}

/*
 * The page tables behind an IOMMU, if the library has the format: NULL otherwise, or where the
 * guest has none.
 */
static const struct iommusim_pgtable_format *format_of(const char *iommu)
{
	static const struct {
		const char *iommu, *format;
	} formats[] = { { "smmu", "arm-lpae-s1" }, { "vtd", "vtd-sl" }, { "amd", "amd-v1" } };

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strstr(iommu, formats[i].iommu))
			return iommusim_pgtable_format_find(formats[i].format);
	return NULL;
}

static void create_driver(struct machine *m, const char *iommu)
{
	struct iommusim_pgtable_config pgtable = { .size = sizeof(pgtable),
		                                   .format = format_of(iommu),
		                                   .kernel = m->kernel,
		                                   .page_shift = m->page_shift,
		                                   .pgsizes = m->pgsizes };
	struct iommusim_recorder_config recorder = { .size = sizeof(recorder) };
	int err;

	if (strstr(iommu, "amd"))
		pgtable.pgsizes = 0; /* the kernel's own */
	if (pgtable.format) {
		err = iommusim_pgtable_create(&pgtable, &m->pgtable);
		if (!err)
			m->inner = iommusim_pgtable_driver(m->pgtable);
	} else {
		err = iommusim_recorder_create(&recorder, &m->recorder);
		if (!err)
			m->inner = iommusim_recorder_driver(m->recorder);
	}
	if (err)
		differ(m->record, "there are no such page tables: %s", iommusim_errname(err));
}

static int create_domain(struct machine *m, const struct iommusim_host *host)
{
	struct iommusim_driver driver = { .size = sizeof(driver),
		                          .ctx = m,
		                          .map_pages = map_pages,
		                          .unmap_pages = unmap_pages,
		                          .iova_to_phys = iova_to_phys };
	struct iommusim_domain_config domain = { .size = sizeof(domain),
		                                 .kernel = m->kernel,
		                                 .pgsizes = m->pgsizes,
		                                 .driver = &driver,
		                                 .host = host };
	struct iommusim_iova_config iova = { .size = sizeof(iova),
		                             .granule_lg2 = log2_of(m->pgsizes & (~m->pgsizes + 1)),
		                             .kernel = m->kernel,
		                             .nr_cpus = 1,
		                             .host = host };
	int err = iommusim_domain_create(&domain, &m->domain);

	return err ? err : iommusim_iova_create(&iova, &m->iova);
}

static int create_device(struct machine *m, struct record *environment)
{
	struct iommusim_page_source source = recorded_pages(m);
	struct json_object *aperture = field(environment, "aperture");
	struct iommusim_dma_config dma = { .size = sizeof(dma),
		                           .kernel = m->kernel,
		                           .page_shift = m->page_shift,
		                           .nr_orders = m->nr_orders,
		                           .aperture_last = item_u64(environment, aperture, 1),
		                           .is_pci = 1,
		                           .node = (int)field_u64(environment, "device_node"),
		                           .domain = m->domain,
		                           .iova = m->iova,
		                           .source = &source };

	dma.forcedac = strstr(field_text(environment, "cmdline"), "iommu.forcedac=1") != NULL;
	return iommusim_dma_create(&dma, &m->dma);
}

/* On Arm the range for message interrupts is a software one. */
static int reserve(struct machine *m, struct record *environment, int is_arm)
{
	static const struct {
		const char *name;
		enum iommusim_region_kind kind;
	} kinds[] = { { "host-bridge-window", IOMMUSIM_REGION_HOST_WINDOW },
		      { "reserved", IOMMUSIM_REGION_RESERVED },
		      { "msi", IOMMUSIM_REGION_MSI } };
	struct json_object *list = field(environment, "iova_reserved");
	int err = 0;

	for (size_t i = 0; !err && i < length_of(list); i++) {
		struct json_object *row = item(list, i);
		const char *name = json_object_get_string(item(row, 2));
		struct iommusim_region region = { .kind = IOMMUSIM_REGION_DIRECT,
			                          .first = item_u64(environment, row, 0),
			                          .last = item_u64(environment, row, 1) };

		for (size_t k = 0; name && k < ARRAY_LEN(kinds); k++)
			if (!strcmp(name, kinds[k].name))
				region.kind = kinds[k].kind;
		if (region.kind == IOMMUSIM_REGION_DIRECT)
			differ(environment, "a reserved range of kind '%s'", name ? name : "");
		if (is_arm && region.kind == IOMMUSIM_REGION_MSI)
			region.kind = IOMMUSIM_REGION_SW_MSI;
		err = iommusim_dma_reserve(m->dma, &region);
	}
	return err;
}

/* What the kernel says of the device must be what ours says. */
static void compare_device(struct machine *m, struct record *environment)
{
	compare_u64(environment, "dma_get_merge_boundary()", iommusim_dma_merge_boundary(m->dma),
	            field_u64(environment, "dma_merge_boundary"));
	compare_u64(environment, "dma_opt_mapping_size()", iommusim_dma_opt_mapping(m->dma),
	            field_u64(environment, "dma_opt_mapping"));
	compare_u64(environment, "dma_max_mapping_size()", iommusim_dma_max_mapping(m->dma),
	            field_u64(environment, "dma_max_mapping"));
}

void create_machine(struct machine *m, struct json_object *json)
{
	struct record environment = { .kernel = 0 };
	struct iommusim_host host = { .size = sizeof(host), .event = note_event, .event_ctx = m };
	int err;

	json_object_object_get_ex(json, "environment", &environment.json);
	m->kernel = strncmp(field_text(&environment, "kernel"), "6.12", 4) ? IOMMUSIM_KERNEL(6, 1)
	                                                                   : IOMMUSIM_KERNEL(6, 12);
	m->has_mappings = strstr(field_text(&environment, "iommu"), "virtio") != NULL;
	m->page_shift = log2_of(field_u64(&environment, "page_size"));
	m->nr_orders = (unsigned)field_u64(&environment, "buddy_orders");
	m->pgsizes = field_u64(&environment, "pgsize_bitmap");
	create_driver(m, field_text(&environment, "iommu"));
	if (m->record->difference[0])
		return;
	err = create_domain(m, &host);
	if (!err)
		err = create_device(m, &environment);
	if (!err)
		err = reserve(m, &environment,
		              strstr(field_text(&environment, "iommu"), "smmu") != NULL);
	if (err)
		differ(m->record, "there is no such device: %s", iommusim_errname(err));
	else
		compare_device(m, &environment);
	if (environment.difference[0])
		differ(m->record, "environment: %s", environment.difference);
}

void drop(struct held *held)
{
	iommusim_chunks_finish(&held->buffer.chunks);
	free(held->buffer.sg);
	free(held->list.sg);
	free(held);
}

void destroy_machine(struct machine *m)
{
	while (m->nr_held)
		drop(m->held[--m->nr_held]);
	iommusim_dma_destroy(m->dma);
	iommusim_iova_destroy(m->iova);
	iommusim_domain_destroy(m->domain);
	iommusim_recorder_destroy(m->recorder);
	iommusim_pgtable_destroy(m->pgtable);
	free(m->seen.call);
	free(m->seen.map);
	free(m->seen.iova);
	free(m->seen.freed);
}

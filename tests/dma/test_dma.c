/* SPDX-License-Identifier: MIT */
/* A buffer from request to mapping and back, and every way in which that can fail half-way. */
#include "rig.h"

#define S_4K_2M  (SZ_4K | SZ_2M | SZ_1G)
#define S_64K    (SZ_64K | SZ_512M)
#define SINGLE   IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES
#define EXTENDED IOMMUSIM_DOMAIN_EXTENDED

static void a_buffer_is_mapped_where_its_iova_says(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });
	struct iommusim_dma_request req = request_of(NULL, 2 * SZ_2M + SZ_4K);
	struct iommusim_dma_buffer buffer;

	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	assert_int_equal(buffer.dma_addr, UINT64_C(0xff800000)); /* aligned to 8 MiB, below 4 GiB */
	assert_int_equal(buffer.size, 2 * SZ_2M + SZ_4K);
	assert_int_equal(buffer.chunks.nr_chunks, 3);
	for (uint64_t off = 0, chunk = 0; chunk < 3; chunk++, off += SZ_2M)
		assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, buffer.dma_addr + off),
		                 buffer.chunks.chunk[chunk].pfn << 12);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, buffer.dma_addr + buffer.size),
	                 0);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* P5-a: the granule is smaller than the CPU page, so only its head is mapped. */
static void only_whole_granules_of_the_last_page_are_mapped(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = 512 | SZ_4K });
	struct iommusim_dma_request req = request_of(NULL, 1000);
	struct iommusim_dma_buffer buffer;

	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	assert_int_equal(buffer.chunks.nr_pages, 1);
	assert_int_equal(buffer.size, 1024);
	assert_int_equal(buffer.nr_sg, 1);
	assert_int_equal(buffer.sg[0].size, 1024);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, buffer.dma_addr + 1023) & 0xfff,
	                 1023);
	assert_int_equal(iommusim_domain_iova_to_phys(rig->domain, buffer.dma_addr + 1024), 0);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* P5-b: sixteen order-4 chunks of one order-9 block are one entry, mapped as sixteen 64K pages. */
static void adjoining_chunks_are_one_entry(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = SZ_4K | SZ_64K | SZ_2M });
	struct iommusim_dma_request req = request_of(NULL, SZ_1M);
	struct iommusim_dma_buffer buffer;
	struct iommusim_mapped_range range;

	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	assert_int_equal(buffer.chunks.nr_chunks, 16);
	assert_int_equal(buffer.nr_sg, 1);
	assert_int_equal(buffer.sg[0].size, SZ_1M);
	assert_int_equal(iommusim_domain_stats(rig->domain).nr_mapped[16], 16);
	assert_int_equal(iommusim_domain_stats(rig->domain).nr_map_calls, 1);
	assert_int_equal(iommusim_recorder_next(rig->recorder, 0, &range), 1);
	assert_int_equal(range.size, SZ_1M);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* An entry's length has 32 bits: one page short of 4 GiB is the most. */
static void an_entry_is_shorter_than_4_gib(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){
		.pgsizes = S_4K_2M, .frames = 5 << 18, .dma.coherent_mask = UINT64_MAX });
	struct iommusim_dma_request req = request_of(NULL, 4 * SZ_1G + SZ_2M);
	struct iommusim_dma_buffer buffer;

	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	assert_int_equal(buffer.nr_sg, 2);
	assert_int_equal(buffer.sg[0].size, 4 * SZ_1G - SZ_4K);
	assert_int_equal(buffer.sg[1].size, SZ_2M + SZ_4K);
	assert_int_equal(buffer.sg[1].pa, buffer.sg[0].pa + buffer.sg[0].size);
	assert_int_equal(iommusim_domain_stats(rig->domain).nr_map, 1); /* mapped as one run */
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* The case of 2016: single pages under a 64K granule. What was obtained is listed, and given back.
 */
static void single_pages_under_a_large_granule_are_refused_by_the_map(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_64K, .dma.mode = EXTENDED });
	struct iommusim_dma_request req = request_of(&iommusim_policy_single_pages_patch, SZ_64K);
	struct iommusim_dma_buffer buffer;
	struct iommusim_misfit misfit;

	fragment(rig);
	req.attrs = SINGLE;
	assert_err(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer), IOMMUSIM_EINVAL);
	assert_int_equal(buffer.failed, IOMMUSIM_DMA_MAP);
	assert_int_equal(buffer.chunks.nr_chunks, 16);
	assert_int_equal(buffer.chunks.nr_freed, 16);
	assert_int_equal(iommusim_chunks_fit(&buffer.chunks, 12, SZ_64K, &misfit),
	                 IOMMUSIM_FIT_NOT);
	assert_int_equal(misfit.chunk, 0);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* The whole 64K that the size was rounded to come back; that Linux would lose some is found. */
static void pages_that_rounding_added_are_freed_too(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_64K, .dma.mode = EXTENDED });
	struct iommusim_dma_request req = request_of(NULL, 3 * SZ_4K);
	struct iommusim_dma_buffer buffer;

	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	assert_int_equal(buffer.size, SZ_64K);
	assert_int_equal(buffer.chunks.nr_pages, 16);
	assert_int_equal(buffer.chunks.findings, IOMMUSIM_FINDING_LOST_TAIL);
	assert_non_null(strstr(buffer.chunks.told, "13 of 16 pages"));
	assert_non_null(iommusim_finding_text(buffer.chunks.findings));
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	req.size = SZ_64K - SZ_4K;
	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	assert_int_equal(buffer.chunks.findings, IOMMUSIM_FINDING_LOST_TAIL);
	assert_non_null(strstr(buffer.chunks.told, "1 of 16 pages"));
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	req.size = SZ_64K - 1;
	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	assert_int_equal(buffer.chunks.findings, 0);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

static void a_granule_above_the_page_is_a_bug_in_strict_mode(void **state)
{
	static const unsigned kernels[] = { KERNEL_6_1, KERNEL_6_12 };

	for (unsigned i = 0; i < 2; i++) {
		struct rig_config config = { .kernel = kernels[i], .pgsizes = S_64K };
		struct rig *rig = given_parts(&config);

		assert_err(create_device(rig, &config), IOMMUSIM_EBUG);
		config.dma.page_shift = 16; /* CPU pages of 64K: none is above */
		assert_ok(create_device(rig, &config));
		finish(rig);
	}
}

/* ---- Half-way failures ---- */

static void no_pages_leave_nothing_behind(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M });
	struct iommusim_dma_request req = request_of(NULL, 4097 * SZ_4K);
	struct iommusim_dma_buffer buffer;

	assert_err(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer), IOMMUSIM_ENOMEM);
	assert_int_equal(buffer.failed, IOMMUSIM_DMA_PAGES);
	assert_int_equal(buffer.chunks.nr_freed, 4096);
	assert_untouched(rig);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

static void no_iova_leaves_nothing_behind(void **state)
{
	struct rig *rig =
		given_rig(&(struct rig_config){ .pgsizes = S_4K_2M, .iova_start = 0xffff0 });
	struct iommusim_dma_request req = request_of(NULL, 17 * SZ_4K);
	struct iommusim_dma_buffer buffer;

	assert_err(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer), IOMMUSIM_ENOMEM);
	assert_int_equal(buffer.failed, IOMMUSIM_DMA_IOVA);
	assert_int_equal(buffer.chunks.nr_freed, 17);
	assert_untouched(rig);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	finish(rig);
}

static void a_driver_that_fails_leaves_nothing_behind(void **state)
{
	for (uint64_t n = 1; n <= 3; n++) {
		struct rig *rig =
			given_rig(&(struct rig_config){ .pgsizes = S_4K_2M, .fail_map = n });
		struct iommusim_dma_request req =
			request_of(&iommusim_policy_single_pages_patch, 3 * SZ_4K);
		struct iommusim_dma_buffer buffer;

		fragment(rig); /* three runs, three driver calls */
		req.attrs = SINGLE;
		assert_err(iommusim_dma_alloc_chunks(rig->dma, &req, &buffer), IOMMUSIM_ENOMEM);
		assert_int_equal(buffer.failed, IOMMUSIM_DMA_MAP);
		assert_ok(iommusim_dma_free(rig->dma, &buffer));
		assert_untouched(rig);
		assert_ok(iommusim_dma_alloc_chunks(rig->dma, &req, &buffer)); /* only once */
		assert_ok(iommusim_dma_free(rig->dma, &buffer));
		finish(rig);
	}
}

/* A driver that forgets to unmap: the buffer is gone all the same, as in Linux, but it is told. */
static uint64_t unmaps_nothing(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                               struct iommusim_gather *gather)
{
	return 0;
}

static void an_unmap_that_falls_short_is_told(void **state)
{
	struct rig_config config = { .pgsizes = S_4K_2M };
	struct rig *rig = given_parts(&config);
	struct iommusim_driver driver = iommusim_recorder_driver(rig->recorder);
	struct iommusim_dma_request req = request_of(NULL, SZ_4K);
	struct iommusim_dma_buffer buffer;
	struct iommusim_domain *domain;

	driver.unmap_pages = unmaps_nothing;
	assert_ok(iommusim_domain_fork(rig->domain, &driver, &domain));
	iommusim_domain_destroy(rig->domain);
	rig->domain = domain;
	assert_ok(create_device(rig, &config));
	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	assert_err(iommusim_dma_free(rig->dma, &buffer), IOMMUSIM_EIO);
	assert_non_null(strstr(iommusim_dma_error(rig->dma), "0x0 of 0x1000"));
	assert_int_equal(iommusim_phys_nr_free(rig->phys), 4096);
	assert_int_equal(iommusim_iova_nr_ranges(rig->iova), 0);
	finish(rig);
}

static void the_host_may_fail_at_any_allocation(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);
		struct rig_config config = { .pgsizes = S_4K_2M, .host = &host };
		struct rig *rig = given_parts(&config);
		struct iommusim_dma_request req = request_of(NULL, 21 * SZ_4K);
		struct iommusim_dma_buffer buffer;

		fragment(rig); /* 21 entries: their list grows more than once */
		err = create_device(rig, &config);
		if (!err) {
			err = iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer);
			if (err)
				assert_untouched(rig);
			assert_ok(iommusim_dma_free(rig->dma, &buffer));
		}
		assert_err(err, err ? IOMMUSIM_EHOST : 0);
		assert_untouched(rig);
		finish(rig);
		assert_int_equal(fault.nr_live, 0);
	}
}

/* ---- Where the IOVA comes from ---- */

/* The address that a buffer gets; it is freed again. */
static uint64_t address_of(struct rig *rig, uint64_t size)
{
	struct iommusim_dma_request req = request_of(NULL, size);
	struct iommusim_dma_buffer buffer;
	uint64_t addr;

	assert_ok(iommusim_dma_alloc_noncontiguous(rig->dma, &req, &buffer));
	addr = buffer.dma_addr;
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	return addr;
}

static const struct limit_row {
	const char *name;
	struct iommusim_dma_config dma;
	uint64_t want;
} limit_rows[] = {
	{ "the default mask has 32 bits", { .is_pci = 0 }, UINT64_C(0xfffff000) },
	{ "a wide mask is used from its top",
	  { .coherent_mask = UINT64_C(0xffffffffffff) },
	  UINT64_C(0xfffffffff000) },
	{ "PCI devices start below 4 GiB all the same",
	  { .coherent_mask = UINT64_C(0xffffffffffff), .is_pci = 1 },
	  UINT64_C(0xfffff000) },
	{ "but not with forcedac",
	  { .coherent_mask = UINT64_C(0xffffffffffff), .is_pci = 1, .forcedac = 1 },
	  UINT64_C(0xfffffffff000) },
	{ "the bus may be narrower than the mask",
	  { .coherent_mask = UINT64_MAX, .bus_limit = UINT64_C(0xfffffffff) },
	  UINT64_C(0xffffff000) },
	{ "the domain may end below the mask",
	  { .coherent_mask = UINT64_MAX, .aperture_last = UINT64_C(0x7fffffffff) },
	  UINT64_C(0x7ffffff000) },
};

static void lies_below_its_limit(void **state)
{
	const struct limit_row *r = *state;
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M, .dma = r->dma });

	assert_int_equal(address_of(rig, SZ_4K), r->want);
	finish(rig);
}

static void keep_line(void *ctx, const char *line)
{
	assert_true(strlen(line) < 60);
	strcpy(ctx, line);
}

static const struct low_row {
	const char *name;
	unsigned kernel;
	uint64_t want[3]; /* a page, more than there is below 4 GiB, a page */
	uint64_t want_failed;
	const char *said;
} low_rows[] = {
	{ "4.10 does not look below 4 GiB first",
	  IOMMUSIM_KERNEL(4, 10),
	  { UINT64_C(0xfffffffff000), UINT64_C(0xfffffffe0000), UINT64_C(0xfffffffff000) },
	  0,
	  "" },
	{ "6.1 does for every request",
	  KERNEL_6_1,
	  { UINT64_C(0xfffff000), UINT64_C(0xfffffffe0000), UINT64_C(0xfffff000) },
	  1,
	  "" },
	{ "6.12 does until that has failed once, and says so",
	  KERNEL_6_12,
	  { UINT64_C(0xfffff000), UINT64_C(0xfffffffe0000), UINT64_C(0xfffffffff000) },
	  1,
	  "Using 48-bit DMA addresses" },
};

static void tries_below_4_gib_first(void **state)
{
	const struct low_row *r = *state;
	char said[60] = "";
	struct iommusim_host host = { .size = sizeof(host), .log = keep_line, .log_ctx = said };
	struct rig *rig =
		given_rig(&(struct rig_config){ .kernel = r->kernel,
	                                        .pgsizes = S_4K_2M,
	                                        .iova_start = 0xffff0, /* 16 frames below 4 GiB */
	                                        .host = &host,
	                                        .dma.coherent_mask = UINT64_C(0xffffffffffff),
	                                        .dma.is_pci = 1 });

	assert_int_equal(address_of(rig, SZ_4K), r->want[0]);
	assert_int_equal(address_of(rig, 17 * SZ_4K), r->want[1]);
	assert_int_equal(address_of(rig, SZ_4K), r->want[2]);
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_low_failed, r->want_failed);
	assert_string_equal(said, r->said);
	assert_string_equal(iommusim_dma_error(rig->dma), ""); /* no error */
	finish(rig);
}

/* ---- What the domain is told ---- */

static const struct told_row {
	const char *name;
	unsigned kernel;
	uint32_t attrs;
	unsigned want_prot;
	uint32_t want_gfp;
} told_rows[] = {
	{ "6.12 maps with the caller's gfp", KERNEL_6_12, 0, 7, IOMMUSIM_GFP_KERNEL },
	{ "6.1 maps with GFP_ATOMIC", KERNEL_6_1, 0, 7, IOMMUSIM_GFP_ATOMIC_6_1 },
	{ "a privileged buffer", KERNEL_6_12, IOMMUSIM_ATTR_PRIVILEGED, 7 | IOMMUSIM_PROT_PRIV,
	  IOMMUSIM_GFP_KERNEL },
};

static int notes_pages(void *ctx, const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	*(struct iommusim_map_pages *)ctx = *pages;
	*mapped = pages->pgsize * pages->count;
	return 0;
}

static uint64_t unmaps_all(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                           struct iommusim_gather *gather)
{
	return pgsize * count;
}

static uint64_t knows_nothing(void *ctx, uint64_t iova)
{
	return 0;
}

static void tells_the_driver(void **state)
{
	const struct told_row *r = *state;
	struct rig_config config = { .kernel = r->kernel, .pgsizes = S_4K_2M };
	struct rig *rig = given_parts(&config);
	struct iommusim_map_pages pages = { 0 };
	struct iommusim_driver driver = { .size = sizeof(driver),
		                          .ctx = &pages,
		                          .map_pages = notes_pages,
		                          .unmap_pages = unmaps_all,
		                          .iova_to_phys = knows_nothing };
	struct iommusim_dma_request req = request_of(NULL, SZ_4K);
	struct iommusim_dma_buffer buffer;
	struct iommusim_domain *domain;

	assert_ok(iommusim_domain_fork(rig->domain, &driver, &domain));
	iommusim_domain_destroy(rig->domain);
	rig->domain = domain;
	assert_ok(create_device(rig, &config));
	req.attrs = r->attrs;
	assert_ok(iommusim_dma_alloc_chunks(rig->dma, &req, &buffer));
	assert_int_equal(pages.prot, r->want_prot);
	assert_int_equal(pages.gfp, r->want_gfp);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	finish(rig);
}

int main(void)
{
	struct CMUnitTest
		tests[12 + ARRAY_LEN(limit_rows) + ARRAY_LEN(told_rows) + ARRAY_LEN(low_rows)] = {
			cmocka_unit_test(a_buffer_is_mapped_where_its_iova_says),
			cmocka_unit_test(only_whole_granules_of_the_last_page_are_mapped),
			cmocka_unit_test(adjoining_chunks_are_one_entry),
			cmocka_unit_test(an_entry_is_shorter_than_4_gib),
			cmocka_unit_test(single_pages_under_a_large_granule_are_refused_by_the_map),
			cmocka_unit_test(pages_that_rounding_added_are_freed_too),
			cmocka_unit_test(a_granule_above_the_page_is_a_bug_in_strict_mode),
			cmocka_unit_test(no_pages_leave_nothing_behind),
			cmocka_unit_test(no_iova_leaves_nothing_behind),
			cmocka_unit_test(a_driver_that_fails_leaves_nothing_behind),
			cmocka_unit_test(the_host_may_fail_at_any_allocation),
			cmocka_unit_test(an_unmap_that_falls_short_is_told),
		};
	size_t nr = 12;

	for (size_t i = 0; i < ARRAY_LEN(limit_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(lies_below_its_limit, &limit_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(low_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(tries_below_4_gib_first, &low_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(told_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(tells_the_driver, &told_rows[i]);
	return RUN_TESTS(tests);
}

/* SPDX-License-Identifier: MIT */
/* dma_alloc_attrs() and dma_alloc_pages(): which way the pages come, and what they are told. */
#include "rig.h"

#define S_4K_2M (SZ_4K | SZ_2M | SZ_1G)
#define K       IOMMUSIM_GFP_KERNEL
#define A       IOMMUSIM_GFP_ATOMIC_6_12
#define Z       IOMMUSIM_GFP_BIT_ZERO
#define FORCE   IOMMUSIM_ATTR_FORCE_CONTIGUOUS
#define COMP    IOMMUSIM_GFP_BIT_COMP

static const struct way_row {
	const char *name;
	unsigned kernel;
	uint64_t size;
	uint32_t gfp, attrs;
	size_t want_attempts;
	unsigned want_order; /* of the first */
	uint32_t want_gfp;   /* of the first, but for NOWARN, HIGHMEM and NORETRY */
	int want_split;
	int want;
} way_rows[] = {
	{ "who may sleep gets chunks", 0, 3 * SZ_4K, K, 0, 3, 0, K | Z, 1, 0 },
	{ "zones are not the driver's", 0, SZ_4K, K | IOMMUSIM_GFP_BIT_DMA32, 0, 1, 0, K | Z, 1,
	  0 },
	{ "who may not gets a block", 0, 3 * SZ_4K, A, 0, 1, 2, A | Z, 0, 0 },
	{ "FORCE_CONTIGUOUS is a block too", 0, 5 * SZ_4K + 1, K, FORCE, 1, 3, K | Z, 0, 0 },
	{ "a block beyond the largest order", 0, 8 * SZ_1M, K, FORCE, 1, 11, K | Z, 0,
	  IOMMUSIM_ENOMEM },
	{ "attributes that change nothing", 0, SZ_4K, K,
	  IOMMUSIM_ATTR_NO_KERNEL_MAPPING | IOMMUSIM_ATTR_NO_WARN | IOMMUSIM_ATTR_WRITE_COMBINE, 1,
	  0, K | Z, 1, 0 },
	{ "6.1 takes COMP out", KERNEL_6_1, SZ_4K, K | COMP, 0, 1, 0, K | Z, 1, 0 },
	{ "6.12 refuses it", KERNEL_6_12, SZ_4K, K | COMP, 0, 0, 0, 0, 0, IOMMUSIM_EINVAL },
	{ "no bytes", 0, 0, K, 0, 0, 0, 0, 0, IOMMUSIM_EINVAL },
};

static void comes_this_way(void **state)
{
	const struct way_row *r = *state;
	struct rig *rig =
		given_rig(&(struct rig_config){ .kernel = r->kernel, .pgsizes = S_4K_2M });
	struct iommusim_dma_request req = { .size = r->size, .gfp = r->gfp, .attrs = r->attrs };
	const uint32_t loop =
		IOMMUSIM_GFP_BIT_NOWARN | IOMMUSIM_GFP_BIT_HIGHMEM | IOMMUSIM_GFP_BIT_NORETRY;
	struct iommusim_dma_buffer buffer;

	assert_err(iommusim_dma_alloc(rig->dma, &req, &buffer), r->want);
	assert_int_equal(buffer.chunks.nr_attempts, r->want_attempts);
	if (r->want_attempts) {
		assert_int_equal(buffer.chunks.attempt[0].order, r->want_order);
		assert_int_equal(buffer.chunks.attempt[0].gfp & ~loop, r->want_gfp);
	}
	if (!r->want) {
		assert_int_equal(buffer.chunks.chunk[0].is_split, r->want_split);
		assert_int_equal(buffer.size, (r->size + 0xfff) & ~UINT64_C(0xfff));
		shadow_hold_buffer(&rig->shadow, &buffer);
		shadow_check(&rig->shadow, rig->recorder);
		shadow_drop(&rig->shadow, buffer.dma_addr, buffer.size);
	}
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

static void alloc_pages_uses_the_streaming_mask(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){
		.pgsizes = S_4K_2M,
		.dma = { .streaming_mask = 0xffffff, .coherent_mask = 0xfffffff } });
	struct iommusim_dma_request req = request_of(NULL, 3 * SZ_4K - 7);
	struct iommusim_dma_buffer buffer;

	assert_ok(iommusim_dma_alloc_pages(rig->dma, &req, &buffer));
	assert_int_equal(buffer.dma_addr, 0xffc000);
	assert_int_equal(buffer.size, 3 * SZ_4K);
	assert_int_equal(buffer.chunks.chunk[0].order, 2);
	assert_int_equal(buffer.chunks.attempt[0].gfp, K); /* not cleared, unless asked */
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	req.gfp |= IOMMUSIM_GFP_BIT_DMA32;
	assert_err(iommusim_dma_alloc_pages(rig->dma, &req, &buffer), IOMMUSIM_EINVAL);
	assert_int_equal(buffer.failed, IOMMUSIM_DMA_CHECK);
	req.gfp = K | COMP;
	assert_err(iommusim_dma_alloc_pages(rig->dma, &req, &buffer), IOMMUSIM_EINVAL);
	req = request_of(NULL, 0);
	assert_err(iommusim_dma_alloc_pages(rig->dma, &req, &buffer), IOMMUSIM_EINVAL);
	req.size = UINT64_MAX;
	assert_err(iommusim_dma_alloc_pages(rig->dma, &req, &buffer), IOMMUSIM_EINVAL);
	assert_untouched(rig);
	finish(rig);
}

static void a_block_that_cannot_be_mapped_goes_back(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){ .pgsizes = S_4K_2M, .fail_map = 1 });
	struct iommusim_dma_request req = request_of(NULL, 3 * SZ_4K);
	struct iommusim_dma_buffer buffer;

	assert_err(iommusim_dma_alloc_pages(rig->dma, &req, &buffer), IOMMUSIM_ENOMEM);
	assert_int_equal(buffer.failed, IOMMUSIM_DMA_MAP);
	assert_int_equal(buffer.chunks.nr_freed, 4);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	iommusim_dma_set_masks(rig->dma, 0x1fff, 0x1fff);
	assert_err(iommusim_dma_alloc_pages(rig->dma, &req, &buffer), IOMMUSIM_ENOMEM);
	assert_int_equal(buffer.failed, IOMMUSIM_DMA_IOVA);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* ---- Devices that are not coherent ---- */

struct told {
	uint64_t pa[64];
	size_t nr;
};

static void note(void *ctx, uint64_t pa)
{
	struct told *told = ctx;

	assert_true(told->nr < ARRAY_LEN(told->pa));
	told->pa[told->nr++] = pa;
}

/* As the code of 2016 did: every page, in buffer order, before it is mapped. */
static void every_page_is_flushed(void **state)
{
	struct told told = { .nr = 0 };
	struct rig *rig = given_rig(&(struct rig_config){
		.pgsizes = S_4K_2M,
		.dma = { .is_noncoherent = 1, .flush_page = note, .flush_ctx = &told } });
	struct iommusim_dma_request req = request_of(NULL, 20 * SZ_4K);
	struct iommusim_dma_buffer buffer;
	struct iommusim_mapped_range range;

	assert_ok(iommusim_dma_alloc(rig->dma, &req, &buffer));
	assert_int_equal(told.nr, 20);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(told.pa[i], iommusim_domain_iova_to_phys(
						     rig->domain, buffer.dma_addr + i * SZ_4K));
	assert_int_equal(iommusim_recorder_next(rig->recorder, 0, &range), 1);
	assert_int_equal(range.prot, IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE); /* no CACHE */
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	req.attrs = FORCE;
	assert_ok(iommusim_dma_alloc(rig->dma, &req, &buffer));
	assert_int_equal(told.nr, 40);
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_flush_page, 40);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

/* Who may not sleep gets pages of the pool, first fit, until there are none. */
static void the_pool_serves_who_may_not_sleep(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){
		.pgsizes = S_4K_2M, .dma = { .is_noncoherent = 1, .pool_pages = 8 } });
	struct iommusim_dma_request req = { .size = 3 * SZ_4K, .gfp = A };
	struct iommusim_dma_buffer b[4];
	uint64_t free_pages = iommusim_phys_nr_free(rig->phys);

	assert_int_equal(free_pages, 4096 - 8);
	assert_ok(iommusim_dma_alloc(rig->dma, &req, &b[0]));
	assert_ok(iommusim_dma_alloc(rig->dma, &req, &b[1]));
	assert_int_equal(b[1].sg[0].pa - b[0].sg[0].pa, 3 * SZ_4K);
	assert_err(iommusim_dma_alloc(rig->dma, &req, &b[2]), IOMMUSIM_ENOMEM);
	assert_int_equal(b[2].failed, IOMMUSIM_DMA_PAGES);
	assert_ok(iommusim_dma_free(rig->dma, &b[2]));
	req.size = 2 * SZ_4K;
	assert_ok(iommusim_dma_alloc(rig->dma, &req, &b[2]));
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_pool_pages, 8);
	assert_ok(iommusim_dma_free(rig->dma, &b[0]));
	assert_ok(iommusim_dma_alloc(rig->dma, &req, &b[3]));
	assert_int_equal(b[3].in_pool, 1);
	assert_int_equal(iommusim_phys_nr_free(rig->phys), free_pages);
	for (size_t i = 1; i < 4; i++)
		assert_ok(iommusim_dma_free(rig->dma, &b[i]));
	assert_int_equal(iommusim_dma_stats(rig->dma).nr_pool_pages, 0);
	iommusim_dma_destroy(rig->dma);
	rig->dma = NULL;
	assert_untouched(rig);
	finish(rig);
}

static void without_a_pool_who_may_not_sleep_gets_nothing(void **state)
{
	struct rig *rig =
		given_rig(&(struct rig_config){ .pgsizes = S_4K_2M, .dma.is_noncoherent = 1 });
	struct iommusim_dma_request req = { .size = SZ_4K, .gfp = A };
	struct iommusim_dma_buffer buffer;

	assert_err(iommusim_dma_alloc(rig->dma, &req, &buffer), IOMMUSIM_ENOMEM);
	assert_ok(iommusim_dma_free(rig->dma, &buffer));
	assert_untouched(rig);
	finish(rig);
}

static void a_pool_that_cannot_be_is_refused(void **state)
{
	struct rig_config config = { .pgsizes = S_4K_2M, .frames = 64 };
	struct rig *rig = given_parts(&config);

	config.dma.pool_pages = 3;
	assert_err(create_device(rig, &config), IOMMUSIM_EINVAL);
	config.dma.pool_pages = 2048;
	assert_err(create_device(rig, &config), IOMMUSIM_EINVAL);
	config.dma.pool_pages = 1024;
	assert_err(create_device(rig, &config), IOMMUSIM_ENOMEM);
	assert_untouched(rig);
	finish(rig);
}

/* Both have the pool, each over memory of its own. */
static void a_fork_has_its_own_pool(void **state)
{
	struct rig *rig = given_rig(&(struct rig_config){
		.pgsizes = S_4K_2M, .dma = { .is_noncoherent = 1, .pool_pages = 8 } });
	struct iommusim_dma_request req = { .size = 8 * SZ_4K, .gfp = A };
	struct iommusim_page_source source;
	struct iommusim_dma_config parts = { .domain = rig->domain,
		                             .iova = rig->iova,
		                             .source = &source };
	struct iommusim_phys *phys;
	struct iommusim_dma_buffer one, two;
	struct iommusim_dma *copy;

	assert_ok(iommusim_phys_fork(rig->phys, &phys));
	source = iommusim_phys_source(phys);
	assert_ok(iommusim_dma_fork(rig->dma, &parts, &copy));
	assert_ok(iommusim_dma_alloc(copy, &req, &one));
	assert_ok(iommusim_dma_alloc(rig->dma, &req, &two));
	assert_ok(iommusim_dma_free(copy, &one));
	assert_ok(iommusim_dma_free(rig->dma, &two));
	iommusim_dma_destroy(copy);
	assert_int_equal(iommusim_phys_nr_free(phys), 4096);
	assert_int_equal(iommusim_phys_nr_free(rig->phys), 4096 - 8);
	iommusim_phys_destroy(phys);
	finish(rig);
}

int main(void)
{
	struct CMUnitTest tests[7 + ARRAY_LEN(way_rows)] = {
		cmocka_unit_test(alloc_pages_uses_the_streaming_mask),
		cmocka_unit_test(a_block_that_cannot_be_mapped_goes_back),
		cmocka_unit_test(every_page_is_flushed),
		cmocka_unit_test(the_pool_serves_who_may_not_sleep),
		cmocka_unit_test(without_a_pool_who_may_not_sleep_gets_nothing),
		cmocka_unit_test(a_pool_that_cannot_be_is_refused),
		cmocka_unit_test(a_fork_has_its_own_pool),
	};

	for (size_t i = 0; i < ARRAY_LEN(way_rows); i++)
		tests[7 + i] = (struct CMUnitTest)TEST_ROW(comes_this_way, &way_rows[i]);
	return RUN_TESTS(tests);
}

/* SPDX-License-Identifier: MIT */
/*
 * Every public call, with each of the host's allocations failing in turn, and with each page of the
 * simulated machine failing in turn: nothing changes and nothing is lost.
 */
#include "rig.h"

#define S_4K_2M (SZ_4K | SZ_2M)
#define POOL    SZ_1G
#define MANY    48 /* more than the initial room of any array */

/* Memory whose n-th request fails, over the rig's. */
struct failing_pages {
	struct iommusim_page_source inner;
	unsigned calls, fail_at;
};

struct bench {
	struct iommusim_fault fault;
	struct iommusim_host host;
	struct rig_config config;
	struct rig *rig;
	struct failing_pages pages;
	/* What the call works on. */
	struct iommusim_dma_buffer buffer;
	struct iommusim_dma_mapping mapping;
	struct iommusim_dma_sg sg[MANY];
	struct iommusim_dma_list list;
	struct iommusim_dma_iova iova;
	struct iommusim_dma_piece piece;
	struct iommusim_dma *copy;
	uint64_t now;
};

static int alloc_or_fail(void *ctx, const struct iommusim_page_request *req,
                         struct iommusim_page_block *block)
{
	struct failing_pages *p = ctx;

	if (++p->calls == p->fail_at)
		return -IOMMUSIM_ENOMEM;
	return p->inner.alloc_pages(p->inner.ctx, req, block);
}

static int free_inner(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct failing_pages *p = ctx;

	return p->inner.free_pages(p->inner.ctx, pfn, order);
}

static int split_inner(void *ctx, iommusim_pfn pfn, unsigned order)
{
	struct failing_pages *p = ctx;

	return p->inner.split_page(p->inner.ctx, pfn, order);
}

/* ---- The calls, and how each is undone ---- */

static int do_alloc_with(struct bench *b, uint32_t gfp, uint32_t attrs)
{
	struct iommusim_dma_request req = { .size = 40 * SZ_4K, .gfp = gfp, .attrs = attrs };
	int err = iommusim_dma_alloc(b->rig->dma, &req, &b->buffer);

	if (err) {
		assert_ok(iommusim_dma_free(b->rig->dma, &b->buffer));
	}
	return err;
}

static int do_alloc(struct bench *b)
{
	return do_alloc_with(b, IOMMUSIM_GFP_KERNEL, 0);
}

static int do_alloc_singles(struct bench *b)
{
	return do_alloc_with(b, IOMMUSIM_GFP_KERNEL, IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES);
}

static int do_alloc_block(struct bench *b)
{
	return do_alloc_with(b, IOMMUSIM_GFP_KERNEL, IOMMUSIM_ATTR_FORCE_CONTIGUOUS);
}

static int do_alloc_atomic(struct bench *b)
{
	return do_alloc_with(b, IOMMUSIM_GFP_ATOMIC_6_12, 0);
}

static int do_alloc_noncontiguous(struct bench *b)
{
	struct iommusim_dma_request req = request_of(NULL, 40 * SZ_4K);
	int err = iommusim_dma_alloc_noncontiguous(b->rig->dma, &req, &b->buffer);

	if (err)
		assert_ok(iommusim_dma_free(b->rig->dma, &b->buffer));
	return err;
}

static int do_alloc_pages(struct bench *b)
{
	struct iommusim_dma_request req = request_of(NULL, 3 * SZ_4K);
	int err = iommusim_dma_alloc_pages(b->rig->dma, &req, &b->buffer);

	if (err)
		assert_ok(iommusim_dma_free(b->rig->dma, &b->buffer));
	return err;
}

static void undo_alloc(struct bench *b)
{
	assert_ok(iommusim_dma_free(b->rig->dma, &b->buffer));
}

static int do_map_page(struct bench *b)
{
	b->mapping = (struct iommusim_dma_mapping){ .pa = SZ_1M + 5, .size = 3 * SZ_4K };
	return iommusim_dma_map_page(b->rig->dma, &b->mapping);
}

static void undo_map_page(struct bench *b)
{
	assert_ok(iommusim_dma_unmap_page(b->rig->dma, &b->mapping));
}

static int do_map_resource(struct bench *b)
{
	b->mapping = (struct iommusim_dma_mapping){ .pa = SZ_1M + 5, .size = 3 * SZ_4K };
	return iommusim_dma_map_resource(b->rig->dma, &b->mapping);
}

static void undo_map_resource(struct bench *b)
{
	assert_ok(iommusim_dma_unmap_resource(b->rig->dma, &b->mapping));
}

static int do_map_sg(struct bench *b)
{
	size_t segments = 77;
	int err;

	for (size_t i = 0; i < MANY; i++)
		b->sg[i] = (struct iommusim_dma_sg){ .page_pa = (i + 1) * SZ_1M, .length = 100 };
	b->list = (struct iommusim_dma_list){ .sg = b->sg, .nr = MANY };
	err = iommusim_dma_map_sg(b->rig->dma, &b->list, &segments);
	if (err) {
		assert_int_equal(segments, 77);
		for (size_t i = 0; i < MANY; i++)
			assert_true(b->sg[i].dma_addr == IOMMUSIM_DMA_ERROR);
	}
	return err;
}

static void undo_map_sg(struct bench *b)
{
	assert_ok(iommusim_dma_unmap_sg(b->rig->dma, &b->list));
}

static int do_link(struct bench *b)
{
	int err;

	b->piece = (struct iommusim_dma_piece){ .pa = SZ_1M + 5, .size = 5 * SZ_4K };
	err = iommusim_dma_iova_try_alloc(b->rig->dma, &b->iova, b->piece.pa, b->piece.size);
	if (err)
		return err;
	err = iommusim_dma_iova_link(b->rig->dma, &b->iova, &b->piece);
	if (!err)
		err = iommusim_dma_iova_sync(b->rig->dma, &b->iova, 0, b->piece.size);
	if (err)
		iommusim_dma_iova_free(b->rig->dma, &b->iova);
	return err;
}

static void undo_link(struct bench *b)
{
	assert_ok(iommusim_dma_iova_destroy(b->rig->dma, &b->iova, &b->piece));
}

static int do_reserve(struct bench *b)
{
	struct iommusim_region direct = { IOMMUSIM_REGION_DIRECT, SZ_1M, SZ_1M + 5, 3 };

	return iommusim_dma_reserve(b->rig->dma, &direct);
}

static void undo_reserve(struct bench *b)
{
	iommusim_iova_free(b->rig->iova, SZ_1M >> 12);
	assert_int_equal(iommusim_domain_unmap(b->rig->domain, SZ_1M, SZ_4K), SZ_4K);
}

static int do_reserve_gaps(struct bench *b)
{
	struct iommusim_region window = { IOMMUSIM_REGION_RESERVED, 0, SZ_1G - 1, 0 };

	return iommusim_dma_reserve_gaps(b->rig->dma, &window, 1);
}

static void undo_reserve_gaps(struct bench *b)
{
	iommusim_iova_free(b->rig->iova, SZ_1G >> 12);
}

static int do_fork(struct bench *b)
{
	struct iommusim_page_source source = iommusim_phys_source(b->rig->phys);
	struct iommusim_dma_config parts = { .domain = b->rig->domain,
		                             .iova = b->rig->iova,
		                             .source = &source };

	return iommusim_dma_fork(b->rig->dma, &parts, &b->copy);
}

/* The copy's pool is the same block: it is forgotten with the one that goes first. */
static void undo_fork(struct bench *b)
{
	iommusim_dma_destroy(b->copy);
}

static const struct call {
	const char *name;
	struct rig_config rig;
	int (*run)(struct bench *b);
	void (*undo)(struct bench *b);
	int has_pages; /* it asks the page source */
	int has_maps;  /* it asks the driver */
} calls[] = {
	{ "dma_alloc, chunks", { .pgsizes = S_4K_2M }, do_alloc, undo_alloc, 1, 1 },
	{ "dma_alloc, single pages", { .pgsizes = S_4K_2M }, do_alloc_singles, undo_alloc, 1, 1 },
	{ "dma_alloc, all orders, 6.1",
	  { .kernel = KERNEL_6_1, .pgsizes = ~(SZ_4K - 1) },
	  do_alloc,
	  undo_alloc,
	  1,
	  1 },
	{ "dma_alloc, a block", { .pgsizes = S_4K_2M }, do_alloc_block, undo_alloc, 1, 1 },
	{ "dma_alloc, the pool",
	  { .pgsizes = S_4K_2M, .dma = { .is_noncoherent = 1, .pool_pages = 64 } },
	  do_alloc_atomic,
	  undo_alloc,
	  0,
	  1 },
	{ "dma_alloc_noncontiguous",
	  { .pgsizes = S_4K_2M, .iova_cpus = 1 },
	  do_alloc_noncontiguous,
	  undo_alloc,
	  1,
	  1 },
	{ "dma_alloc_pages", { .pgsizes = S_4K_2M }, do_alloc_pages, undo_alloc, 1, 1 },
	{ "dma_map_page", { .pgsizes = S_4K_2M }, do_map_page, undo_map_page, 0, 1 },
	{ "dma_map_page, lazy",
	  { .pgsizes = S_4K_2M,
	    .iova_cpus = 1,
	    .dma = { .invalidation = IOMMUSIM_INVALIDATE_LAZY } },
	  do_map_page,
	  undo_map_page,
	  0,
	  1 },
	{ "dma_map_page, bounced",
	  { .pgsizes = S_4K_2M,
	    .dma = { .is_untrusted = 1, .swiotlb_pa = POOL, .swiotlb_slots = 128 } },
	  do_map_page,
	  undo_map_page,
	  0,
	  1 },
	{ "dma_map_resource", { .pgsizes = S_4K_2M }, do_map_resource, undo_map_resource, 0, 1 },
	{ "dma_map_sg", { .pgsizes = S_4K_2M }, do_map_sg, undo_map_sg, 0, 1 },
	{ "dma_map_sg, bounced",
	  { .pgsizes = S_4K_2M,
	    .dma = { .is_untrusted = 1, .swiotlb_pa = POOL, .swiotlb_slots = 128 } },
	  do_map_sg,
	  undo_map_sg,
	  0,
	  1 },
	{ "dma_iova_link",
	  { .kernel = IOMMUSIM_KERNEL(6, 16), .pgsizes = S_4K_2M },
	  do_link,
	  undo_link,
	  0,
	  1 },
	{ "dma_iova_link, bounced",
	  { .kernel = IOMMUSIM_KERNEL(6, 16),
	    .pgsizes = S_4K_2M,
	    .dma = { .is_untrusted = 1, .swiotlb_pa = POOL, .swiotlb_slots = 128 } },
	  do_link,
	  undo_link,
	  0,
	  1 },
	{ "a direct region", { .pgsizes = S_4K_2M }, do_reserve, undo_reserve, 0, 1 },
	{ "gaps between windows",
	  { .pgsizes = S_4K_2M },
	  do_reserve_gaps,
	  undo_reserve_gaps,
	  0,
	  0 },
	{ "a fork",
	  { .pgsizes = S_4K_2M,
	    .dma = { .invalidation = IOMMUSIM_INVALIDATE_LAZY,
	             .nr_cpus = 2,
	             .swiotlb_pa = POOL,
	             .swiotlb_slots = 128 } },
	  do_fork,
	  undo_fork,
	  0,
	  0 },
};

/* The rig of @call, all of it on one failing host, and the failing pages below the device. */
static void set_up(struct bench *b, const struct call *call)
{
	struct iommusim_page_source source;
	struct iommusim_dma_config dma;

	memset(b, 0, sizeof(*b));
	b->host = iommusim_host_failing(&b->fault);
	b->config = call->rig;
	b->config.host = b->config.domain_host = b->config.iova_host = b->config.recorder_host =
		&b->host;
	b->rig = given_rig(&b->config);
	if (b->config.dma.pool_pages)
		return;
	iommusim_dma_destroy(b->rig->dma);
	b->pages.inner = shadow_source(&b->rig->shadow, iommusim_phys_source(b->rig->phys));
	source = (struct iommusim_page_source){ .size = sizeof(source),
		                                .ctx = &b->pages,
		                                .alloc_pages = alloc_or_fail,
		                                .free_pages = free_inner,
		                                .split_page = split_inner };
	dma = b->config.dma;
	dma.size = sizeof(dma);
	dma.kernel = b->config.kernel;
	dma.domain = b->rig->domain;
	dma.iova = b->rig->iova;
	dma.source = &source;
	dma.host = &b->host;
	assert_ok(iommusim_dma_create(&dma, &b->rig->dma));
}

/* As before the call, but for what was counted; the clock lets the queue run dry. */
static void assert_as_before(struct bench *b)
{
	struct iommusim_dma_stats stats;

	b->now += UINT64_C(1) << 30;
	iommusim_dma_set_clock(b->rig->dma, b->now);
	stats = iommusim_dma_stats(b->rig->dma);
	assert_int_equal(stats.nr_map, stats.nr_unmap);
	assert_int_equal(stats.nr_slots, 0);
	assert_int_equal(stats.nr_queued, 0);
	assert_int_equal(stats.nr_pool_pages, 0);
	if (!b->config.dma.pool_pages)
		assert_untouched(b->rig);
}

static void tear_down(struct bench *b)
{
	if (b->config.dma.pool_pages) {
		iommusim_dma_destroy(b->rig->dma);
		b->rig->dma = NULL;
		assert_untouched(b->rig);
	}
	finish(b->rig);
	assert_int_equal(b->fault.nr_live, 0);
}

/* With the n-th allocation from now on failing. Returns whether there was one. */
static int host_fails_at(const struct call *call, uint64_t n)
{
	struct bench *b = malloc(sizeof(*b));
	int err;

	assert_non_null(b);
	set_up(b, call);
	b->fault.fail_at = b->fault.nr_allocs + n;
	err = call->run(b);
	assert_true(!err || err == -IOMMUSIM_EHOST);
	if (!err)
		call->undo(b);
	assert_as_before(b);
	/* It was the host: the next try succeeds. */
	if (err) {
		assert_ok(call->run(b));
		call->undo(b);
		assert_as_before(b);
	}
	tear_down(b);
	free(b);
	return err != 0;
}

/* The first reservations find room in the arrays of an IOVA space. */
static int needs_the_host(const struct call *call)
{
	return call->run != do_reserve_gaps;
}

static void survives_the_host(void **state)
{
	const struct call *call = *state;
	uint64_t n = 1;

	while (host_fails_at(call, n))
		n++;
	assert_int_equal(n > 1, needs_the_host(call));
	/* Beyond the first success there is nothing left to fail. */
	assert_false(host_fails_at(call, n + 1));
}

/* The n-th page, or the n-th call of the driver: an outcome, of which the call may make the best.
 */
static int outcome_at(const struct call *call, unsigned page, unsigned map)
{
	struct call changed = *call;
	struct bench *b = malloc(sizeof(*b));
	int err, was_reached;

	assert_non_null(b);
	changed.rig.fail_map = map;
	set_up(b, &changed);
	b->pages.fail_at = page;
	err = call->run(b);
	assert_true(!err || err == -IOMMUSIM_ENOMEM || err == -IOMMUSIM_EIO);
	was_reached = page ? b->pages.calls >= page
	                   : iommusim_domain_stats(b->rig->domain).nr_map_calls >= map;
	assert_true(!map || (err != 0) == was_reached);
	if (!err)
		call->undo(b);
	assert_as_before(b);
	tear_down(b);
	free(b);
	return was_reached;
}

static void survives_the_machine(void **state)
{
	const struct call *call = *state;
	unsigned nr_pages = 0, nr_maps = 0;

	while (call->has_pages && outcome_at(call, nr_pages + 1, 0))
		nr_pages++;
	while (call->has_maps && outcome_at(call, 0, nr_maps + 1))
		nr_maps++;
	assert_true(!call->has_pages || nr_pages);
	assert_true(!call->has_maps || nr_maps);
}

/* Devices of all kinds are created on a host that fails. */
static void a_device_that_cannot_be_built(void **state)
{
	struct iommusim_fault fault = { 0, 0, 0 };
	struct iommusim_host host = iommusim_host_failing(&fault);
	struct rig_config config = { .pgsizes = S_4K_2M,
		                     .host = &host,
		                     .dma = { .invalidation = IOMMUSIM_INVALIDATE_LAZY,
		                              .swiotlb_pa = POOL,
		                              .swiotlb_slots = 128,
		                              .pool_pages = 16 } };
	struct rig *rig = given_parts(&config);
	uint64_t n = 1;
	int err;

	for (;; n++) {
		fault = (struct iommusim_fault){ 0, n, 0 };
		err = create_device(rig, &config);
		if (!err)
			break;
		assert_int_equal(err, -IOMMUSIM_EHOST);
		assert_int_equal(fault.nr_live, 0);
		assert_untouched(rig);
	}
	assert_int_equal(n, 6); /* the device, two of the queue, the slots, the pool */
	iommusim_dma_destroy(rig->dma);
	rig->dma = NULL;
	assert_untouched(rig);
	finish(rig);
}

int main(void)
{
	struct CMUnitTest tests[1 + 2 * ARRAY_LEN(calls)] = {
		cmocka_unit_test(a_device_that_cannot_be_built),
	};
	size_t nr = 1;

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		tests[nr++] = (struct CMUnitTest)TEST_ROW(survives_the_host, &calls[i]);
		tests[nr++] = (struct CMUnitTest)TEST_ROW(survives_the_machine, &calls[i]);
	}
	return RUN_TESTS(tests);
}

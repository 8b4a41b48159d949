/* SPDX-License-Identifier: MIT */
/*
 * Random calls on devices of all kinds, on a host that fails now and then, under the shadow: after
 * each one everything live is where it should be and nothing else is reachable, and in the end
 * nothing is left.
 */
#include "base/rng.h"
#include "rig.h"

#define MAX_LIVE    24
#define MAX_ENTRIES 6
#define SLOTS_PA    (UINT64_C(1) << 40)
#define NR_STEPS    300

enum live_kind { NOT_LIVE, BUFFER, PAGE, RESOURCE, LIST, LINKED };

struct live {
	enum live_kind kind;
	struct iommusim_dma_buffer buffer;
	struct iommusim_dma_mapping mapping;
	struct iommusim_dma_sg sg[MAX_ENTRIES];
	struct iommusim_dma_list list;
	struct iommusim_dma_iova iova;
	struct iommusim_dma_piece piece;
};

struct world {
	struct iommusim_fault fault;
	struct iommusim_host host;
	uint64_t nr_host_failed; /* calls */
	struct rig *rig;
	struct isim_rng rng;
	struct live live[MAX_LIVE];
	uint64_t now;
	unsigned nr_cpus;
};

static const struct kind {
	const char *name;
	struct rig_config rig;
} kinds[] = {
	{ "a plain device", { .pgsizes = SZ_4K | SZ_2M } },
	{ "6.1, PCI, all page sizes, caches",
	  { .kernel = KERNEL_6_1,
	    .pgsizes = ~(SZ_4K - 1),
	    .iova_cpus = 1,
	    .dma = { .is_pci = 1, .streaming_mask = UINT64_C(0xffffffffffff) } } },
	{ "not coherent, with a pool",
	  { .pgsizes = SZ_4K | SZ_2M, .dma = { .is_noncoherent = 1, .pool_pages = 16 } } },
	{ "untrusted",
	  { .kernel = IOMMUSIM_KERNEL(6, 16),
	    .pgsizes = SZ_4K | SZ_2M,
	    .dma = { .is_untrusted = 1, .swiotlb_pa = SLOTS_PA, .swiotlb_slots = 256 } } },
	{ "lazy, four CPUs",
	  { .pgsizes = SZ_4K | SZ_2M,
	    .iova_cpus = 4,
	    .dma = { .invalidation = IOMMUSIM_INVALIDATE_LAZY, .nr_cpus = 4 } } },
	{ "lazy, one queue, 6.16",
	  { .kernel = IOMMUSIM_KERNEL(6, 16),
	    .pgsizes = SZ_4K | SZ_2M,
	    .dma = { .invalidation = IOMMUSIM_INVALIDATE_LAZY_SINGLE } } },
	{ "boundaries of 64K",
	  { .pgsizes = SZ_4K | SZ_64K,
	    .dma = { .seg_boundary = 0xffff, .max_seg_size = SZ_64K } } },
	{ "a granule of 1K under pages of 64K",
	  { .pgsizes = 1024 | SZ_64K, .dma = { .page_shift = 12 } } },
	{ "little IOVA space",
	  { .pgsizes = SZ_4K | SZ_2M, .iova_start = 0x100000 - 300, .iova_cpus = 1 } },
	{ "a driver that does two pages at a time", { .pgsizes = SZ_4K | SZ_2M, .cap = 2 } },
};

static uint64_t below(struct world *w, uint64_t n)
{
	return isim_rng_below(&w->rng, n);
}

static unsigned rights(const struct live *l)
{
	switch (l->kind == LIST ? l->list.direction : l->mapping.direction) {
	case IOMMUSIM_DMA_TO_DEVICE:
		return IOMMUSIM_PROT_READ;
	case IOMMUSIM_DMA_FROM_DEVICE:
		return IOMMUSIM_PROT_WRITE;
	default:
		return IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE;
	}
}

/* Where a piece really is: itself, or a bounce buffer that nobody else has. */
static uint64_t real_pa(const struct world *w, uint64_t pa, uint64_t addr)
{
	uint64_t seen = iommusim_domain_iova_to_phys(w->rig->domain, addr);

	assert_true(seen == pa || seen >= SLOTS_PA);
	return seen;
}

static void hold(struct world *w, const struct live *l, uint64_t pa, uint64_t addr, uint64_t size)
{
	shadow_hold(&w->rig->shadow,
	            (struct shadow_range){ addr, real_pa(w, pa, addr), size, rights(l) });
}

/* ---- One of each kind: 0, or the error ---- */

static int new_buffer(struct world *w, struct live *l)
{
	static const uint32_t attrs[] = { 0, 0, IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES,
		                          IOMMUSIM_ATTR_FORCE_CONTIGUOUS };
	struct iommusim_dma_request req = request_of(NULL, 1 + below(w, 40 * SZ_4K));
	int err;

	l->kind = BUFFER;
	req.attrs = attrs[below(w, 4)];
	if (below(w, 3) == 0)
		req.gfp = IOMMUSIM_GFP_ATOMIC_6_12;
	switch (below(w, 3)) {
	case 0:
		err = iommusim_dma_alloc_pages(w->rig->dma, &req, &l->buffer);
		break;
	case 1:
		req.attrs &= IOMMUSIM_ATTR_ALLOC_SINGLE_PAGES;
		err = iommusim_dma_alloc_noncontiguous(w->rig->dma, &req, &l->buffer);
		break;
	default:
		err = iommusim_dma_alloc(w->rig->dma, &req, &l->buffer);
	}
	if (!err)
		shadow_hold_buffer(&w->rig->shadow, &l->buffer);
	else
		assert_ok(iommusim_dma_free(w->rig->dma, &l->buffer));
	return err;
}

static int new_mapping(struct world *w, struct live *l)
{
	int is_resource = below(w, 4) == 0, err;

	l->kind = is_resource ? RESOURCE : PAGE;
	l->mapping =
		(struct iommusim_dma_mapping){ .pa = SZ_1G + below(w, SZ_1M),
		                               .size = 1 + below(w, below(w, 2) ? 3 * SZ_4K : 300),
		                               .direction =
		                                       (enum iommusim_dma_direction)below(w, 3) };
	err = is_resource ? iommusim_dma_map_resource(w->rig->dma, &l->mapping)
	                  : iommusim_dma_map_page(w->rig->dma, &l->mapping);
	if (!err)
		hold(w, l, l->mapping.pa, l->mapping.dma_addr, l->mapping.size);
	return err;
}

/* Entry @i, which lies somewhere in the segments, and what it was padded with. */
static void hold_list(struct world *w, const struct live *l)
{
	const struct shadow *s = &w->rig->shadow;
	struct iommusim_mapped_range r;
	uint64_t first = l->sg[0].dma_addr & ~(s->granule - 1), end = 0;

	for (size_t i = 0; i < l->list.nr && l->sg[i].dma_length; i++)
		end = l->sg[i].dma_addr + l->sg[i].dma_length;
	end = (end + s->granule - 1) & ~(s->granule - 1);
	for (uint64_t at = first; at < end; at += s->granule) {
		uint64_t pa = iommusim_domain_iova_to_phys(w->rig->domain, at);

		assert_int_equal(iommusim_recorder_next(w->rig->recorder, at, &r), 1);
		assert_int_equal(r.prot & 3, rights(l));
		shadow_hold(&w->rig->shadow,
		            (struct shadow_range){ at, pa, s->granule, rights(l) });
	}
}

/* The bytes of the entries, one after the other, are those of the segments. */
static void check_list(const struct world *w, const struct live *l)
{
	size_t out = 0;
	uint64_t at = 0;

	for (size_t i = 0; i < l->list.nr; i++) {
		uint64_t pa = l->sg[i].page_pa + l->sg[i].offset;

		if (at == l->sg[out].dma_length) {
			out++;
			at = 0;
		}
		real_pa(w, pa, l->sg[out].dma_addr + at);
		real_pa(w, pa + l->sg[i].length - 1,
		        l->sg[out].dma_addr + at + l->sg[i].length - 1);
		at += l->sg[i].length;
		assert_true(at <= l->sg[out].dma_length);
	}
	assert_int_equal(at, l->sg[out].dma_length);
}

static int new_list(struct world *w, struct live *l)
{
	size_t segments;
	int err;

	l->kind = LIST;
	l->list =
		(struct iommusim_dma_list){ .sg = l->sg,
		                            .nr = 1 + (size_t)below(w, MAX_ENTRIES),
		                            .direction = (enum iommusim_dma_direction)below(w, 3) };
	for (size_t i = 0; i < l->list.nr; i++) {
		uint32_t offset = below(w, 3) ? 0 : (uint32_t)below(w, SZ_4K);

		l->sg[i] = (struct iommusim_dma_sg){
			.page_pa = 2 * SZ_1G + below(w, 1000) * SZ_4K,
			.offset = offset,
			.length = below(w, 3) ? (uint32_t)(SZ_4K - offset)
			                      : 1 + (uint32_t)below(w, 5 * SZ_4K)
		};
	}
	err = iommusim_dma_map_sg(w->rig->dma, &l->list, &segments);
	if (err)
		return err;
	check_list(w, l);
	if (l->list.is_split)
		for (size_t i = 0; i < l->list.nr; i++)
			hold(w, l, l->sg[i].page_pa + l->sg[i].offset, l->sg[i].dma_addr,
			     l->sg[i].length);
	else
		hold_list(w, l);
	return 0;
}

static int new_linked(struct world *w, struct live *l)
{
	uint64_t granule = w->rig->shadow.granule;
	int err;

	l->kind = LINKED;
	l->piece = (struct iommusim_dma_piece){ .pa = SZ_1G + below(w, SZ_1M),
		                                .size = 1 + below(w, 5 * SZ_4K) };
	err = iommusim_dma_iova_try_alloc(w->rig->dma, &l->iova, l->piece.pa, l->piece.size);
	if (err)
		return err;
	err = iommusim_dma_iova_link(w->rig->dma, &l->iova, &l->piece);
	if (err) {
		iommusim_dma_iova_free(w->rig->dma, &l->iova);
		return err;
	}
	for (uint64_t at = l->iova.addr & ~(granule - 1); at < l->iova.addr + l->piece.size;
	     at += granule)
		shadow_hold(&w->rig->shadow,
		            (struct shadow_range){ at,
		                                   iommusim_domain_iova_to_phys(w->rig->domain, at),
		                                   granule, 3 });
	return 0;
}

/* ---- The end of one ---- */

static void drop_list(struct world *w, const struct live *l)
{
	for (size_t i = 0; i < l->list.nr && l->sg[i].dma_length; i++) {
		uint64_t first = l->sg[l->list.is_split ? i : 0].dma_addr;

		shadow_drop(&w->rig->shadow, first,
		            l->sg[i].dma_addr + l->sg[i].dma_length -
		                    (first & ~(w->rig->shadow.granule - 1)));
	}
}

static void end_live(struct world *w, struct live *l)
{
	struct iommusim_dma *dma = w->rig->dma;
	struct shadow *s = &w->rig->shadow;

	switch (l->kind) {
	case BUFFER:
		shadow_drop(s, l->buffer.dma_addr, l->buffer.size);
		assert_ok(iommusim_dma_free(dma, &l->buffer));
		break;
	case PAGE:
	case RESOURCE:
		shadow_drop(s, l->mapping.dma_addr,
		            l->mapping.size + (l->mapping.dma_addr & (s->granule - 1)));
		assert_ok(l->kind == PAGE ? iommusim_dma_unmap_page(dma, &l->mapping)
		                          : iommusim_dma_unmap_resource(dma, &l->mapping));
		break;
	case LIST:
		drop_list(w, l);
		assert_ok(iommusim_dma_unmap_sg(dma, &l->list));
		break;
	case LINKED:
		shadow_drop(s, l->iova.addr, l->piece.size + (l->iova.addr & (s->granule - 1)));
		assert_ok(iommusim_dma_iova_destroy(dma, &l->iova, &l->piece));
		break;
	default:
		break;
	}
	l->kind = NOT_LIVE;
}

/* Sometimes the host fails on the way. */
static void begin_live(struct world *w, struct live *l)
{
	static int (*const makers[])(struct world *, struct live *) = { new_buffer, new_mapping,
		                                                        new_list, new_linked };
	int err;

	if (below(w, 6) == 0)
		w->fault.fail_at = w->fault.nr_allocs + 1 + below(w, 3);
	err = makers[below(w, 4)](w, l);
	w->fault.fail_at = 0;
	w->nr_host_failed += err == -IOMMUSIM_EHOST;
	if (err) {
		assert_true(err == -IOMMUSIM_ENOMEM || err == -IOMMUSIM_ENODEV ||
		            err == -IOMMUSIM_EIO || err == -IOMMUSIM_EHOST);
		l->kind = NOT_LIVE;
	}
}

static void step(struct world *w)
{
	struct live *l = &w->live[below(w, MAX_LIVE)];

	assert_ok(iommusim_dma_set_cpu(w->rig->dma, (unsigned)below(w, w->nr_cpus)));
	w->now += below(w, 2000000);
	iommusim_dma_set_clock(w->rig->dma, w->now);
	if (l->kind)
		end_live(w, l);
	else
		begin_live(w, l);
	shadow_check(&w->rig->shadow, w->rig->recorder);
	if (w->rig->shadow.is_strict)
		assert_true(w->rig->shadow.nr_given_early == 0);
}

/* Returns how many calls the host has failed. */
static uint64_t run(const struct kind *k, uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));
	struct rig_config config = k->rig;
	struct iommusim_dma_stats stats;
	uint64_t nr_host_failed;

	assert_non_null(w);
	w->rng = isim_rng_seed(seed);
	w->host = iommusim_host_failing(&w->fault);
	config.host = config.domain_host = config.iova_host = config.recorder_host = &w->host;
	w->rig = given_rig(&config);
	w->nr_cpus = k->rig.dma.nr_cpus ? k->rig.dma.nr_cpus : 1;
	for (int i = 0; i < NR_STEPS; i++)
		step(w);
	for (size_t i = 0; i < MAX_LIVE; i++)
		end_live(w, &w->live[i]);
	iommusim_dma_set_clock(w->rig->dma, w->now + UINT64_C(2000000000));
	stats = iommusim_dma_stats(w->rig->dma);
	assert_int_equal(stats.nr_map, stats.nr_unmap);
	assert_int_equal(stats.nr_slots, 0);
	assert_int_equal(stats.nr_pool_pages, 0);
	assert_int_equal(stats.nr_queued, 0);
	assert_int_equal(stats.exposed_bytes, 0);
	iommusim_dma_destroy(w->rig->dma); /* gives the pool back */
	w->rig->dma = NULL;
	assert_untouched(w->rig);
	finish(w->rig);
	assert_int_equal(w->fault.nr_live, 0);
	nr_host_failed = w->nr_host_failed;
	free(w);
	return nr_host_failed;
}

static uint64_t nr_seeds = 10;

static void stays_within_its_shadow(void **state)
{
	uint64_t nr_host_failed = 0;

	for (uint64_t seed = 1; seed <= nr_seeds; seed++) {
		print_message("# seed %llu\n", (unsigned long long)seed);
		nr_host_failed += run(*state, seed);
	}
	print_message("# the host failed %llu calls\n", (unsigned long long)nr_host_failed);
	assert_int_not_equal(nr_host_failed, 0);
}

/* With an argument: so many seeds. */
int main(int argc, char **argv)
{
	struct CMUnitTest tests[ARRAY_LEN(kinds)];

	if (argc > 1)
		nr_seeds = strtoull(argv[1], NULL, 10);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		tests[i] = (struct CMUnitTest)TEST_ROW(stays_within_its_shadow, &kinds[i]);
	return RUN_TESTS(tests);
}

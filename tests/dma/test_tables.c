/* SPDX-License-Identifier: MIT */
/*
 * Buffers in real page tables, seen by an independent walker: every byte of the buffer leads to its
 * chunk, and leaves and tables are as many as `iommusim compare` prints for the same request.
 */
#include "pgtable/table_memory.h"
#include "pgtable/walk_arm.h"
#include "rig.h"

static const struct row {
	const char *name;
	unsigned page_shift;
	uint64_t pgsizes;
	uint64_t want_leaves, want_tables;
} rows[] = {
	{ "4K,2M,1G: two blocks and a page", 12, SZ_4K | SZ_2M | SZ_1G, 3, 4 },
	{ "16K,32M: 257 pages", 14, SZ_16K | SZ_32M, 257, 4 },
	{ "64K,512M: 65 pages", 16, SZ_64K | SZ_512M, 65, 3 },
};

struct bench {
	struct memory memory;
	struct iommusim_phys *phys;
	struct iommusim_pgtable *pgtable;
	struct iommusim_domain *domain;
	struct iommusim_iova *iova;
	struct iommusim_dma *dma;
};

static void create_tables(struct bench *b, const struct row *r)
{
	struct iommusim_table_memory memory = { .size = sizeof(memory),
		                                .ctx = &b->memory,
		                                .alloc_table = alloc_table,
		                                .free_table = free_table,
		                                .table_at = table_at };
	struct iommusim_pgtable_config pgtable = { .size = sizeof(pgtable),
		                                   .format = &iommusim_pgtable_arm_lpae_s1,
		                                   .page_shift = r->page_shift,
		                                   .pgsizes = r->pgsizes,
		                                   .memory = &memory };
	struct iommusim_driver driver;
	struct iommusim_domain_config domain = { .size = sizeof(domain),
		                                 .pgsizes = r->pgsizes,
		                                 .driver = &driver };

	b->memory.next = TABLES_AT;
	assert_ok(iommusim_pgtable_create(&pgtable, &b->pgtable));
	driver = iommusim_pgtable_driver(b->pgtable);
	assert_ok(iommusim_domain_create(&domain, &b->domain));
}

static struct bench *given_bench(const struct row *r)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct iommusim_phys_config phys = { .size = sizeof(phys), .page_shift = r->page_shift };
	struct iommusim_iova_config iova = { .size = sizeof(iova), .granule_lg2 = r->page_shift };
	struct iommusim_page_source source;
	struct iommusim_dma_config dma = { .size = sizeof(dma),
		                           .page_shift = r->page_shift,
		                           .source = &source };

	assert_non_null(b);
	assert_ok(iommusim_phys_create(&phys, &b->phys));
	create_tables(b, r);
	assert_ok(iommusim_iova_create(&iova, &b->iova));
	source = iommusim_phys_source(b->phys);
	dma.domain = b->domain;
	dma.iova = b->iova;
	assert_ok(iommusim_dma_create(&dma, &b->dma));
	return b;
}

static void destroy(struct bench *b)
{
	iommusim_dma_destroy(b->dma);
	iommusim_iova_destroy(b->iova);
	iommusim_domain_destroy(b->domain);
	iommusim_pgtable_destroy(b->pgtable);
	iommusim_phys_destroy(b->phys);
	free(b);
}

/* Walk every leaf of the buffer: each leads to the page that the chunks say. Their number. */
static uint64_t walk_buffer(const struct walk_config *walker,
                            const struct iommusim_dma_buffer *buffer, unsigned page_shift)
{
	uint64_t nr = 0, at = 0, page = UINT64_C(1) << page_shift;

	for (size_t i = 0; i < buffer->chunks.nr_chunks; i++) {
		const struct iommusim_chunk *chunk = &buffer->chunks.chunk[i];

		for (uint64_t off = 0; off < page << chunk->order; off += page, at += page) {
			struct walk_answer got = walk(walker, buffer->dma_addr + at);

			assert_int_equal(got.cause, WALK_MAPPED);
			assert_int_equal(got.pa, (chunk->pfn << page_shift) + off);
			assert_int_equal(got.prot & (WALK_R | WALK_W | WALK_X), WALK_R | WALK_W);
			nr += (got.pa & (got.size - 1)) == 0; /* the leaf's first page */
		}
	}
	return nr;
}

static uint64_t nr_live(const struct memory *memory)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < memory->nr; i++)
		nr += memory->table[i].data != NULL;
	return nr;
}

/* 4 MiB and a page, as the tests of the program ask for. */
static void a_walker_finds_the_buffer(void **state)
{
	const struct row *r = *state;
	struct bench *b = given_bench(r);
	struct iommusim_dma_request req =
		request_of(NULL, (UINT64_C(4) << 20) + (UINT64_C(1) << r->page_shift));
	struct walk_config walker = { .format = &walk_arm_lpae_s1,
		                      .granule_lg2 = r->page_shift,
		                      .ias = 48,
		                      .root = { iommusim_pgtable_info(b->pgtable).root },
		                      .read = read_tables,
		                      .ctx = &b->memory };
	struct iommusim_dma_buffer buffer;

	assert_ok(iommusim_dma_alloc_noncontiguous(b->dma, &req, &buffer));
	assert_int_equal(walk_buffer(&walker, &buffer, r->page_shift), r->want_leaves);
	assert_int_equal(nr_live(&b->memory), r->want_tables);
	assert_int_equal(iommusim_pgtable_info(b->pgtable).nr_tables, r->want_tables);
	assert_int_equal(walk(&walker, buffer.dma_addr + buffer.size).cause, WALK_ABSENT);
	assert_ok(iommusim_dma_free(b->dma, &buffer));
	destroy(b);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[i] = (struct CMUnitTest)TEST_ROW(a_walker_finds_the_buffer, &rows[i]);
	return RUN_TESTS(tests);
}

/* SPDX-License-Identifier: MIT */
/* Machines with page tables: in the arena, or in pages of the machine's own memory. */
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define NR_FRAMES 4096u

static struct iommusim_phys *given_phys(const struct iommusim_host *host)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = 1 << 20,
		                             .nr_frames = NR_FRAMES };
	struct iommusim_phys_config config = {
		.size = sizeof(config), .zones = &zone, .nr_zones = 1, .host = host
	};
	struct iommusim_phys *phys = NULL;

	assert_ok(iommusim_phys_create(&config, &phys));
	return phys;
}

static struct iommusim_machine *given_machine(unsigned tables_in_phys)
{
	struct iommusim_machine_config config = { .size = sizeof(config),
		                                  .phys = given_phys(NULL),
		                                  .format = &iommusim_pgtable_arm_lpae_s1,
		                                  .tables_in_phys = tables_in_phys };
	struct iommusim_machine *machine = NULL;

	assert_ok(iommusim_machine_create(&config, &machine));
	return machine;
}

static int get_buffer(struct iommusim_machine *machine, uint64_t size,
                      struct iommusim_dma_buffer *buffer)
{
	struct iommusim_dma_request req = { .size = size, .gfp = IOMMUSIM_GFP_KERNEL };

	return iommusim_dma_alloc_noncontiguous(iommusim_machine_dma(machine), &req, buffer);
}

static uint64_t nr_free(struct iommusim_machine *machine)
{
	return iommusim_phys_nr_free(iommusim_machine_phys(machine));
}

static uint64_t nr_tables(struct iommusim_machine *machine)
{
	return iommusim_pgtable_info(iommusim_machine_pgtable(machine)).nr_tables;
}

static void a_buffer_is_in_the_tables(void **state)
{
	for (unsigned in_phys = 0; in_phys < 2; in_phys++) {
		struct iommusim_machine *machine = given_machine(in_phys);
		struct iommusim_dma_buffer buffer;
		struct iommusim_mapped_range range;

		assert_null(iommusim_machine_recorder(machine));
		assert_ok(get_buffer(machine, SZ_2M + SZ_4K, &buffer));
		assert_int_equal(
			iommusim_pgtable_next(iommusim_machine_pgtable(machine), 0, &range), 1);
		assert_int_equal(range.iova, buffer.dma_addr);
		assert_int_equal(range.size, SZ_2M);
		assert_int_equal(range.pgsize, SZ_2M);
		assert_int_equal(range.pa, buffer.chunks.chunk[0].pfn << 12);
		assert_int_equal(range.prot,
		                 IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE | IOMMUSIM_PROT_CACHE);
		assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &buffer));
		assert_int_equal(
			iommusim_pgtable_next(iommusim_machine_pgtable(machine), 0, &range), 0);
		iommusim_machine_destroy(machine);
	}
}

/* A root; for a page three tables more, which Linux keeps when the page is unmapped. */
static void table_pages_are_pages_of_the_machine(void **state)
{
	struct iommusim_machine *machine = given_machine(1);
	struct iommusim_dma_buffer buffer;

	assert_int_equal(nr_free(machine), NR_FRAMES - 1);
	assert_ok(get_buffer(machine, SZ_4K, &buffer));
	assert_int_equal(nr_tables(machine), 4);
	assert_int_equal(nr_free(machine), NR_FRAMES - 5);
	assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &buffer));
	assert_int_equal(nr_free(machine), NR_FRAMES - 4);
	assert_ok(iommusim_phys_check(iommusim_machine_phys(machine)));
	iommusim_machine_destroy(machine);
}

/* All but @left pages are taken; then a buffer of one page needs itself and three tables. */
static void tables_that_find_no_page_undo_the_buffer(void **state)
{
	for (unsigned left = 1; left <= 4; left++) {
		struct iommusim_machine *machine = given_machine(1);
		struct iommusim_page_request req = { .gfp = IOMMUSIM_GFP_KERNEL, .node = -1 };
		struct iommusim_page_block block;
		struct iommusim_dma_buffer buffer;
		int err;

		while (nr_free(machine) > left)
			assert_ok(
				iommusim_phys_alloc(iommusim_machine_phys(machine), &req, &block));
		err = get_buffer(machine, SZ_4K, &buffer);
		assert_err(err, left < 4 ? IOMMUSIM_ENOMEM : 0);
		if (err) {
			assert_int_equal(buffer.failed, IOMMUSIM_DMA_MAP);
			assert_int_equal(iommusim_iova_nr_ranges(iommusim_machine_iova(machine)),
			                 0);
			/* Linux keeps the tables that it did get. */
			assert_int_equal(nr_free(machine), left + 1 - nr_tables(machine));
		}
		iommusim_dma_free(iommusim_machine_dma(machine), &buffer);
		iommusim_machine_destroy(machine);
	}
}

static void a_copy_has_tables_of_its_own(void **state)
{
	for (unsigned in_phys = 0; in_phys < 2; in_phys++) {
		struct iommusim_machine *machine = given_machine(in_phys), *copy = NULL;
		struct iommusim_dma_buffer held, a, b;

		assert_ok(get_buffer(machine, 3 * SZ_4K, &held));
		assert_ok(iommusim_machine_fork(machine, &copy));
		assert_int_equal(nr_free(copy), nr_free(machine));
		assert_ok(get_buffer(machine, SZ_2M, &a));
		assert_ok(get_buffer(copy, SZ_2M, &b));
		assert_int_equal(a.dma_addr, b.dma_addr);
		assert_int_equal(a.chunks.chunk[0].pfn, b.chunks.chunk[0].pfn);
		assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &held));
		assert_int_equal(iommusim_domain_iova_to_phys(iommusim_machine_domain(machine),
		                                              UINT64_C(0xffffc000)),
		                 0);
		assert_int_not_equal(iommusim_domain_iova_to_phys(iommusim_machine_domain(copy),
		                                                  UINT64_C(0xffffc000)),
		                     0);
		assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &a));
		assert_ok(iommusim_dma_free(iommusim_machine_dma(copy), &b));
		iommusim_machine_destroy(machine);
		iommusim_machine_destroy(copy);
	}
}

static void tables_end_where_their_addresses_do(void **state)
{
	struct iommusim_machine_config config = { .size = sizeof(config),
		                                  .phys = given_phys(NULL),
		                                  .format = &iommusim_pgtable_arm_lpae_s2,
		                                  .coherent_mask = UINT64_MAX,
		                                  .ias = 40,
		                                  .oas = 40 };
	struct iommusim_machine *machine = NULL;
	struct iommusim_dma_buffer buffer;

	assert_ok(iommusim_machine_create(&config, &machine));
	assert_ok(get_buffer(machine, SZ_4K, &buffer));
	assert_int_equal(buffer.dma_addr, (UINT64_C(1) << 40) - SZ_4K);
	assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &buffer));
	iommusim_machine_destroy(machine);
}

/* ---- What the format makes of its own settings ---- */

/* The last word for a buffer of 64 KiB. */
static uint64_t word_of_a_buffer(struct iommusim_machine *machine)
{
	struct iommusim_pgtable_walk walk;
	struct iommusim_dma_buffer buffer;

	assert_ok(get_buffer(machine, SZ_64K, &buffer));
	iommusim_pgtable_walk(iommusim_machine_pgtable(machine), buffer.dma_addr, &walk);
	assert_ok(iommusim_dma_free(iommusim_machine_dma(machine), &buffer));
	return walk.step[walk.nr - 1].word;
}

static uint64_t nr_levels_of(struct iommusim_machine *machine)
{
	return iommusim_pgtable_info(iommusim_machine_pgtable(machine)).nr_levels;
}

/* Where the first page of a section leads when the second one is gone. */
static uint64_t rest_of_a_section(struct iommusim_machine *machine)
{
	struct iommusim_pgtable *pgtable = iommusim_machine_pgtable(machine);
	struct iommusim_map_pages map = {
		.pa = SZ_1G, .pgsize = SZ_1M, .count = 1, .prot = IOMMUSIM_PROT_READ
	};
	uint64_t mapped;

	assert_ok(iommusim_pgtable_map(pgtable, &map, &mapped));
	assert_int_equal(iommusim_pgtable_unmap(pgtable, SZ_4K, SZ_4K, 1, NULL), SZ_4K);
	return iommusim_pgtable_iova_to_phys(pgtable, 0);
}

static const struct setting_row {
	const char *name;
	struct iommusim_machine_config config;
	uint64_t (*look)(struct iommusim_machine *machine);
	uint64_t bits, want; /* those bits, with the setting; without it others */
} setting_rows[] = {
	{ .name = "words of contiguous pages say so",
	  .config = { .format = &iommusim_pgtable_arm_lpae_s1, .contiguous = 1 },
	  .look = word_of_a_buffer,
	  .bits = UINT64_C(1) << 52,
	  .want = UINT64_C(1) << 52 },
	{ .name = "AMD's tables have five levels",
	  .config = { .format = &iommusim_pgtable_amd_v2, .nr_levels = 5 },
	  .look = nr_levels_of,
	  .bits = 7,
	  .want = 5 },
	{ .name = "Intel's leaves are snooped",
	  .config = { .format = &iommusim_pgtable_vtd_sl, .force_snoop = 1 },
	  .look = word_of_a_buffer,
	  .bits = 0x800,
	  .want = 0x800 },
	{ .name = "a section that is split keeps its address",
	  .config = { .format = &iommusim_pgtable_arm_v7s,
	              .pgsizes = SZ_4K | SZ_1M,
	              .section_split = IOMMUSIM_SPLIT_FIXED },
	  .look = rest_of_a_section,
	  .bits = SZ_1G,
	  .want = SZ_1G },
	{ .name = "pages of RISC-V are clean at first",
	  .config = { .format = &iommusim_pgtable_riscv_sv39,
	              .kernel = IOMMUSIM_KERNEL(6, 13),
	              .hw_dirty = 1 },
	  .look = word_of_a_buffer,
	  .bits = 0x80,
	  .want = 0 },
};

static uint64_t look(const struct setting_row *r, struct iommusim_machine_config config)
{
	struct iommusim_machine *machine = NULL;
	uint64_t seen;

	config.size = sizeof(config);
	config.phys = given_phys(NULL);
	assert_ok(iommusim_machine_create(&config, &machine));
	seen = r->look(machine);
	iommusim_machine_destroy(machine);
	return seen & r->bits;
}

static void the_tables_are_as_the_machine_is_set(void **state)
{
	const struct setting_row *r = *state;
	struct iommusim_machine_config without = { .format = r->config.format,
		                                   .kernel = r->config.kernel,
		                                   .pgsizes = r->config.pgsizes };

	assert_int_equal(look(r, r->config), r->want);
	assert_int_not_equal(look(r, without), r->want);
}

static void a_format_that_refuses_makes_no_machine(void **state)
{
	struct iommusim_phys *phys = given_phys(NULL);
	struct iommusim_machine_config config = { .size = sizeof(config),
		                                  .phys = phys,
		                                  .pgsizes = SZ_2M | SZ_1G,
		                                  .format = &iommusim_pgtable_arm_lpae_s1 };
	struct iommusim_machine *machine = NULL;

	assert_err(iommusim_machine_create(&config, &machine), IOMMUSIM_EINVAL);
	assert_null(machine);
	assert_int_equal(iommusim_phys_nr_free(phys), NR_FRAMES);
	iommusim_phys_destroy(phys);
}

static uint64_t nr_used(const struct iommusim_phys *phys)
{
	return NR_FRAMES - iommusim_phys_nr_free(phys);
}

/* Short descriptors: a first table of 16 KiB, the others have 1 KiB and go four to a page. */
static void tables_below_a_page_share_pages(void **state)
{
	struct iommusim_zone_config zone = { .zone = IOMMUSIM_ZONE_NORMAL,
		                             .start_pfn = 1 << 16,
		                             .nr_frames = NR_FRAMES };
	struct iommusim_phys_config config = { .size = sizeof(config),
		                               .zones = &zone,
		                               .nr_zones = 1 };
	struct iommusim_phys *phys;
	struct iommusim_page_source source;
	struct iommusim_table_pages_config pages_config = { .size = sizeof(pages_config),
		                                            .source = &source };
	struct iommusim_table_pages *pages;
	struct iommusim_table_memory memory;
	struct iommusim_pgtable_config pgtable_config = { .size = sizeof(pgtable_config),
		                                          .format = &iommusim_pgtable_arm_v7s,
		                                          .pgsizes = SZ_4K | SZ_1M,
		                                          .memory = &memory };
	static const uint64_t want[] = { 5, 5, 5, 5, 6, 6, 6, 6, 7 };
	struct iommusim_pgtable *pgtable;

	assert_ok(iommusim_phys_create(&config, &phys));
	source = iommusim_phys_source(phys);
	assert_ok(iommusim_table_pages_create(&pages_config, &pages));
	memory = iommusim_table_pages_memory(pages);
	assert_ok(iommusim_pgtable_create(&pgtable_config, &pgtable));
	assert_int_equal(nr_used(phys), 4);
	for (uint64_t i = 0; i < ARRAY_LEN(want); i++) {
		struct iommusim_map_pages map = { .iova = i * SZ_1M,
			                          .pa = SZ_1G,
			                          .pgsize = SZ_4K,
			                          .count = 1,
			                          .prot = IOMMUSIM_PROT_READ };
		uint64_t mapped;

		assert_ok(iommusim_pgtable_map(pgtable, &map, &mapped));
		assert_int_equal(nr_used(phys), want[i]);
	}
	/* one of the first page's goes, and the last page with its only one */
	assert_int_equal(iommusim_pgtable_unmap(pgtable, 2 * SZ_1M, SZ_1M, 1, NULL), SZ_1M);
	assert_int_equal(nr_used(phys), 7);
	assert_int_equal(iommusim_pgtable_unmap(pgtable, 8 * SZ_1M, SZ_1M, 1, NULL), SZ_1M);
	assert_int_equal(nr_used(phys), 6);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 3 * SZ_1M), SZ_1G);
	iommusim_pgtable_destroy(pgtable);
	assert_int_equal(nr_used(phys), 0);
	iommusim_table_pages_destroy(pages);
	iommusim_phys_destroy(phys);
}

/* Creation, a buffer, a copy, and all of it back, with the n-th allocation of the host failing. */
static int live(const struct iommusim_host *host)
{
	struct iommusim_machine_config config = { .size = sizeof(config),
		                                  .phys = given_phys(NULL),
		                                  .format = &iommusim_pgtable_arm_lpae_s1,
		                                  .tables_in_phys = 1,
		                                  .host = host };
	struct iommusim_machine *machine = NULL, *copy = NULL;
	struct iommusim_dma_buffer buffer;
	int err = iommusim_machine_create(&config, &machine);

	if (err) {
		assert_int_equal(iommusim_phys_nr_free(config.phys), NR_FRAMES);
		iommusim_phys_destroy(config.phys);
		return err;
	}
	err = get_buffer(machine, SZ_2M + 3 * SZ_4K, &buffer);
	if (!err)
		err = iommusim_machine_fork(machine, &copy);
	if (!err)
		assert_int_equal(nr_free(copy), nr_free(machine));
	iommusim_machine_destroy(copy);
	iommusim_dma_free(iommusim_machine_dma(machine), &buffer);
	assert_ok(iommusim_phys_check(iommusim_machine_phys(machine)));
	assert_int_equal(nr_free(machine), NR_FRAMES - nr_tables(machine));
	iommusim_machine_destroy(machine);
	return err;
}

static void the_host_may_fail_at_any_allocation(void **state)
{
	int err = -IOMMUSIM_EHOST;

	for (uint64_t n = 1; err; n++) {
		struct iommusim_fault fault = { .fail_at = n };
		struct iommusim_host host = iommusim_host_failing(&fault);

		err = live(&host);
		assert_err(err, err ? IOMMUSIM_EHOST : 0);
		assert_int_equal(fault.nr_live, 0);
	}
}

static void table_pages_need_a_whole_source(void **state)
{
	struct iommusim_phys *phys = given_phys(NULL);
	struct iommusim_page_source source = iommusim_phys_source(phys);
	struct iommusim_table_pages_config config = { .size = sizeof(config), .source = &source };
	struct iommusim_table_pages *pages = NULL;

	config.page_shift = 17;
	assert_err(iommusim_table_pages_create(&config, &pages), IOMMUSIM_EINVAL);
	config.page_shift = 0;
	source.free_pages = NULL;
	assert_err(iommusim_table_pages_create(&config, &pages), IOMMUSIM_EINVAL);
	config.source = NULL;
	assert_err(iommusim_table_pages_create(&config, &pages), IOMMUSIM_EINVAL);
	assert_null(pages);
	iommusim_table_pages_destroy(pages);
	iommusim_phys_destroy(phys);
}

int main(void)
{
	struct CMUnitTest tests[9 + ARRAY_LEN(setting_rows)] = {
		cmocka_unit_test(a_buffer_is_in_the_tables),
		cmocka_unit_test(table_pages_are_pages_of_the_machine),
		cmocka_unit_test(tables_that_find_no_page_undo_the_buffer),
		cmocka_unit_test(a_copy_has_tables_of_its_own),
		cmocka_unit_test(tables_end_where_their_addresses_do),
		cmocka_unit_test(a_format_that_refuses_makes_no_machine),
		cmocka_unit_test(tables_below_a_page_share_pages),
		cmocka_unit_test(the_host_may_fail_at_any_allocation),
		cmocka_unit_test(table_pages_need_a_whole_source),
	};
	size_t nr = 9;

	for (size_t i = 0; i < ARRAY_LEN(setting_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(the_tables_are_as_the_machine_is_set,
		                                          &setting_rows[i]);
	return RUN_TESTS(tests);
}

/* SPDX-License-Identifier: MIT */
/*
 * What formats without vectors do differently from the others: which tables go and when, what is
 * left of an unmapped word, what empty entries hold, windows, registers.
 */
#include "pgtable_test.h"
#include "table_memory.h"

#define RW (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)

static struct iommusim_pgtable *given(const struct iommusim_pgtable_format *format)
{
	struct iommusim_pgtable_config config = { .size = sizeof(config), .format = format };
	struct iommusim_pgtable *pgtable = NULL;

	assert_ok(iommusim_pgtable_create(&config, &pgtable));
	return pgtable;
}

static uint64_t nr_tables(const struct iommusim_pgtable *pgtable)
{
	return iommusim_pgtable_info(pgtable).nr_tables;
}

/* Of the table of @level that a walk of @iova reads. */
static uint64_t word_at(const struct iommusim_pgtable *pgtable, uint64_t iova, unsigned level)
{
	struct iommusim_pgtable_walk walk;
	unsigned i = 0;

	iommusim_pgtable_walk(pgtable, iova, &walk);
	while (i < walk.nr && walk.step[i].level != level)
		i++;
	assert_true(i < walk.nr);
	return walk.step[i].word;
}

/* ---- Tables that go ---- */

static void omap_and_tegra_free_a_table_with_its_last_page(void **state)
{
	static const struct iommusim_pgtable_format *const formats[] = {
		&iommusim_pgtable_omap, &iommusim_pgtable_tegra_smmu
	};

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct iommusim_pgtable *pgtable = given(formats[i]);

		map_ok(pgtable, SZ_1G, SZ_1M, SZ_4K, 2);
		assert_int_equal(nr_tables(pgtable), 2);
		assert_int_equal(unmap(pgtable, SZ_1G, SZ_4K, 1), SZ_4K);
		assert_int_equal(nr_tables(pgtable), 2);
		assert_int_equal(unmap(pgtable, SZ_1G + SZ_4K, SZ_4K, 1), SZ_4K);
		assert_int_equal(nr_tables(pgtable), 1);
		assert_int_equal(word_at(pgtable, SZ_1G, 1), 0);
		iommusim_pgtable_destroy(pgtable);
	}
}

static void shmobile_frees_a_table_when_1m_is_unmapped(void **state)
{
	struct iommusim_pgtable *pgtable = given(&iommusim_pgtable_shmobile);

	map_ok(pgtable, SZ_1M, SZ_1G, SZ_4K, 256);
	assert_int_equal(unmap(pgtable, SZ_1M, SZ_4K, 255), 255 * SZ_4K);
	assert_int_equal(nr_tables(pgtable), 2);
	assert_int_equal(unmap(pgtable, SZ_1M, SZ_1M, 1), SZ_1M);
	assert_int_equal(nr_tables(pgtable), 1);
	iommusim_pgtable_destroy(pgtable);
}

static void the_others_keep_tables(void **state)
{
	static const struct iommusim_pgtable_format *const formats[] = {
		&iommusim_pgtable_exynos_v1, &iommusim_pgtable_rk_v1,
		&iommusim_pgtable_rk_v2,     &iommusim_pgtable_vsi,
		&iommusim_pgtable_sun50i,    &iommusim_pgtable_s390_zpci,
		&iommusim_pgtable_lima,      &iommusim_pgtable_riscv_sv39,
		&iommusim_pgtable_ipu_mmu,
	};

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		struct iommusim_pgtable *pgtable = given(formats[i]);
		uint64_t nr;

		map_ok(pgtable, SZ_1G, SZ_2M, SZ_4K, 1);
		nr = nr_tables(pgtable);
		assert_int_equal(unmap(pgtable, SZ_1G, SZ_4K, 1), SZ_4K);
		assert_int_equal(nr_tables(pgtable), nr);
		iommusim_pgtable_destroy(pgtable);
	}
}

static void exynos_maps_a_section_over_an_empty_table_alone(void **state)
{
	struct iommusim_pgtable *pgtable = given(&iommusim_pgtable_exynos_v5);
	uint64_t nr = nr_tables(pgtable);

	map_ok(pgtable, SZ_1G, SZ_2M, SZ_4K, 1);
	assert_err(try_map(pgtable, SZ_1G, SZ_2M, SZ_1M, 1), IOMMUSIM_EEXIST);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_1G), SZ_2M);
	assert_int_equal(unmap(pgtable, SZ_1G, SZ_4K, 1), SZ_4K);
	assert_int_equal(nr_tables(pgtable), nr + 1);
	map_ok(pgtable, SZ_1G, SZ_2M, SZ_1M, 1);
	assert_int_equal(nr_tables(pgtable), nr);
	iommusim_pgtable_destroy(pgtable);
}

static void riscv_maps_a_large_page_over_a_table(void **state)
{
	struct iommusim_pgtable *pgtable = given(&iommusim_pgtable_riscv_sv39);

	map_ok(pgtable, SZ_1G, SZ_1G, SZ_4K, 3);
	map_ok(pgtable, SZ_1G, SZ_1G, SZ_2M, 1);
	assert_int_equal(nr_tables(pgtable), 2);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_1G + SZ_1M), SZ_1G + SZ_1M);
	iommusim_pgtable_destroy(pgtable);
}

static void riscv_with_svnapot_has_pages_of_every_level(void **state)
{
	struct iommusim_pgtable *pgtable = given(&iommusim_pgtable_riscv_sv57_napot);
	uint64_t size = UINT64_C(1) << 48;

	assert_int_equal(iommusim_pgtable_info(pgtable).pgsizes, UINT64_C(0x1008040211000));
	map_ok(pgtable, size, 2 * size, size, 1);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, 2 * size - 1), 3 * size - 1);
	assert_int_equal(nr_tables(pgtable), 1);
	assert_int_equal(unmap(pgtable, size, size, 1), size);
	iommusim_pgtable_destroy(pgtable);
}

/* ---- Words ---- */

static void an_unmapped_word_may_keep_its_address(void **state)
{
	struct iommusim_pgtable *rk = given(&iommusim_pgtable_rk_v1);
	struct iommusim_pgtable *s390 = given(&iommusim_pgtable_s390_zpci);

	map_ok(rk, SZ_1G, 0x12345000, SZ_4K, 1);
	assert_int_equal(unmap(rk, SZ_1G, SZ_4K, 1), SZ_4K);
	assert_int_equal(word_at(rk, SZ_1G, 0), 0x12345006);
	map_ok(s390, SZ_1G, 0x12345000, SZ_4K, 1);
	assert_int_equal(unmap(s390, SZ_1G, SZ_4K, 1), SZ_4K);
	assert_int_equal(word_at(s390, SZ_1G, 0), 0x12345400);
	assert_int_equal(word_at(s390, 8 * SZ_1G, 2), 0x20);
	iommusim_pgtable_destroy(rk);
	iommusim_pgtable_destroy(s390);
}

static void empty_entries_lead_to_a_table_or_page_of_their_own(void **state)
{
	struct iommusim_pgtable *exynos = given(&iommusim_pgtable_exynos_v1);
	struct iommusim_pgtable *etnaviv = given(&iommusim_pgtable_etnaviv_v1);
	struct iommusim_pgtable *ipu = given(&iommusim_pgtable_ipu_mmu);
	uint64_t page, table = word_at(exynos, SZ_1G, 1);
	struct iommusim_pgtable_walk walk;

	assert_int_equal(table & 0x3ff, 1);
	assert_int_equal(word_at(exynos, SZ_1G, 0), 0);
	map_ok(exynos, SZ_1G, SZ_1G, SZ_1M, 1);
	assert_int_equal(unmap(exynos, SZ_1G, SZ_1M, 1), SZ_1M);
	assert_int_equal(word_at(exynos, SZ_1G, 1), table);
	page = word_at(etnaviv, 2 * SZ_1G, 0);
	assert_true(page && !(page & (SZ_4K - 1)));
	assert_int_equal(word_at(etnaviv, 4 * SZ_1G - 1, 0), page);
	iommusim_pgtable_walk(ipu, SZ_1G, &walk);
	assert_int_equal(walk.nr, 2);
	assert_int_equal(walk.step[0].word << 12, walk.step[1].table);
	assert_int_equal(word_at(ipu, 0, 0), walk.step[1].word);
	assert_int_equal(walk.cause, IOMMUSIM_FAULT_NOT_PRESENT);
	iommusim_pgtable_destroy(exynos);
	iommusim_pgtable_destroy(etnaviv);
	iommusim_pgtable_destroy(ipu);
}

static void broadcom_writes_sizes_that_words_have(void **state)
{
	static const struct {
		uint64_t size, first, last;
	} rows[] = {
		{ SZ_4K, 0x30400000, 0x30400000 },  { SZ_16K, 0x30400000, 0x30400003 },
		{ SZ_64K, 0x70400000, 0x7040000f }, { SZ_1M, 0xb0400000, 0xb04000ff },
		{ SZ_2M, 0xb0400000, 0xb04001ff },  { 4 * SZ_1M, 0xf0400000, 0xf04003ff },
	};
	uint64_t at = 40 * SZ_1G, pa = UINT64_C(0x400000000);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct iommusim_pgtable *pgtable = given(&iommusim_pgtable_linear_bcm2712);

		map_ok(pgtable, at, pa, rows[i].size, 1);
		assert_int_equal(word_at(pgtable, at, 0), rows[i].first);
		assert_int_equal(word_at(pgtable, at + rows[i].size - 1, 0), rows[i].last);
		assert_int_equal(unmap(pgtable, at, rows[i].size, 1), rows[i].size);
		assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, at), 0);
		iommusim_pgtable_destroy(pgtable);
	}
}

/* ---- Calls ---- */

static void rockchip_counts_larger_sizes_in_pages(void **state)
{
	struct iommusim_pgtable *pgtable = given(&iommusim_pgtable_rk_v2);
	struct iommusim_pgtable_walk walk;

	map_ok(pgtable, SZ_1G, SZ_1G, 4 * SZ_1M, 1);
	iommusim_pgtable_walk(pgtable, SZ_1G + SZ_1M, &walk);
	assert_int_equal(walk.size, SZ_4K);
	assert_int_equal(unmap(pgtable, SZ_1G, SZ_64K, 1), SZ_64K);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, SZ_1G + SZ_64K), SZ_1G + SZ_64K);
	iommusim_pgtable_destroy(pgtable);
}

static void s390_of_linux_6_1_asks_for_read(void **state)
{
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = &iommusim_pgtable_s390_zpci,
		                                  .kernel = IOMMUSIM_KERNEL(6, 1) };
	struct iommusim_map_pages pages = {
		.iova = SZ_1G, .pa = SZ_1G, .pgsize = SZ_1M, .count = 1, .prot = IOMMUSIM_PROT_WRITE
	};
	struct iommusim_pgtable *old = NULL, *new = given(&iommusim_pgtable_s390_zpci);
	uint64_t mapped;

	assert_ok(iommusim_pgtable_create(&config, &old));
	assert_err(iommusim_pgtable_map(old, &pages, &mapped), IOMMUSIM_EINVAL);
	pages.prot = RW;
	assert_ok(iommusim_pgtable_map(old, &pages, &mapped));
	assert_err(iommusim_pgtable_map(new, &pages, &mapped), IOMMUSIM_EINVAL); /* 4K alone */
	pages.pgsize = SZ_4K;
	pages.prot = IOMMUSIM_PROT_WRITE;
	assert_ok(iommusim_pgtable_map(new, &pages, &mapped));
	iommusim_pgtable_destroy(old);
	iommusim_pgtable_destroy(new);
}

/* A table of s390 covers 1M, a page of 8M is 2048 words in eight of them. */
static void s390_of_linux_6_1_maps_a_page_over_the_end_of_a_table(void **state)
{
	struct memory memory = { .next = SZ_1G };
	struct iommusim_table_memory tables = memory_tables(&memory);
	struct iommusim_pgtable_config config = { .size = sizeof(config),
		                                  .format = &iommusim_pgtable_s390_zpci,
		                                  .kernel = IOMMUSIM_KERNEL(6, 1),
		                                  .memory = &tables };
	struct iommusim_map_pages pages = {
		.iova = SZ_1G, .pa = 4 * SZ_1G, .pgsize = 8 * SZ_1M, .count = 2, .prot = RW
	};
	struct iommusim_pgtable *pgtable = NULL;
	struct iommusim_mapped_range range;
	uint64_t mapped;

	assert_ok(iommusim_pgtable_create(&config, &pgtable));
	assert_ok(iommusim_pgtable_map(pgtable, &pages, &mapped));
	assert_int_equal(mapped, 8 * SZ_1M);
	assert_int_equal(iommusim_pgtable_next(pgtable, 0, &range), 1);
	assert_int_equal(range.size, 8 * SZ_1M);
	pages.iova += 8 * SZ_1M;
	memory.most = memory.nr + 5;
	assert_err(iommusim_pgtable_map(pgtable, &pages, &mapped), IOMMUSIM_ENOMEM);
	assert_int_equal(mapped, 0);
	assert_int_equal(iommusim_pgtable_next(pgtable, pages.iova, &range), 0);
	memory.most = 0;
	map_ok(pgtable, pages.iova + 5 * SZ_1M, SZ_1G, SZ_4K, 1);
	assert_err(iommusim_pgtable_map(pgtable, &pages, &mapped), IOMMUSIM_EEXIST);
	assert_int_equal(iommusim_pgtable_next(pgtable, pages.iova, &range), 1);
	assert_int_equal(range.iova, pages.iova + 5 * SZ_1M);
	assert_int_equal(range.size, SZ_4K);
	assert_int_equal(unmap(pgtable, SZ_1G, 8 * SZ_1M, 1), 8 * SZ_1M);
	iommusim_pgtable_destroy(pgtable);
}

static void a_window_ends_where_it_ends(void **state)
{
	struct iommusim_pgtable *pgtable = given(&iommusim_pgtable_a2xx_gpummu);
	struct iommusim_pgtable_info info = iommusim_pgtable_info(pgtable);
	uint64_t end = info.window_start + info.window_bytes;
	struct iommusim_mapped_range range;

	assert_int_equal(info.window_start, 16 * SZ_1M);
	assert_int_equal(end, 0x10ff0000);
	map_ok(pgtable, info.window_start, SZ_1G, SZ_4K, 1);
	map_ok(pgtable, end - SZ_4K, SZ_1G, SZ_4K, 1);
	assert_err(try_map(pgtable, end - SZ_4K, SZ_1G, SZ_4K, 2), IOMMUSIM_ERANGE);
	assert_err(try_map(pgtable, end, SZ_1G, SZ_4K, 1), IOMMUSIM_ERANGE);
	assert_err(try_map(pgtable, 0, SZ_1G, SZ_4K, 1), IOMMUSIM_ERANGE);
	assert_int_equal(iommusim_pgtable_next(pgtable, SZ_1G / 8, &range), 1);
	assert_int_equal(range.iova, end - SZ_4K);
	assert_int_equal(iommusim_pgtable_next(pgtable, end, &range), 0);
	assert_int_equal(iommusim_pgtable_iova_to_phys(pgtable, end), 0);
	iommusim_pgtable_destroy(pgtable);
}

static void odd_configurations_are_refused(void **state)
{
	static const struct iommusim_pgtable_config configs[] = {
		{ .format = &iommusim_pgtable_linear_sprd, .window_start = 1 },
		{ .format = &iommusim_pgtable_linear_sprd, .ias = 11 },
		{ .format = &iommusim_pgtable_linear_sprd, .window_start = 0 - SZ_1M },
		{ .format = &iommusim_pgtable_linear_tce, .ias = 60 },
		{ .format = &iommusim_pgtable_linear_tce, .pgsizes = SZ_1M },
		{ .format = &iommusim_pgtable_linear_bcm2712, .ias = 21 },
		{ .format = &iommusim_pgtable_shmobile, .ias = 19 },
		{ .format = &iommusim_pgtable_sun50i, .pgsizes = SZ_1M },
		{ .format = &iommusim_pgtable_riscv_sv39, .quirks = IOMMUSIM_QUIRK_ARM_NS },
	};

	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		struct iommusim_pgtable_config config = configs[i];
		struct iommusim_pgtable *pgtable = NULL;

		config.size = sizeof(config);
		assert_err(iommusim_pgtable_create(&config, &pgtable), IOMMUSIM_EINVAL);
		assert_null(pgtable);
	}
}

/* A table above what words can hold is given back, and nothing is mapped. */
static void tables_that_no_word_can_hold_are_refused(void **state)
{
	static const struct {
		const struct iommusim_pgtable_format *format;
		uint64_t at;
	} rows[] = {
		{ &iommusim_pgtable_exynos_v1, UINT64_C(1) << 32 },
		{ &iommusim_pgtable_exynos_v5, UINT64_C(1) << 36 },
		{ &iommusim_pgtable_rk_v1, UINT64_C(1) << 32 },
		{ &iommusim_pgtable_rk_v2, UINT64_C(1) << 40 },
		{ &iommusim_pgtable_vsi, UINT64_C(1) << 40 },
		{ &iommusim_pgtable_sun50i, UINT64_C(1) << 32 },
		{ &iommusim_pgtable_omap, UINT64_C(1) << 32 },
		{ &iommusim_pgtable_shmobile, UINT64_C(1) << 32 },
		{ &iommusim_pgtable_tegra_smmu, UINT64_C(1) << 34 },
		{ &iommusim_pgtable_linear_bcm2712, UINT64_C(1) << 40 },
		{ &iommusim_pgtable_lima, UINT64_C(1) << 32 },
		{ &iommusim_pgtable_etnaviv_v2, UINT64_C(1) << 32 },
		{ &iommusim_pgtable_ipu_mmu, UINT64_C(1) << 44 },
		{ &iommusim_pgtable_riscv_sv57, UINT64_C(1) << 56 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct memory memory = { .next = rows[i].at };
		struct iommusim_table_memory tables = memory_tables(&memory);
		struct iommusim_pgtable_config config = { .size = sizeof(config),
			                                  .format = rows[i].format,
			                                  .memory = &tables };
		struct iommusim_pgtable *pgtable = NULL;

		assert_err(iommusim_pgtable_create(&config, &pgtable), IOMMUSIM_ERANGE);
		for (unsigned j = 0; j < memory.nr; j++)
			assert_null(memory.table[j].data);
	}
}

/* ---- Registers ---- */

static void registers_hold_the_first_table(void **state)
{
	struct iommusim_pgtable *sv48 = given(&iommusim_pgtable_riscv_sv48);
	struct iommusim_pgtable *tegra = given(&iommusim_pgtable_tegra_smmu);
	struct iommusim_pgtable *s390 = given(&iommusim_pgtable_s390_zpci);
	struct iommusim_pgtable_info info = iommusim_pgtable_info(sv48);

	assert_int_equal(info.ttbr, UINT64_C(9) << 60 | info.root >> 12);
	assert_int_equal(info.pgsizes, SZ_4K | SZ_2M | SZ_1G | SZ_1G << 9);
	assert_int_equal(info.ias, 47);
	info = iommusim_pgtable_info(tegra);
	assert_int_equal(info.ttbr, 0xe0000000 | info.root >> 12);
	info = iommusim_pgtable_info(s390);
	assert_int_equal(info.ttbr, info.root | 0x804);
	assert_int_equal(info.root_bytes, SZ_16K);
	assert_int_equal(info.table_bytes, 2048);
	iommusim_pgtable_destroy(sv48);
	iommusim_pgtable_destroy(tegra);
	iommusim_pgtable_destroy(s390);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(omap_and_tegra_free_a_table_with_its_last_page),
		cmocka_unit_test(shmobile_frees_a_table_when_1m_is_unmapped),
		cmocka_unit_test(the_others_keep_tables),
		cmocka_unit_test(exynos_maps_a_section_over_an_empty_table_alone),
		cmocka_unit_test(riscv_maps_a_large_page_over_a_table),
		cmocka_unit_test(riscv_with_svnapot_has_pages_of_every_level),
		cmocka_unit_test(an_unmapped_word_may_keep_its_address),
		cmocka_unit_test(empty_entries_lead_to_a_table_or_page_of_their_own),
		cmocka_unit_test(broadcom_writes_sizes_that_words_have),
		cmocka_unit_test(rockchip_counts_larger_sizes_in_pages),
		cmocka_unit_test(s390_of_linux_6_1_asks_for_read),
		cmocka_unit_test(s390_of_linux_6_1_maps_a_page_over_the_end_of_a_table),
		cmocka_unit_test(a_window_ends_where_it_ends),
		cmocka_unit_test(odd_configurations_are_refused),
		cmocka_unit_test(tables_that_no_word_can_hold_are_refused),
		cmocka_unit_test(registers_hold_the_first_table),
	};

	return RUN_TESTS(tests);
}

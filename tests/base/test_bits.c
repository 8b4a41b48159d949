/* SPDX-License-Identifier: MIT */
/*
 * Bits, units and random numbers at their edges. The expected random numbers were computed apart
 * from the library, from the definition of SplitMix64.
 */
#include "test.h"

#include "base/bits.h"
#include "base/rng.h"
#include "base/units.h"

#define TOP UINT64_C(0x8000000000000000)

static const struct bit_row {
	const char *name;
	uint64_t x;
	unsigned high, low;
	int is_pow2;
} bit_rows[] = {
	{ "one is bit 0", 1, 0, 0, 1 },
	{ "two is bit 1", 2, 1, 1, 1 },
	{ "three has two bits", 3, 1, 0, 0 },
	{ "bit 31", UINT64_C(0x80000000), 31, 31, 1 },
	{ "bit 32", UINT64_C(0x100000000), 32, 32, 1 },
	{ "the bits of 32-bit numbers", UINT32_MAX, 31, 0, 0 },
	{ "a number with bits in both halves", UINT64_C(0x4000000010), 38, 4, 0 },
	{ "bit 63", TOP, 63, 63, 1 },
	{ "the top and the bottom bit", TOP | 1, 63, 0, 0 },
	{ "all bits", UINT64_MAX, 63, 0, 0 },
};

static void bits_are_found(void **state)
{
	const struct bit_row *r = *state;

	assert_int_equal(isim_high_bit(r->x), r->high);
	assert_int_equal(isim_low_bit(r->x), r->low);
	assert_int_equal(!!isim_is_pow2(r->x), r->is_pow2);
}

static const struct pow2_row {
	const char *name;
	uint64_t x, want;
} pow2_rows[] = {
	{ "0 rounds up to 1", 0, 1 },
	{ "1 is a power of two", 1, 1 },
	{ "2 is a power of two", 2, 2 },
	{ "3 rounds up to 4", 3, 4 },
	{ "33 rounds up to 64", 33, 64 },
	{ "2^32 stays", UINT64_C(0x100000000), UINT64_C(0x100000000) },
	{ "2^32 + 1 doubles", UINT64_C(0x100000001), UINT64_C(0x200000000) },
	{ "2^63 - 1 rounds up to 2^63", TOP - 1, TOP },
	{ "2^63 is the last that does not wrap", TOP, TOP },
	{ "2^63 + 1 wraps to 0", TOP + 1, 0 },
	{ "2^64 - 1 wraps to 0", UINT64_MAX, 0 },
};

static void sizes_round_up_to_a_power_of_two(void **state)
{
	const struct pow2_row *r = *state;

	assert_int_equal(isim_pow2_up(r->x), r->want);
}

static const struct align_row {
	const char *name;
	uint64_t x, a, down, up;
} align_rows[] = {
	{ "0 is aligned to everything", 0, TOP, 0, 0 },
	{ "everything is aligned to 1", UINT64_MAX, 1, UINT64_MAX, UINT64_MAX },
	{ "1 lies between 0 and 4 KiB", 1, SZ_4K, 0, SZ_4K },
	{ "4 KiB - 1 as well", SZ_4K - 1, SZ_4K, 0, SZ_4K },
	{ "4 KiB is aligned", SZ_4K, SZ_4K, SZ_4K, SZ_4K },
	{ "2^63 is aligned to itself", TOP, TOP, TOP, TOP },
	{ "below 2^63 goes up to it", TOP - 1, TOP, 0, TOP },
	{ "above 2^63 wraps", TOP + 1, TOP, TOP, 0 },
	{ "the last address wraps", UINT64_MAX, SZ_4K, UINT64_MAX - 0xfff, 0 },
};

static void addresses_are_aligned(void **state)
{
	const struct align_row *r = *state;

	assert_int_equal(isim_align_down(r->x, r->a), r->down);
	assert_int_equal(isim_align_up(r->x, r->a), r->up);
}

static void single_bits_and_masks_cover_0_to_64(void **state)
{
	assert_int_equal(isim_bit(0), 1);
	assert_int_equal(isim_bit(32), UINT64_C(0x100000000));
	assert_int_equal(isim_bit(63), TOP);
	assert_int_equal(isim_low_bits(0), 0);
	assert_int_equal(isim_low_bits(1), 1);
	assert_int_equal(isim_low_bits(32), UINT32_MAX);
	assert_int_equal(isim_low_bits(63), TOP - 1);
	assert_int_equal(isim_low_bits(64), UINT64_MAX);
}

static void zero_is_no_power_of_two(void **state)
{
	assert_false(isim_is_pow2(0));
}

/* Bytes to the pages that hold them, and back. */
static const struct unit_row {
	const char *name;
	uint64_t bytes;
	unsigned page_shift;
	uint64_t pages, whole_bytes;
} unit_rows[] = {
	{ "no bytes need no page", 0, 12, 0, 0 },
	{ "one byte needs a page", 1, 12, 1, SZ_4K },
	{ "4 KiB are one page", SZ_4K, 12, 1, SZ_4K },
	{ "4 KiB + 1 are two pages", SZ_4K + 1, 12, 2, 2 * SZ_4K },
	{ "64 KiB pages", SZ_64K - 1, 16, 1, SZ_64K },
	{ "2^63 bytes", TOP, 12, TOP >> 12, TOP },
	{ "2^64 - 1 bytes do not overflow", UINT64_MAX, 12, UINT64_C(1) << 52, 0 },
	{ "pages of one byte", UINT64_MAX, 0, UINT64_MAX, UINT64_MAX },
};

static void bytes_become_whole_pages(void **state)
{
	const struct unit_row *r = *state;

	assert_int_equal(isim_bytes_to_pages(r->bytes, r->page_shift), r->pages);
	assert_int_equal(isim_pages_to_bytes(r->pages, r->page_shift), r->whole_bytes);
}

static void frames_and_addresses_convert_both_ways(void **state)
{
	assert_int_equal(isim_pfn_to_pa(0, 12), 0);
	assert_int_equal(isim_pfn_to_pa(0x12345, 12), 0x12345000);
	assert_int_equal(isim_pfn_to_pa(UINT64_MAX >> 12, 12), UINT64_MAX - 0xfff);
	assert_int_equal(isim_pa_to_pfn(0, 16), 0);
	assert_int_equal(isim_pa_to_pfn(0xffff, 16), 0);
	assert_int_equal(isim_pa_to_pfn(0x12345fff, 12), 0x12345);
	assert_int_equal(isim_pa_to_pfn(UINT64_MAX, 12), UINT64_MAX >> 12);
}

static const struct rng_row {
	const char *name;
	uint64_t seed, want[4];
} rng_rows[] = {
	{ "seed 0 gives its numbers",
	  0,
	  { UINT64_C(0xe220a8397b1dcdaf), UINT64_C(0x6e789e6aa1b965f4),
	    UINT64_C(0x06c45d188009454f), UINT64_C(0xf88bb8a8724c81ec) } },
	{ "seed 1 gives its numbers",
	  1,
	  { UINT64_C(0x910a2dec89025cc1), UINT64_C(0xbeeb8da1658eec67),
	    UINT64_C(0xf893a2eefb32555e), UINT64_C(0x71c18690ee42c90b) } },
	{ "seed 1234567 gives its numbers",
	  1234567,
	  { UINT64_C(0x599ed017fb08fc85), UINT64_C(0x2c73f08458540fa5),
	    UINT64_C(0x883ebce5a3f27c77), UINT64_C(0x3fbef740e9177b3f) } },
	{ "seed 2^64 - 1 gives its numbers",
	  UINT64_MAX,
	  { UINT64_C(0xe4d971771b652c20), UINT64_C(0xe99ff867dbf682c9),
	    UINT64_C(0x382ff84cb27281e9), UINT64_C(0x6d1db36ccba982d2) } },
};

static void random_numbers_are_splitmix64(void **state)
{
	const struct rng_row *r = *state;
	struct isim_rng rng = isim_rng_seed(r->seed);

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(isim_rng_next(&rng), r->want[i]);
}

/* Four numbers below n, and how many draws they take: numbers that would favour some are skipped.
 */
static const struct below_row {
	const char *name;
	uint64_t seed, n, want[4];
	uint64_t nr_draws;
} below_rows[] = {
	{ "numbers below 10", 0, 10, { 5, 0, 9, 4 }, 4 },
	{ "numbers below 6", 1, 6, { 5, 1, 0, 5 }, 4 },
	{ "below 1 there is only 0", 7, 1, { 0, 0, 0, 0 }, 4 },
	{ "below 3 * 2^62 one draw is skipped",
	  1,
	  UINT64_C(0xc000000000000000),
	  { UINT64_C(0x910a2dec89025cc1), UINT64_C(0xbeeb8da1658eec67),
	    UINT64_C(0x71c18690ee42c90b), UINT64_C(0x71bb54d8d101b5b9) },
	  5 },
	{ "below 2^63 + 1 half of the draws are skipped",
	  2,
	  TOP + 1,
	  { UINT64_C(0x4fc446b53f17fb29), UINT64_C(0x58bc3cb37bc7b2b3),
	    UINT64_C(0x401478bc5887ccff), UINT64_C(0x56e84498e8b0e635) },
	  11 },
	{ "below 2^64 - 1",
	  9,
	  UINT64_MAX,
	  { UINT64_C(0xaeaf52febe706064), UINT64_C(0xc02d8a5e87afea62),
	    UINT64_C(0x43ec2be544b589b6), UINT64_C(0xc8e98cd697316060) },
	  4 },
};

static void random_numbers_stay_below_their_bound(void **state)
{
	const struct below_row *r = *state;
	struct isim_rng rng = isim_rng_seed(r->seed), draws = rng;

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(isim_rng_below(&rng, r->n), r->want[i]);
	for (uint64_t i = 0; i < r->nr_draws; i++)
		isim_rng_next(&draws);
	assert_int_equal(rng.state, draws.state);
}

static void random_ranges_include_both_ends(void **state)
{
	struct isim_rng rng = isim_rng_seed(3);
	unsigned seen[3] = { 0, 0, 0 };

	for (unsigned i = 0; i < 100; i++) {
		uint64_t r = isim_rng_range(&rng, 7, 9);

		assert_in_range(r, 7, 9);
		seen[r - 7]++;
	}
	assert_true(seen[0] && seen[1] && seen[2]);
	assert_int_equal(isim_rng_range(&rng, 5, 5), 5);
	assert_int_equal(isim_rng_range(&rng, UINT64_MAX, UINT64_MAX), UINT64_MAX);
}

static void the_full_range_is_the_next_number(void **state)
{
	struct isim_rng rng = isim_rng_seed(0);

	assert_int_equal(isim_rng_range(&rng, 0, UINT64_MAX), UINT64_C(0xe220a8397b1dcdaf));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_bits_and_masks_cover_0_to_64),
		cmocka_unit_test(zero_is_no_power_of_two),
		cmocka_unit_test(frames_and_addresses_convert_both_ways),
		cmocka_unit_test(random_ranges_include_both_ends),
		cmocka_unit_test(the_full_range_is_the_next_number),
	};
	struct CMUnitTest all[ARRAY_LEN(tests) + ARRAY_LEN(bit_rows) + ARRAY_LEN(pow2_rows) +
	                      ARRAY_LEN(align_rows) + ARRAY_LEN(unit_rows) + ARRAY_LEN(rng_rows) +
	                      ARRAY_LEN(below_rows)];
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_LEN(bit_rows); i++)
		all[nr++] = (struct CMUnitTest)TEST_ROW(bits_are_found, &bit_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(pow2_rows); i++)
		all[nr++] = (struct CMUnitTest)TEST_ROW(sizes_round_up_to_a_power_of_two,
		                                        &pow2_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(align_rows); i++)
		all[nr++] = (struct CMUnitTest)TEST_ROW(addresses_are_aligned, &align_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(unit_rows); i++)
		all[nr++] = (struct CMUnitTest)TEST_ROW(bytes_become_whole_pages, &unit_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(rng_rows); i++)
		all[nr++] =
			(struct CMUnitTest)TEST_ROW(random_numbers_are_splitmix64, &rng_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(below_rows); i++)
		all[nr++] = (struct CMUnitTest)TEST_ROW(random_numbers_stay_below_their_bound,
		                                        &below_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(tests); i++)
		all[nr++] = tests[i];
	return RUN_TESTS(all);
}

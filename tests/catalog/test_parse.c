/* SPDX-License-Identifier: MIT */
/* Rows of a user's own: read as the build reads its file, refused with line and column. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#define HEADER                                                                              \
	"id,driver,config,first_kernel,last_kernel,pgsize_bitmap,min_granule,iova_bits,"    \
	"pa_bits,page_table_format,levels,contiguous_hint,cpu_archs,cpu_page_sizes,"        \
	"coherent_walk,uses_dma_iommu,aperture_start,aperture_end,source_file,kernel_read," \
	"verified,notes,row_kind\n"
#define ROW "mine,my-iommu,,v6.1,,0x1000,4096,32,32,none,,no,arm64,4096,?,dma-iommu,,,,,no,,driver"

struct said {
	char line[256];
};

static void keep(void *ctx, const char *line)
{
	struct said *said = ctx;

	snprintf(said->line, sizeof(said->line), "%s", line);
}

static int parse(const char *text, size_t bytes, struct said *said,
                 struct iommusim_catalog **catalog)
{
	struct iommusim_host host = { .size = sizeof(host), .log = keep, .log_ctx = said };
	struct iommusim_text csv = { "mine.csv", text, bytes };

	said->line[0] = 0;
	return iommusim_catalog_parse(&host, &csv, catalog);
}

/* The whole of lib/catalog/drivers.csv; freed by the caller. */
static char *given_file(size_t *bytes)
{
	const char *path = getenv("CATALOG_CSV");
	FILE *file = path ? fopen(path, "rb") : NULL;
	char *text = malloc(1 << 20);

	assert_non_null(file);
	assert_non_null(text);
	*bytes = fread(text, 1, 1 << 20, file);
	fclose(file);
	return text;
}

static void assert_same_text(const char *a, const char *b)
{
	assert_string_equal(a, b);
}

static void assert_same_row(const struct iommusim_catalog_driver *a,
                            const struct iommusim_catalog_driver *b)
{
	assert_same_text(a->id, b->id);
	assert_same_text(a->driver, b->driver);
	assert_same_text(a->config, b->config);
	assert_int_equal(a->first_kernel, b->first_kernel);
	assert_int_equal(a->last_kernel, b->last_kernel);
	assert_int_equal(a->first_is_inferred, b->first_is_inferred);
	assert_int_equal(a->last_is_inferred, b->last_is_inferred);
	assert_int_equal(a->pgsizes, b->pgsizes);
	assert_int_equal(a->min_granule, b->min_granule);
	assert_int_equal(a->iova_bits, b->iova_bits);
	assert_int_equal(a->pa_bits, b->pa_bits);
	assert_same_text(a->page_table_format, b->page_table_format);
	assert_int_equal(a->levels, b->levels);
	assert_same_text(a->contiguous_hint, b->contiguous_hint);
	assert_same_text(a->cpu_archs, b->cpu_archs);
	assert_int_equal(a->page_shifts, b->page_shifts);
	assert_same_text(a->coherent_walk, b->coherent_walk);
	assert_int_equal(a->backends, b->backends);
	assert_int_equal(a->has_aperture, b->has_aperture);
	assert_int_equal(a->aperture_start, b->aperture_start);
	assert_int_equal(a->aperture_last, b->aperture_last);
	assert_same_text(a->source_file, b->source_file);
	assert_same_text(a->kernel_read, b->kernel_read);
	assert_int_equal(a->is_verified, b->is_verified);
	assert_same_text(a->notes, b->notes);
	assert_int_equal(a->kind, b->kind);
}

static void the_built_in_file_reads_as_the_build_read_it(void **state)
{
	struct iommusim_catalog *catalog = NULL;
	struct said said;
	size_t bytes, i = 0;
	char *text = given_file(&bytes);
	int err = parse(text, bytes, &said, &catalog);

	free(text);
	assert_string_equal(said.line, "");
	assert_ok(err);
	for (; iommusim_catalog_driver_at(i); i++)
		assert_same_row(iommusim_catalog_at(catalog, i), iommusim_catalog_driver_at(i));
	assert_null(iommusim_catalog_at(catalog, i));
	iommusim_catalog_destroy(catalog);
}

static const struct row {
	const char *name, *text, *want;
} rows[] = {
	{ "an empty file has no header", "", "mine.csv:1:1: the column id is missing" },
	{ "a column is missing", "id,driver\n", "mine.csv:1:1: the column config is missing" },
	{ "a column is unknown", "id,colour\n",
	  "mine.csv:1:4: header: 'colour' is no column, or there twice" },
	{ "a column is there twice", "id,id\n",
	  "mine.csv:1:4: header: 'id' is no column, or there twice" },
	{ "a field is missing", HEADER "mine,x\n", "mine.csv:2:1: 2 fields instead of 23" },
	{ "a quote is open", HEADER "mine,\"x\n", "mine.csv:2:6: a quote that is not closed" },
	{ "a quote in a field", HEADER "mi\"ne\n", "mine.csv:2:3: a quote inside a field" },
	{ "text behind a quote", HEADER "\"a\"b\n", "mine.csv:2:4: text after a closing quote" },
	{ "an id twice", HEADER ROW "\n" ROW "\n", "mine.csv:3:1: id: 'mine' is there twice" },
	{ "a granule that is not the lowest bit",
	  HEADER "m,d,,v6.1,,0x3000,8192,32,32,none,,no,a,4096,?,own,,,,,no,,driver\n",
	  "mine.csv:2:19: min_granule: '8192' is not the lowest bit of pgsize_bitmap" },
	{ "columns are counted over line ends in quotes",
	  HEADER "m,\"d\nd\",,v6.1,,0x3000,8192,32,32,none,,no,a,4096,?,own,,,,,no,,driver\n",
	  "mine.csv:3:18: min_granule: '8192' is not the lowest bit of pgsize_bitmap" },
	{ "a release that is none",
	  HEADER "m,d,,6.1,,0x1000,4096,32,32,none,,no,a,4096,?,own,,,,,no,,driver\n",
	  "mine.csv:2:6: first_kernel: '6.1' is no release as v6.12 or ~v6.12" },
	{ "an empty line", HEADER "\n", "mine.csv:2:1: an empty line" },
	{ "a page of one byte",
	  HEADER "m,d,,v6.1,,0x1001,1,32,32,none,,no,a,4096,?,own,,,,,no,,driver\n",
	  "mine.csv:2:12: pgsize_bitmap: '0x1001' has a page of one byte" },
	{ "an aperture outside",
	  HEADER
	  "m,d,,v6.1,,0x1000,4096,32,32,none,,no,a,4096,?,own,0x0,0x100000000,,,no,,driver\n",
	  "mine.csv:2:56: aperture_end: '0x100000000' is outside iova_bits, and the notes do not "
	  "say why" },
	{ "a format that is unknown",
	  HEADER "m,d,,v6.1,,0x1000,4096,32,32,nope,,no,a,4096,?,own,,,,,no,,driver\n",
	  "mine.csv:2:30: page_table_format: 'nope' is no known format" },
	{ "a number that is none",
	  HEADER "m,d,,v6.1,,0x1000,4096,3x,32,none,,no,a,4096,?,own,,,,,no,,driver\n",
	  "mine.csv:2:24: iova_bits: '3x' is not a number" },
	{ "a page size that is none",
	  HEADER "m,d,,v6.1,,0x1000,4096,32,32,none,,no,a,4097,?,own,,,,,no,,driver\n",
	  "mine.csv:2:41: cpu_page_sizes: '4097' has a size that is none of 4096, 8192, 16384, "
	  "65536" },
	{ "a kind that is none",
	  HEADER "m,d,,v6.1,,0x1000,4096,32,32,none,,no,a,4096,?,own,,,,,no,,car\n",
	  "mine.csv:2:60: row_kind: 'car' is none of driver, library, hypothetical" },
};

static void says_what_is_wrong(void **state)
{
	const struct row *r = *state;
	struct iommusim_catalog *catalog = NULL;
	struct said said;

	assert_err(parse(r->text, strlen(r->text), &said, &catalog), -IOMMUSIM_EINVAL);
	assert_string_equal(said.line, r->want);
	assert_null(catalog);
}

static void line_ends_of_either_kind_and_none_at_the_end_are_read(void **state)
{
	static const char *const texts[] = { HEADER ROW, HEADER ROW "\n", HEADER ROW "\r\n",
		                             "\xef\xbb\xbf" HEADER ROW "\n" };
	struct said said;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct iommusim_catalog *catalog = NULL;

		assert_ok(parse(texts[i], strlen(texts[i]), &said, &catalog));
		assert_string_equal(iommusim_catalog_at(catalog, 0)->id, "mine");
		assert_int_equal(iommusim_catalog_at(catalog, 0)->kind, IOMMUSIM_CATALOG_DRIVER);
		assert_null(iommusim_catalog_at(catalog, 1));
		iommusim_catalog_destroy(catalog);
	}
	iommusim_catalog_destroy(NULL);
}

static void a_zero_byte_is_refused(void **state)
{
	static const char text[] = HEADER "mi\0ne\n";
	struct iommusim_catalog *catalog = NULL;
	struct said said;

	assert_err(parse(text, sizeof(text) - 1, &said, &catalog), -IOMMUSIM_EINVAL);
	assert_string_equal(said.line, "mine.csv:2:1: a zero byte");
}

static void a_host_without_memory_is_told(void **state)
{
	struct iommusim_fault fault = { .fail_at = 1 };
	struct iommusim_host host = iommusim_host_failing(&fault);
	struct iommusim_text csv = { "mine.csv", HEADER ROW "\n", strlen(HEADER ROW "\n") };
	struct iommusim_catalog *catalog = NULL;

	while (iommusim_catalog_parse(&host, &csv, &catalog) == -IOMMUSIM_EHOST) {
		assert_int_equal(fault.nr_live, 0);
		fault.nr_allocs = 0;
		fault.fail_at++;
	}
	assert_int_equal(fault.fail_at, 4);
	iommusim_catalog_destroy(catalog);
	assert_int_equal(fault.nr_live, 0);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 4] = {
		cmocka_unit_test(the_built_in_file_reads_as_the_build_read_it),
		cmocka_unit_test(line_ends_of_either_kind_and_none_at_the_end_are_read),
		cmocka_unit_test(a_zero_byte_is_refused),
		cmocka_unit_test(a_host_without_memory_is_told),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[4 + i] = (struct CMUnitTest)TEST_ROW(says_what_is_wrong, &rows[i]);
	return RUN_TESTS(tests);
}

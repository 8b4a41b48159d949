/* SPDX-License-Identifier: MIT */
/* Memory rebuilt from /proc text: the same counts come out, and bad text is refused in one line. */
#include "phys_test.h"

#include "base/rng.h"

/* The last line that was logged. */
struct log {
	char line[256];
	unsigned nr;
};

static void keep_line(void *ctx, const char *line)
{
	struct log *log = ctx;

	snprintf(log->line, sizeof(log->line), "%s", line);
	log->nr++;
}

static struct iommusim_host host_with(struct log *log)
{
	struct iommusim_host host = { .size = sizeof(host), .log = keep_line, .log_ctx = log };

	log->line[0] = 0;
	log->nr = 0;
	return host;
}

static struct iommusim_text text_of(const char *name, const char *text)
{
	struct iommusim_text t = { name, text, strlen(text) };

	return t;
}

static int parse(struct log *log, const char *buddy, const char *types,
                 struct iommusim_snapshot **snapshot)
{
	struct iommusim_host host = host_with(log);
	struct iommusim_text b = text_of("buddyinfo", buddy);
	struct iommusim_text t = text_of("pagetypeinfo", types ? types : "");

	return iommusim_snapshot_parse(&host, &b, types ? &t : NULL, snapshot);
}

static struct iommusim_phys *rebuild(const char *buddy, const char *types,
                                     struct iommusim_snapshot_notes *notes)
{
	struct iommusim_phys_config config = { .size = sizeof(config) };
	struct iommusim_snapshot *snapshot;
	struct iommusim_phys *phys;
	struct log log;

	assert_ok(parse(&log, buddy, types, &snapshot));
	assert_ok(iommusim_phys_create_snapshot(&config, snapshot, notes, &phys));
	iommusim_snapshot_destroy(snapshot);
	assert_ok(iommusim_phys_check(phys));
	return phys;
}

static void assert_buddyinfo(const struct iommusim_phys *phys, const char *want)
{
	char text[4096];

	assert_true(iommusim_phys_buddyinfo(phys, text, sizeof(text)) < sizeof(text));
	assert_string_equal(text, want);
}

static const char desktop[] = "Node 0, zone      DMA      0      0      0      0      0      0     "
			      " 0      0      1      1      3 \n"
			      "Node 0, zone    DMA32      1      1      4      2      5      4     "
			      " 3      3      4      2    752 \n"
			      "Node 0, zone   Normal    339    141    244    193    305    244    "
			      "150     91     37     22     74 \n";

static void the_same_counts_come_out(void **state)
{
	struct iommusim_snapshot_notes notes;
	struct iommusim_phys *phys = rebuild(desktop, NULL, &notes);
	struct iommusim_zone_info info;

	assert_buddyinfo(phys, desktop);
	assert_int_equal(notes.has_types, 0);
	assert_ok(iommusim_phys_zone(phys, 2, &info));
	assert_int_equal(info.start_pfn, 1 << 20);
	assert_int_equal(info.nr_frames % 1024, 0);
	assert_int_equal(info.nr_pageblocks[IOMMUSIM_MOVABLE], info.nr_frames / 512);
	iommusim_phys_destroy(phys);
}

/* Worked by hand: n regions of order k hold n blocks of order k-1 at most. */
static const struct span_row {
	const char *name;
	const char *counts;
	uint64_t tops; /* blocks of order 10 that the zone spans */
} span_rows[] = {
	{ "a zone without free memory has one block in use", "0 0 0 0 0 0 0 0 0 0 0", 1 },
	{ "one block of each order fits into one beside the whole one", "1 1 1 1 1 1 1 1 1 1 1",
	  2 },
	{ "two of order 9 need two, or they would merge", "0 0 0 0 0 0 0 0 0 2 0", 2 },
	{ "two of order 8 share one", "0 0 0 0 0 0 0 0 2 0 0", 1 },
	{ "512 single pages fit into 1024 frames", "512 0 0 0 0 0 0 0 0 0 0", 1 },
	{ "513 do not", "513 0 0 0 0 0 0 0 0 0 0", 2 },
	{ "one of order 9 leaves room for 256 single pages", "256 0 0 0 0 0 0 0 0 1 0", 1 },
	{ "but not for 257", "257 0 0 0 0 0 0 0 0 1 0", 2 },
};

static void zones_are_the_smallest_that_hold_the_counts(void **state)
{
	const struct span_row *r = *state;
	struct iommusim_zone_info info;
	struct iommusim_phys *phys;
	char text[128];

	snprintf(text, sizeof(text), "Node 0, zone Normal %s\n", r->counts);
	phys = rebuild(text, NULL, NULL);
	assert_ok(iommusim_phys_zone(phys, 0, &info));
	assert_int_equal(info.nr_frames, r->tops * 1024);
	iommusim_phys_destroy(phys);
}

static void random_counts_come_out_again(void **state)
{
	struct isim_rng rng = isim_rng_seed(7);

	for (unsigned round = 0; round < 300; round++) {
		char text[200];
		size_t at = (size_t)snprintf(text, sizeof(text), "Node 0, zone %8s ", "Normal");
		struct iommusim_phys *phys;

		for (unsigned order = 0; order < 11; order++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%6u ",
			                       (unsigned)(isim_rng_next(&rng) >>
			                                  isim_rng_range(&rng, 55, 63) >>
			                                  order / 2));
		snprintf(text + at, sizeof(text) - at, "\n");
		phys = rebuild(text, NULL, NULL);
		assert_buddyinfo(phys, text);
		iommusim_phys_destroy(phys);
	}
}

#define COUNTS "      0      0      0      0      0      0      0      0      0 "

static const char buddy_by_type[] = "Node 0, zone   Normal      6      3" COUNTS "\n";
static const char types_of_it[] =
	"Page block order: 9\n"
	"Pages per block:  512\n"
	"\n"
	"Free pages count per migrate type at order       0      1      2      3      4      5     "
	" 6      7      8      9     10 \n"
	"Node    0, zone   Normal, type    Unmovable      4      0" COUNTS "\n"
	"Node    0, zone   Normal, type      Movable      2      2" COUNTS "\n"
	"Node    0, zone   Normal, type  Reclaimable      0      1" COUNTS "\n"
	"Node    0, zone   Normal, type   HighAtomic      0      0" COUNTS "\n"
	"Node    0, zone   Normal, type      Isolate      0      0" COUNTS "\n"
	"\n"
	"Number of blocks type     Unmovable      Movable  Reclaimable   HighAtomic      Isolate \n"
	"Node 0, zone   Normal            2            4            1            0            0 \n";

static void types_come_out_again(void **state)
{
	struct iommusim_snapshot_notes notes;
	struct iommusim_phys *phys = rebuild(buddy_by_type, types_of_it, &notes);
	char text[4096];

	assert_int_equal(notes.has_types, 1);
	assert_int_equal(notes.nr_adjusted, 0);
	assert_int_equal(notes.nr_added, 0);
	assert_buddyinfo(phys, buddy_by_type);
	assert_true(iommusim_phys_pagetypeinfo(phys, text, sizeof(text)) < sizeof(text));
	assert_string_equal(text, types_of_it);
	iommusim_phys_destroy(phys);
}

static void buddyinfo_holds_where_the_files_disagree(void **state)
{
	struct iommusim_snapshot_notes notes;
	const char *buddy = "Node 0, zone   Normal      9      1" COUNTS "\n";
	struct iommusim_phys *phys = rebuild(buddy, types_of_it, &notes);
	struct iommusim_zone_info info;

	assert_buddyinfo(phys, buddy);
	assert_int_equal(notes.nr_adjusted, 2);
	assert_ok(iommusim_phys_zone(phys, 0, &info));
	assert_int_equal(info.nr_blocks[0][IOMMUSIM_UNMOVABLE], 7);
	iommusim_phys_destroy(phys);
}

/* @nr blocks of the pageblock order, some of order 9 and 10, in @total pageblocks. */
static void try_span(unsigned order, unsigned total, unsigned nr, unsigned nr_9, unsigned nr_10)
{
	unsigned counts[11] = { 0 };
	char buddy[256] = "Node 0, zone   Normal ", types[512];
	struct iommusim_phys *phys;
	size_t at = strlen(buddy);

	counts[order] += nr;
	counts[9] += nr_9;
	counts[10] += nr_10;
	for (unsigned i = 0; i < 11; i++)
		at += (size_t)snprintf(buddy + at, sizeof(buddy) - at, "%6u ", counts[i]);
	snprintf(buddy + at, sizeof(buddy) - at, "\n");
	snprintf(types, sizeof(types),
	         "Page block order: %u\nNode 0, zone Normal, type Movable %s"
	         "Number of blocks type Movable\nNode 0, zone Normal %u\n",
	         order, buddy + strlen("Node 0, zone   Normal "), total);
	phys = rebuild(buddy, types, NULL);
	assert_buddyinfo(phys, buddy);
	assert_ok(iommusim_phys_check(phys));
	iommusim_phys_destroy(phys);
}

/* Every free block where it fits, though pagetypeinfo's pageblocks end inside a block of order 10.
 */
static void spans_that_end_anywhere_hold_their_blocks(void **state)
{
	for (unsigned order = 7; order <= 10; order++)
		for (unsigned i = 0; i < 12 * 4 * 4 * 3; i++)
			try_span(order, 1 + i % 12, i / 12 % 4, i / 48 % 4, i / 192);
}

static void config_is_checked_before_it_is_used(void **state)
{
	struct iommusim_phys_config config = { .size = sizeof(config), .page_shift = 200 };
	struct iommusim_snapshot *snapshot = NULL;
	struct iommusim_phys *phys = NULL;
	struct log log;

	assert_ok(parse(&log, desktop, NULL, &snapshot));
	assert_err(iommusim_phys_create_snapshot(&config, snapshot, NULL, &phys), IOMMUSIM_EINVAL);
	assert_null(phys);
	iommusim_snapshot_destroy(snapshot);
}

static const char plain[] = "Node 0, zone Normal 1 0 0 0 0 0 0 0 0 0 0\n";

static const struct bad_row {
	const char *name;
	const char *buddy, *types;
	const char *line;
} bad_rows[] = {
	{ "an empty file", "", NULL, "buddyinfo: the file is empty" },
	{ "no zones", "\n\n", NULL, "buddyinfo: the file has no zones" },
	{ "binary", "Node 0, \x01", NULL, "buddyinfo:1: byte 8: 0x01 is not text" },
	{ "another file", "MemTotal: 5 kB\n", NULL,
	  "buddyinfo:1: line: 'MemTotal:' is not 'Node'" },
	{ "a zone nobody knows", "Node 0, zone Home 1\n", NULL,
	  "buddyinfo:1: zone: 'Home' is not the name of a zone" },
	{ "a node that is no number", "Node x, zone DMA 1\n", NULL,
	  "buddyinfo:1: node: 'x' is not a node number below 64" },
	{ "a negative count", "Node 0, zone DMA 1 -5 0 0 0 0 0 0 0 0 0\n", NULL,
	  "buddyinfo:1: node 0, zone DMA, order 1: '-5' is not a count of 0 .. 2^32 - 1" },
	{ "a count that overflows", "Node 0, zone DMA 18446744073709551617 0 0 0 0 0 0 0 0 0 0\n",
	  NULL,
	  "buddyinfo:1: node 0, zone DMA, order 0: '18446744073709551617' is not a count of "
	  "0 .. 2^32 - 1" },
	{ "a missing count", "Node 0, zone DMA 1 0 0 0 0 0 0 0 0 0\n", NULL,
	  "buddyinfo:1: node 0, zone DMA: 10 counts are not 11" },
	{ "a line shorter than the first",
	  "Node 0, zone DMA 1 0 0 0 0 0 0 0 0 0 0\nNode 0, zone DMA32 1 0 0 0 0 0 0 0 0 0\n", NULL,
	  "buddyinfo:2: node 0, zone DMA32: 10 counts are not 11" },
	{ "fifteen counts", "Node 0, zone DMA 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", NULL,
	  "buddyinfo:1: node 0, zone DMA, order 14: '0' is one count too many" },
	{ "more memory than there can be", "Node 0, zone DMA 0 0 0 0 0 0 0 0 0 0 4194304\n", NULL,
	  "buddyinfo:1: node 0, zone DMA: free frames '4294967296' are more than a machine has" },
	{ "a zone twice",
	  "Node 0, zone DMA 1 0 0 0 0 0 0 0 0 0 0\nNode 0, zone DMA 1 0 0 0 0 0 0 0 0 0 0\n", NULL,
	  "buddyinfo:2: node 0, zone DMA: the zone is there twice" },
	{ "types of another machine", plain,
	  "Page block order: 9\nNode 0, zone DMA, type Movable 1\n",
	  "pagetypeinfo:2: node 0, zone DMA: buddyinfo has no such zone" },
	{ "types without a pageblock order", plain, "\n",
	  "pagetypeinfo: 'Page block order:' is missing" },
	{ "pageblocks of another size", plain, "Page block order: 9\nPages per block:  1024\n",
	  "pagetypeinfo:2: Pages per block: '1024' is not 2 to the pageblock order" },
	{ "two pageblock orders", plain, "Page block order: 9\nPage block order: 9\n",
	  "pagetypeinfo:2: Page block order: '9' is there for the second time" },
	{ "words behind the pageblock order", plain, "Page block order: 9 and more\n",
	  "pagetypeinfo:1: Page block order: 'and' is one word too many" },
	{ "two headers of blocks", plain,
	  "Page block order: 9\nNumber of blocks type Movable\nNumber of blocks type Movable\n",
	  "pagetypeinfo:3: Number of blocks type: ' Movable' is there for the second time" },
	{ "a column twice", plain, "Page block order: 9\nNumber of blocks type Movable Movable\n",
	  "pagetypeinfo:2: Number of blocks type: 'Movable' is there twice" },
	{ "a row of blocks twice", plain,
	  "Page block order: 9\nNumber of blocks type Movable\nNode 0, zone Normal 3\n"
	  "Node 0, zone Normal 3\n",
	  "pagetypeinfo:4: node 0, zone Normal: ' 3' are counts for the second time" },
	{ "more counts of blocks than types", plain,
	  "Page block order: 9\nNumber of blocks type Movable\nNode 0, zone Normal 3 4\n",
	  "pagetypeinfo:3: node 0, zone Normal: '4' is one word too many" },
	{ "more pageblocks than a machine has", plain,
	  "Page block order: 9\nNumber of blocks type Movable\nNode 0, zone Normal 8388608\n",
	  "pagetypeinfo:3: node 0, zone Normal: '8388608' pageblocks are more than a machine has" },
	{ "a row of a type twice", plain,
	  "Page block order: 9\nNode 0, zone Normal, type Movable 1 0 0 0 0 0 0 0 0 0 0\n"
	  "Node 0, zone Normal, type Movable 1 0 0 0 0 0 0 0 0 0 0\n",
	  "pagetypeinfo:3: node 0, zone Normal: 'Movable' is there twice" },
	{ "a type without its row", plain,
	  "Page block order: 9\nNode 0, zone Normal, type Movable 1 0 0 0 0 0 0 0 0 0 0\n"
	  "Number of blocks type Unmovable Movable\nNode 0, zone Normal 3 4\n",
	  "pagetypeinfo: node 0, zone Normal: free counts of a type or numbers of blocks are "
	  "missing" },
	{ "a pageblock order of 11", plain, "Page block order: 11\n",
	  "pagetypeinfo:1: Page block order: '11' is not an order of buddyinfo above 0" },
	{ "types that end early", plain, "Page block order: 9\n",
	  "pagetypeinfo: node 0, zone Normal: free counts of a type or numbers of blocks are "
	  "missing" },
	{ "a line with commas elsewhere", "Node, 0 zone, DMA 1 0 0 0 0 0 0 0 0 0 0\n", NULL,
	  "buddyinfo:1: line: 'Node,' is not 'Node'" },
	{ "a node without a comma", "Node 0 zone DMA 1 0 0 0 0 0 0 0 0 0 0\n", NULL,
	  "buddyinfo:1: node: '0' has no comma behind it" },
	{ "a zone with a comma", "Node 0, zone DMA, 1 0 0 0 0 0 0 0 0 0 0\n", NULL,
	  "buddyinfo:1: node 0, zone DMA: '1' follows a comma" },
	{ "a comma among the counts", "Node 0, zone DMA 1 0, 0 0 0 0 0 0 0 0 0\n", NULL,
	  "buddyinfo:1: node 0, zone DMA, order 1: '0,' is not a count of 0 .. 2^32 - 1" },
	{ "words behind the counts", "Node 0, zone DMA 1 0 0 0 0 0 0 0 0 0 0 , x\n", NULL,
	  "buddyinfo:1: node 0, zone DMA, order 11: ',' is not a count of 0 .. 2^32 - 1" },
	{ "more small blocks than a host has room for",
	  "Node 0, zone DMA 67108865 0 0 0 0 0 0 0 0 0 0\n", NULL,
	  "buddyinfo:1: node 0, zone DMA: free blocks below the largest order spread over "
	  "'134217730' frames, more than 2^27" },
	{ "a type without a comma before it", plain,
	  "Page block order: 9\nNode 0, zone Normal type Movable 1 0 0 0 0 0 0 0 0 0 0\n",
	  "pagetypeinfo:2: node 0, zone Normal: 'type' is not 'type' behind a comma" },
	{ "a type nobody knows", plain,
	  "Page block order: 9\nNode 0, zone Normal, type Huge 1 0 0 0 0 0 0 0 0 0 0\n",
	  "pagetypeinfo:2: node 0, zone Normal: 'Huge' is not a migratetype" },
};

static void bad_text_is_refused_in_one_line(void **state)
{
	const struct bad_row *r = *state;
	struct iommusim_snapshot *snapshot = NULL;
	struct log log;

	assert_err(parse(&log, r->buddy, r->types, &snapshot), IOMMUSIM_EINVAL);
	assert_null(snapshot);
	assert_int_equal(log.nr, 1);
	assert_string_equal(log.line, r->line);
}

int main(void)
{
	struct CMUnitTest tests[6 + ARRAY_LEN(span_rows) + ARRAY_LEN(bad_rows)] = {
		cmocka_unit_test(the_same_counts_come_out),
		cmocka_unit_test(random_counts_come_out_again),
		cmocka_unit_test(types_come_out_again),
		cmocka_unit_test(buddyinfo_holds_where_the_files_disagree),
		cmocka_unit_test(spans_that_end_anywhere_hold_their_blocks),
		cmocka_unit_test(config_is_checked_before_it_is_used),
	};
	size_t nr = 6;

	for (size_t i = 0; i < ARRAY_LEN(span_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(
			zones_are_the_smallest_that_hold_the_counts, &span_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(bad_text_is_refused_in_one_line, &bad_rows[i]);
	return RUN_TESTS(tests);
}

/* SPDX-License-Identifier: MIT */
/* The report of a failed allocation, out of a kernel log, whole and in pieces. */
#include "import_test.h"

#define REQUEST \
	"busybox: page allocation failure: order:8, mode:0xcc0(GFP_KERNEL), nodemask=(null)\n"
#define TASK                                                                                   \
	"CPU: 0 PID: 93 Comm: my task Tainted: G           OE      6.1.0-56-amd64 #1  Debian " \
	"6.1.192-2\n"
#define MEMORY "Mem-Info:\nactive_anon:471 free:12000 free_pcp:0 free_cma:0\n"
#define NUMBERS                                                                    \
	"Node 0 DMA32 free:124kB boost:40kB min:140kB low:164kB high:188kB "       \
	"reserved_highatomic:2048KB active_anon:0kB present:1000kB managed:900kB " \
	"mlocked:0kB free_pcp:24kB local_pcp:8kB free_cma:0kB\n"
#define RESERVE "lowmem_reserve[]: 0 0 433 433 433\n"
#define BLOCKS                                                                           \
	"Node 0 DMA32: 7*4kB (UME) 4*8kB (UM) 0*16kB 2*32kB (H) 0*64kB 0*128kB 0*256kB " \
	"0*512kB 0*1024kB 0*2048kB 0*4096kB = 124kB\n"

static const char report[] = REQUEST TASK
	"Call Trace:\n <TASK>\n" MEMORY
	"Node 0 active_anon:1884kB kernel_stack:736kB all_unreclaimable? no\n" NUMBERS RESERVE
		BLOCKS
	"Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB\n"
	"504 total pagecache pages\n";

static struct iommusim_snapshot *given_report(const char *text)
{
	struct texts texts = { .splat = text };
	static struct log log; /* as long as the snapshot */
	struct iommusim_snapshot *snapshot;

	log.line[0] = 0;
	if (read_texts(&log, texts, &snapshot))
		fail_msg("%s", log.line);
	return snapshot;
}

static void the_request_is_told(void **state)
{
	struct iommusim_snapshot *snapshot = given_report(report);
	const struct iommusim_splat *splat = iommusim_snapshot_splat(snapshot);

	assert_int_equal(splat->order, 8);
	assert_int_equal(splat->gfp, IOMMUSIM_GFP_KERNEL);
	assert_int_equal(splat->page_shift, 12);
	assert_int_equal(splat->kernel, IOMMUSIM_KERNEL(6, 1));
	assert_string_equal(splat->release, "6.1.0-56-amd64");
	assert_string_equal(splat->task, "my task");
	assert_string_equal(splat->mode, "0xcc0(GFP_KERNEL)");
	iommusim_snapshot_destroy(snapshot);
}

static void its_zone_is_told(void **state)
{
	struct iommusim_snapshot *snapshot = given_report(report);
	struct iommusim_snapshot_zone zone;

	assert_int_equal(iommusim_snapshot_nr_zones(snapshot), 1);
	assert_ok(iommusim_snapshot_zone(snapshot, 0, &zone));
	assert_int_equal(zone.zone, IOMMUSIM_ZONE_DMA32);
	assert_int_equal(zone.has_span, 0);
	assert_int_equal(zone.numbers.present, 250);
	assert_int_equal(zone.numbers.managed, 225);
	assert_int_equal(zone.numbers.boost, 10);
	assert_int_equal(zone.numbers.min, 25);
	assert_int_equal(zone.numbers.low, 31);
	assert_int_equal(zone.numbers.high, 37);
	assert_int_equal(zone.numbers.promo, 43);
	assert_int_equal(zone.numbers.lowmem_reserve[IOMMUSIM_ZONE_NORMAL], 433);
	assert_int_equal(zone.nr_highatomic, 512);
	assert_int_equal(zone.nr_pcp, 6);
	iommusim_snapshot_destroy(snapshot);
}

static void types_share_what_is_counted_together(void **state)
{
	struct texts texts = { .splat = report };
	struct iommusim_snapshot_notes notes;
	struct iommusim_phys *phys = create_from(texts, &notes);
	struct iommusim_zone_info info;
	struct iommusim_zone_numbers numbers;

	assert_ok(iommusim_phys_zone(phys, 0, &info));
	assert_int_equal(info.nr_blocks[0][IOMMUSIM_UNMOVABLE], 3);
	assert_int_equal(info.nr_blocks[0][IOMMUSIM_MOVABLE], 2);
	assert_int_equal(info.nr_blocks[0][IOMMUSIM_RECLAIMABLE], 2);
	assert_int_equal(info.nr_blocks[1][IOMMUSIM_UNMOVABLE], 2);
	assert_int_equal(info.nr_blocks[1][IOMMUSIM_MOVABLE], 2);
	assert_int_equal(info.nr_blocks[3][IOMMUSIM_HIGHATOMIC], 2);
	assert_int_equal(info.nr_free, 31);
	assert_ok(iommusim_phys_numbers(phys, 0, &numbers));
	assert_int_equal(numbers.present, 250);
	assert_int_equal(notes.has_numbers, 1);
	iommusim_phys_destroy(phys);
}

static void another_page_size_is_refused(void **state)
{
	struct iommusim_phys_config config = { .size = sizeof(config), .page_shift = 14 };
	struct iommusim_snapshot *snapshot = given_report(report);
	struct iommusim_phys *phys = NULL;

	assert_err(iommusim_phys_create_snapshot(&config, snapshot, NULL, &phys), IOMMUSIM_EINVAL);
	assert_null(phys);
	iommusim_snapshot_destroy(snapshot);
}

/* Every line behind @prefix, and a line of somebody else's between each two. */
static void write_log(char *log, size_t bytes, const char *prefix)
{
	size_t at = 0;

	for (const char *line = report; *line; line = strchr(line, '\n') + 1)
		at += (size_t)snprintf(log + at, bytes - at,
		                       "%s%.*s\n%seth0: link up = 100 \xc2\xb5s\n", prefix,
		                       (int)strcspn(line, "\n"), line, prefix);
}

static const struct prefix_row {
	const char *name, *prefix;
} prefix_rows[] = {
	{ "no prefix", "" },
	{ "a level", "<4>" },
	{ "a time stamp", "[    4.196413] " },
	{ "a level and a time stamp", "<4>[    4.196413] " },
	{ "a caller", "[    4.196413] [T123] " },
	{ "a padded caller", "[    4.196413][   T93] " },
	{ "a processor", "[    4.196413][    C0] " },
	{ "a syslog header", "Nov  3 10:00:00 host kernel: [    4.196413] " },
	{ "a journal header", "Nov 03 10:00:00 my-host kernel: " },
	{ "an ISO date", "2026-11-03T10:00:00.123456+01:00 host kernel: " },
	{ "a date", "[Tue Nov  3 10:00:00 2026] " },
};

static void a_prefix_does_no_harm(void **state)
{
	const struct prefix_row *r = *state;
	struct iommusim_snapshot *snapshot;
	struct iommusim_snapshot_zone zone;
	char log[8192];

	write_log(log, sizeof(log), r->prefix);
	snapshot = given_report(log);
	assert_ok(iommusim_snapshot_zone(snapshot, 0, &zone));
	assert_int_equal(zone.numbers.managed, 225);
	assert_int_equal(iommusim_snapshot_splat(snapshot)->kernel, IOMMUSIM_KERNEL(6, 1));
	iommusim_snapshot_destroy(snapshot);
}

#define HALF_1 "[ 4.1] Node 0 DMA32: 7*4kB (UME) 4*8kB (UM) 0*16kB "
#define HALF_2 "[ 4.1] 2*32kB (H) 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB "

static const struct good_row {
	const char *name, *text;
	uint32_t gfp;
} good_rows[] = {
	{ "a list that the console broke",
	  REQUEST MEMORY NUMBERS RESERVE HALF_1 "\n[ 4.1] Free swap  = 0kB\n" HALF_2
	                                        "\n[ 4.2] usb 1-1: reset\n[ 4.1] = 124kB\n",
	  IOMMUSIM_GFP_KERNEL },
	{ "a list that the console broke behind its name",
	  REQUEST MEMORY NUMBERS RESERVE "[ 4.1] Node 0 DMA32: \n[ 4.2] usb 1-1: reset\n[ 4.1] "
	                                 "7*4kB (UME) 4*8kB (UM) 0*16kB \n" HALF_2 "= 124kB\n",
	  IOMMUSIM_GFP_KERNEL },
	{ "the tail of another report before it",
	  RESERVE BLOCKS REQUEST MEMORY NUMBERS RESERVE BLOCKS, IOMMUSIM_GFP_KERNEL },
	{ "another report behind it",
	  REQUEST MEMORY NUMBERS RESERVE BLOCKS "x: page allocation failure: order:99\n",
	  IOMMUSIM_GFP_KERNEL },
	{ "a kernel for one node",
	  REQUEST MEMORY
	  "Normal free:4kB min:0kB low:4kB high:8kB present:1000kB managed:900kB\n"
	  "lowmem_reserve[]: 0 0 0\nNormal: 1*4kB (U) 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB "
	  "0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB = 4kB\n",
	  IOMMUSIM_GFP_KERNEL },
	{ "names rather than bits, which were others in older kernels",
	  "x: page allocation failure: order:1, mode:0x14000c0(GFP_KERNEL|__GFP_ZERO)\n" MEMORY
	          NUMBERS RESERVE BLOCKS,
	  IOMMUSIM_GFP_KERNEL | IOMMUSIM_GFP_BIT_ZERO },
	{ "bits where a name is unknown",
	  "x: page allocation failure: order:1, mode:0xcc0(GFP_KERNEL|__GFP_NEW), n\n" MEMORY
	          NUMBERS RESERVE BLOCKS,
	  IOMMUSIM_GFP_KERNEL },
	{ "bits where there are no names",
	  "x: page allocation failure: order:1, mode:0x20\n" MEMORY NUMBERS RESERVE BLOCKS,
	  IOMMUSIM_GFP_BIT_HIGH },
	{ "lines that end as Windows ends them",
	  "x: page allocation failure: order:1, mode:0x20\r\n"
	  "Mem-Info:\r\n" NUMBERS RESERVE BLOCKS,
	  IOMMUSIM_GFP_BIT_HIGH },
};

static void a_report_of_this_form_is_read(void **state)
{
	const struct good_row *r = *state;
	struct iommusim_snapshot *snapshot = given_report(r->text);

	assert_int_equal(iommusim_snapshot_splat(snapshot)->gfp, r->gfp);
	iommusim_snapshot_destroy(snapshot);
}

static void pages_of_16_kib_are_seen(void **state)
{
	struct iommusim_snapshot *snapshot = given_report(
		REQUEST MEMORY
		"Node 0 DMA free:16kB min:0kB low:16kB high:32kB present:16000kB managed:15984kB\n"
		"lowmem_reserve[]: 0 0 0 0 0\nNode 0 DMA: 1*16kB (U) 0*32kB 0*64kB 0*128kB 0*256kB "
		"0*512kB 0*1024kB 0*2048kB 0*4096kB 0*8192kB 0*16384kB 0*32768kB = 16kB\n");
	struct iommusim_snapshot_zone zone;

	assert_int_equal(iommusim_snapshot_splat(snapshot)->page_shift, 14);
	assert_ok(iommusim_snapshot_zone(snapshot, 0, &zone));
	assert_int_equal(zone.numbers.managed, 999);
	iommusim_snapshot_destroy(snapshot);
}

static const struct bad_row {
	const char *name, *text, *line;
} bad_rows[] = {
	{ "an empty file", "", "splat: the file is empty" },
	{ "binary", "a\nb\x02", "splat:2: byte 3: 0x02 is not text" },
	{ "another log", "usb 1-1: reset\n",
	  "splat: no line of the file has 'page allocation failure: order:'" },
	{ "its second half", MEMORY NUMBERS RESERVE BLOCKS,
	  "splat: no line of the file has 'page allocation failure: order:'" },
	{ "a report without memory", REQUEST TASK, "splat:1: the report: 'Mem-Info:' is missing" },
	{ "a report without zones", REQUEST MEMORY, "splat:2: the report: every zone is missing" },
	{ "a report cut behind the numbers", REQUEST MEMORY NUMBERS,
	  "splat:4: node 0, zone DMA32: 'lowmem_reserve[]:' is missing" },
	{ "a report cut before the free blocks", REQUEST MEMORY NUMBERS RESERVE,
	  "splat:4: node 0, zone DMA32: the free blocks are missing" },
	{ "a report cut inside the numbers",
	  REQUEST MEMORY "Node 0 DMA32 free:124kB min:1kB low:2kB high:3kB present:10",
	  "splat:4: node 0, zone DMA32, present: '10' is not a number of kB" },
	{ "a report cut between the numbers",
	  REQUEST MEMORY "Node 0 DMA32 free:124kB min:1kB low:2kB high:3kB",
	  "splat:4: node 0, zone DMA32: 'present:' is missing" },
	{ "a report cut between free blocks",
	  REQUEST MEMORY NUMBERS RESERVE "Node 0 DMA32: 7*4kB (UME) 4*8kB (UM)\n",
	  "splat:6: node 0, zone DMA32: the end of the free blocks, '= ...kB', is missing" },
	{ "a report cut inside free blocks",
	  REQUEST MEMORY NUMBERS RESERVE "Node 0 DMA32: 7*4kB (UME) 4*8k",
	  "splat:6: node 0, zone DMA32: '4*8k' is no number of blocks" },
	{ "free blocks without numbers", REQUEST MEMORY BLOCKS,
	  "splat:4: node 0, zone DMA32: the line with 'free:' is missing" },
	{ "a zone twice", REQUEST MEMORY NUMBERS RESERVE NUMBERS,
	  "splat:6: node 0, zone DMA32: the zone is there twice" },
	{ "free blocks twice", REQUEST MEMORY NUMBERS RESERVE BLOCKS BLOCKS,
	  "splat:7: node 0, zone DMA32: the free blocks are there twice" },
	{ "a sum that is none", REQUEST MEMORY NUMBERS RESERVE "Node 0 DMA32: 1*4kB (U) = 5kB\n",
	  "splat:6: node 0, zone DMA32: '5kB' is not the sum of its blocks" },
	{ "an order left out", REQUEST MEMORY NUMBERS RESERVE "Node 0 DMA32: 1*4kB (U) 1*16kB\n",
	  "splat:6: node 0, zone DMA32: '1*16kB' is not the order that comes next" },
	{ "too few orders", REQUEST MEMORY NUMBERS RESERVE "Node 0 DMA32: 1*4kB (U) = 4kB\n",
	  "splat:6: node 0, zone DMA32: '1' orders of free blocks are not 11" },
	{ "a page of 1 KiB", REQUEST MEMORY NUMBERS RESERVE "Node 0 DMA32: 1*1kB (U)\n",
	  "splat:6: node 0, zone DMA32: '1*1kB' is no CPU page of 4kB .. 64kB" },
	{ "a type nobody knows", REQUEST MEMORY NUMBERS RESERVE "Node 0 DMA32: 1*4kB (X)\n",
	  "splat:6: node 0, zone DMA32: '(X)' are not letters of migratetypes" },
	{ "a negative number", REQUEST MEMORY "Node 0 DMA32 free:-4kB min:1kB low:2kB high:3kB\n",
	  "splat:4: node 0, zone DMA32, free: '-4kB' is not a number of kB" },
	{ "a number that overflows", REQUEST MEMORY "Node 0 DMA32 free:99999999999999999999kB\n",
	  "splat:4: node 0, zone DMA32, free: '99999999999999999999kB' is not a number of kB" },
	{ "a number twice", REQUEST MEMORY "Node 0 DMA32 free:1kB free:2kB\n",
	  "splat:4: node 0, zone DMA32, free: '2kB' is there for the second time" },
	{ "a node that is no number", REQUEST MEMORY "Node 99 DMA32 free:4kB\n",
	  "splat:4: node: '99' is not a node number below 64" },
	{ "lowmem_reserve that is no number", REQUEST MEMORY NUMBERS "lowmem_reserve[]: 0 x\n",
	  "splat:5: lowmem_reserve: 'x' is not a number" },
	{ "lowmem_reserve of more zones than there are",
	  REQUEST MEMORY NUMBERS "lowmem_reserve[]: 0 0 0 0 0 0 7\n",
	  "splat:5: lowmem_reserve: '7' is one number too many" },
	{ "an order nobody has", "x: page allocation failure: order:14, mode:0x1\n",
	  "splat:1: page allocation failure: '14' is not an order of 0 .. 13" },
	{ "a request without a mode", "x: page allocation failure: order:1, gfp:0x1\n",
	  "splat:1: page allocation failure: 'gfp:0x1' is not 'mode:0x...'" },
	{ "more free frames than there are",
	  REQUEST MEMORY "Node 0 DMA32 free:124kB min:0kB low:4kB high:8kB present:120kB "
	                 "managed:120kB\n" RESERVE BLOCKS,
	  "splat:6: node 0, zone DMA32: free frames '31' are more than the 30 present (splat:4)" },
	{ "more memory than a machine has",
	  REQUEST MEMORY "Node 0 DMA32 free:124kB min:0kB low:4kB high:8kB present:17179869184kB "
	                 "managed:1200kB\n" RESERVE BLOCKS,
	  "splat:4: node 0, zone DMA32, present: '4294967296' is above 2^32 - 2^14 frames" },
	{ "fifteen orders",
	  REQUEST MEMORY NUMBERS RESERVE
	  "Node 0 DMA32: 0*4kB 0*8kB 0*16kB 0*32kB 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB "
	  "0*2048kB 0*4096kB 0*8192kB 0*16384kB 0*32768kB 0*65536kB = 0kB\n",
	  "splat:6: node 0, zone DMA32: '0*65536kB' is one order too many" },
	{ "marks that are no pages",
	  REQUEST MEMORY "Node 0 DMA32 free:124kB min:3kB low:4kB high:8kB present:1200kB "
	                 "managed:1200kB\n" RESERVE BLOCKS,
	  "splat:4: node 0, zone DMA32, min: '3kB' are not whole pages of 4kB" },
};

static void a_bad_report_is_refused_in_one_line(void **state)
{
	const struct bad_row *r = *state;
	struct texts texts = { .splat = r->text };

	assert_refused(texts, r->line);
}

/* Where it is cut decides whether all is there; it never reads beyond, and it is never half read.
 */
static void a_report_cut_anywhere_is_refused(void **state)
{
	size_t whole = (size_t)(strstr(report, "= 124kB") + strlen("= 124kB") - report);

	for (size_t length = 0; length < whole; length++) {
		struct iommusim_snapshot *snapshot = NULL;
		struct texts texts;
		struct log log;
		char *cut = malloc(length + 1);

		memcpy(cut, report, length);
		cut[length] = 0;
		texts = (struct texts){ .splat = cut };
		assert_err(read_texts(&log, texts, &snapshot), IOMMUSIM_EINVAL);
		assert_int_equal(log.nr, 1);
		free(cut);
	}
	iommusim_snapshot_destroy(given_report(report));
}

static void a_report_stands_alone(void **state)
{
	struct texts both = { .buddy = "Node 0, zone Normal 1\n", .splat = report };
	struct texts none = { NULL, NULL, NULL, NULL };
	struct iommusim_snapshot_texts no_size = { .size = 0 };
	struct iommusim_snapshot *snapshot = NULL;

	assert_refused(both, "a snapshot needs a buddyinfo, or a report and nothing else");
	assert_err(iommusim_snapshot_read(NULL, &no_size, &snapshot), IOMMUSIM_EINVAL);
	assert_refused(none, "a snapshot needs a buddyinfo, or a report and nothing else");
}

#define NR_SINGLE 7

int main(void)
{
	struct CMUnitTest tests[NR_SINGLE + ARRAY_LEN(prefix_rows) + ARRAY_LEN(good_rows) +
	                        ARRAY_LEN(bad_rows)] = {
		cmocka_unit_test(the_request_is_told),
		cmocka_unit_test(its_zone_is_told),
		cmocka_unit_test(types_share_what_is_counted_together),
		cmocka_unit_test(another_page_size_is_refused),
		cmocka_unit_test(pages_of_16_kib_are_seen),
		cmocka_unit_test(a_report_cut_anywhere_is_refused),
		cmocka_unit_test(a_report_stands_alone),
	};
	size_t nr = NR_SINGLE;

	for (size_t i = 0; i < ARRAY_LEN(prefix_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(a_prefix_does_no_harm, &prefix_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(good_rows); i++)
		tests[nr++] =
			(struct CMUnitTest)TEST_ROW(a_report_of_this_form_is_read, &good_rows[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(a_bad_report_is_refused_in_one_line,
		                                          &bad_rows[i]);
	return RUN_TESTS(tests);
}

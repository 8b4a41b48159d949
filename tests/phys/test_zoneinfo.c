/* SPDX-License-Identifier: MIT */
/* Memory rebuilt inside its real spans: marks, sizes and per-CPU lists as /proc/zoneinfo has them.
 */
#include "import_test.h"

#include "base/rng.h"

#define ZEROS8 "      0      0      0      0      0      0      0      0 "

static const char buddies[] = "Node 0, zone      DMA" ZEROS8 "     1      1      3 \n"
			      "Node 0, zone    DMA32      5      0" ZEROS8 "     2 \n";

/* Linux 6.1: no promo, no high_min. */
static const char zones_6_1[] = "Node 0, zone      DMA\n"
				"  per-node stats\n"
				"      nr_inactive_anon 61\n"
				"  pages free     3840\n"
				"        boost    0\n"
				"        min      22\n"
				"        low      27\n"
				"        high     32\n"
				"        spanned  4095\n"
				"        present  3998\n"
				"        managed  3840\n"
				"        cma      0\n"
				"        protection: (0, 433, 433, 433, 433)\n"
				"      nr_free_pages 3840\n"
				"  pagesets\n"
				"    cpu: 0\n"
				"              count: 0\n"
				"              high:  27\n"
				"              batch: 1\n"
				"  vm stats threshold: 2\n"
				"  node_unreclaimable:  0\n"
				"  start_pfn:           1\n"
				"Node 0, zone    DMA32\n"
				"  pages free     2053\n"
				"        boost    100\n"
				"        min      754\n"
				"        low      917\n"
				"        high     1080\n"
				"        spanned  1044480\n"
				"        present  126944\n"
				"        managed  113264\n"
				"        cma      0\n"
				"        protection: (0, 0, 0, 0, 0)\n"
				"  pagesets\n"
				"    cpu: 0\n"
				"              count: 7\n"
				"              high:  817\n"
				"              batch: 27\n"
				"    cpu: 1\n"
				"              count: 5\n"
				"              high:  900\n"
				"              batch: 27\n"
				"              high_min: 800\n"
				"              high_max: 14158\n"
				"  vm stats threshold: 6\n"
				"  node_unreclaimable:  0\n"
				"  start_pfn:           4096\n"
				"Node 0, zone   Normal\n"
				"  pages free     0\n"
				"        boost    0\n"
				"        min      0\n"
				"        low      0\n"
				"        high     0\n"
				"        spanned  0\n"
				"        present  0\n"
				"        managed  0\n"
				"        cma      0\n"
				"        protection: (0, 0, 0, 0, 0)\n";

static const struct texts two_zones = { .buddy = buddies, .zones = zones_6_1 };

static void zones_are_where_they_really_are(void **state)
{
	struct iommusim_snapshot_notes notes;
	struct iommusim_phys *phys = create_from(two_zones, &notes);
	struct iommusim_zone_info info;

	assert_buddyinfo(phys, buddies);
	assert_int_equal(notes.has_span && notes.has_numbers, 1);
	assert_ok(iommusim_phys_zone(phys, 0, &info));
	assert_int_equal(info.start_pfn, 1);
	assert_int_equal(info.nr_frames, 4095);
	assert_ok(iommusim_phys_zone(phys, 1, &info));
	assert_int_equal(info.start_pfn, 4096);
	assert_int_equal(info.nr_frames, 1044480);
	iommusim_phys_destroy(phys);
}

static void a_hole_has_no_pageblocks(void **state)
{
	struct iommusim_phys *phys = create_from(two_zones, NULL);
	struct iommusim_zone_info info;

	assert_ok(iommusim_phys_zone(phys, 0, &info));
	assert_int_equal(info.nr_pageblocks[IOMMUSIM_MOVABLE], 8);
	assert_ok(iommusim_phys_zone(phys, 1, &info));
	assert_int_equal(info.nr_pageblocks[IOMMUSIM_MOVABLE], (126944 + 511) / 512);
	iommusim_phys_destroy(phys);
}

static void numbers_are_those_printed_less_the_boost(void **state)
{
	struct iommusim_phys *phys = create_from(two_zones, NULL);
	struct iommusim_zone_numbers n;

	assert_ok(iommusim_phys_numbers(phys, 0, &n));
	assert_int_equal(n.present, 3998);
	assert_int_equal(n.managed, 3840);
	assert_int_equal(n.lowmem_reserve[IOMMUSIM_ZONE_DMA], 0);
	assert_int_equal(n.lowmem_reserve[IOMMUSIM_ZONE_DMA32], 433);
	assert_int_equal(n.lowmem_reserve[IOMMUSIM_ZONE_NORMAL], 433);
	assert_int_equal(n.lowmem_reserve[IOMMUSIM_ZONE_HIGHMEM], 433);
	assert_int_equal(n.lowmem_reserve[IOMMUSIM_ZONE_DEVICE], 433);
	assert_ok(iommusim_phys_numbers(phys, 1, &n));
	assert_int_equal(n.boost, 100);
	assert_int_equal(n.min, 654);
	assert_int_equal(n.low, 817);
	assert_int_equal(n.high, 980);
	assert_int_equal(n.promo, 1143); /* 6.1 does not print it */
	iommusim_phys_destroy(phys);
}

static void every_cpu_has_its_list(void **state)
{
	struct iommusim_snapshot_zone zone;
	struct iommusim_snapshot *snapshot;
	struct iommusim_snapshot_pcp pcp;
	struct log log;

	assert_ok(read_texts(&log, two_zones, &snapshot));
	assert_int_equal(iommusim_snapshot_nr_zones(snapshot), 2);
	assert_ok(iommusim_snapshot_zone(snapshot, 1, &zone));
	assert_int_equal(zone.zone, IOMMUSIM_ZONE_DMA32);
	assert_int_equal(zone.nr_cpus, 2);
	assert_int_equal(zone.nr_pcp, 12);
	assert_int_equal(zone.nr_free, 2053);
	assert_ok(iommusim_snapshot_pcp(snapshot, 1, 0, &pcp));
	assert_int_equal(pcp.high_min, 817);
	assert_int_equal(pcp.high_max, 817);
	assert_ok(iommusim_snapshot_pcp(snapshot, 1, 1, &pcp));
	assert_int_equal(pcp.cpu, 1);
	assert_int_equal(pcp.count, 5);
	assert_int_equal(pcp.high, 900);
	assert_int_equal(pcp.batch, 27);
	assert_int_equal(pcp.high_min, 800);
	assert_int_equal(pcp.high_max, 14158);
	assert_err(iommusim_snapshot_pcp(snapshot, 1, 2, &pcp), IOMMUSIM_EINVAL);
	assert_err(iommusim_snapshot_zone(snapshot, 2, &zone), IOMMUSIM_EINVAL);
	iommusim_snapshot_destroy(snapshot);
}

static const char one_buddy[] = "Node 0, zone   Normal      1      0      0" ZEROS8 "\n";

#define ZONE(sizes, protection)                                                            \
	"Node 0, zone   Normal\n  pages free 1\n min 3\n low 4\n high 5\n promo 6\n" sizes \
	" protection: " protection "\n start_pfn: 4096\n"
#define SIZES "spanned 1024\n present 1000\n managed 900\n"

/* Names behind the numbers are found where only some zones are named. */
static void the_zones_of_protection_are_the_usual_ones(void **state)
{
	struct texts texts = { .buddy = one_buddy, .zones = ZONE(SIZES, "(1, 2, 3, 4)") };
	struct iommusim_phys *phys = create_from(texts, NULL);
	struct iommusim_zone_numbers n;

	assert_ok(iommusim_phys_numbers(phys, 0, &n)); /* DMA32, Normal, Movable, Device */
	assert_int_equal(n.lowmem_reserve[IOMMUSIM_ZONE_DMA], 0);
	assert_int_equal(n.lowmem_reserve[IOMMUSIM_ZONE_DMA32], 1);
	assert_int_equal(n.lowmem_reserve[IOMMUSIM_ZONE_NORMAL], 2);
	assert_int_equal(n.lowmem_reserve[IOMMUSIM_ZONE_MOVABLE], 3);
	assert_int_equal(n.lowmem_reserve[IOMMUSIM_ZONE_DEVICE], 4);
	iommusim_phys_destroy(phys);
}

#define NODE(node, zone, start)                                                                   \
	"Node " #node ", zone " #zone "\n  per-node stats\n nr_dirty 5\n pages free 1\n min 3\n " \
	"low 4\n high 5\n" SIZES "protection: (0, 0, 32, 32)\n pagesets\n cpu: 0\n count: " #node \
	"\n high: 9\n batch: 1\n vm stats threshold: 6\n start_pfn: " #start "\n"

static void every_node_has_its_zones(void **state)
{
	static const char buddy[] = "Node 0, zone   Normal      1      0      0" ZEROS8 "\n"
				    "Node 1, zone   Normal      0      1      0" ZEROS8 "\n"
				    "Node 1, zone  Movable      0      0      1" ZEROS8 "\n";
	struct texts texts = { .buddy = buddy,
		               .zones = NODE(0, Normal, 1048576) NODE(1, Normal, 2097152)
		                       NODE(1, Movable, 2098176) };
	struct iommusim_phys *phys = create_from(texts, NULL);
	struct iommusim_zone_info info;
	struct iommusim_zone_numbers n;

	assert_buddyinfo(phys, buddy);
	assert_ok(iommusim_phys_zone(phys, 2, &info));
	assert_int_equal(info.node, 1);
	assert_int_equal(info.start_pfn, 2098176);
	assert_ok(iommusim_phys_numbers(phys, 2, &n));
	assert_int_equal(n.lowmem_reserve[IOMMUSIM_ZONE_MOVABLE], 32);
	iommusim_phys_destroy(phys);
}

/* ---- Any state of any span comes out again ---- */

/* With a hole of @hole frames behind the memory. */
static void write_zoneinfo(const struct iommusim_phys *phys, uint64_t hole, char *text,
                           size_t bytes)
{
	struct iommusim_zone_info info;

	assert_ok(iommusim_phys_zone(phys, 0, &info));
	snprintf(text, bytes,
	         "Node 0, zone Normal\n pages free 0\n min 0\n low 0\n high 0\n spanned %llu\n "
	         "present %llu\n managed %llu\n protection: (0, 0, 0, 0)\n start_pfn: %llu\n",
	         (unsigned long long)(info.nr_frames + hole), (unsigned long long)info.nr_frames,
	         (unsigned long long)info.nr_frames, (unsigned long long)info.start_pfn);
}

/* Pageblocks of one type, of two, of three: types that merge with each other. */
static void mix_types(struct iommusim_phys *phys, struct isim_rng *rng)
{
	static const unsigned types[] = { IOMMUSIM_MOVABLE, IOMMUSIM_UNMOVABLE,
		                          IOMMUSIM_RECLAIMABLE };
	uint64_t nr = isim_rng_range(rng, 1, ARRAY_LEN(types));
	uint64_t size = UINT64_C(1) << iommusim_phys_pageblock_order(phys);
	struct iommusim_zone_info info;
	iommusim_pfn end;

	assert_ok(iommusim_phys_zone(phys, 0, &info));
	end = info.start_pfn + info.nr_frames;
	for (iommusim_pfn pfn = info.start_pfn; pfn < end; pfn = (pfn | (size - 1)) + 1)
		assert_ok(iommusim_phys_set_pageblock_type(phys, pfn,
		                                           types[isim_rng_below(rng, nr)]));
}

/* Of frames that are all in use some become free, in runs and alone. */
static void free_some(struct iommusim_phys *phys, struct isim_rng *rng)
{
	struct iommusim_zone_info info;
	uint64_t keep = isim_rng_range(rng, 1, 8);
	iommusim_pfn end;

	assert_ok(iommusim_phys_zone(phys, 0, &info));
	end = info.start_pfn + info.nr_frames;
	for (iommusim_pfn pfn = info.start_pfn; pfn < end; pfn++) {
		if (!isim_rng_below(rng, 200))
			keep = isim_rng_range(rng, 1, 40);
		if (isim_rng_below(rng, keep))
			assert_ok(iommusim_phys_free(phys, pfn, 0));
	}
}

static void try_state(struct isim_rng *rng)
{
	struct iommusim_phys_config config = { .pageblock_order =
		                                       (unsigned)isim_rng_range(rng, 3, 10) };
	struct iommusim_phys *phys =
		given_zone(config, isim_rng_below(rng, 3000), isim_rng_range(rng, 1, 5000));
	char buddy[512], types[4096], zones[512], again[4096];
	struct texts texts = { buddy, types, zones, NULL };
	struct iommusim_phys *copy;
	uint64_t hole;

	take_everything_movable(phys);
	mix_types(phys, rng);
	free_some(phys, rng);
	iommusim_phys_buddyinfo(phys, buddy, sizeof(buddy));
	iommusim_phys_pagetypeinfo(phys, types, sizeof(types));
	hole = isim_rng_below(rng, 2) ? isim_rng_below(rng, 5000) : 0;
	write_zoneinfo(phys, hole, zones, sizeof(zones));
	copy = create_from(texts, NULL);
	assert_buddyinfo(copy, buddy);
	iommusim_phys_pagetypeinfo(copy, again, sizeof(again));
	assert_string_equal(again, types);
	iommusim_phys_destroy(copy);
	iommusim_phys_destroy(phys);
}

static void any_state_of_any_span_comes_out_again(void **state)
{
	struct isim_rng rng = isim_rng_seed(11);

	for (unsigned round = 0; round < 400; round++)
		try_state(&rng);
}

/* ---- Wrong input ---- */

#define HEAD "Node 0, zone   Normal\n  pages free 1\n min 3\n low 4\n high 5\n"

static const struct bad_row {
	const char *name, *zones, *line;
} bad_rows[] = {
	{ "an empty file", "", "zoneinfo: the file is empty" },
	{ "binary", "Node 0, zone\x7f", "zoneinfo:1: byte 12: 0x7f is not text" },
	{ "another file", "MemTotal: 5 kB\n", "zoneinfo:1: line: 'MemTotal:' is not 'Node'" },
	{ "another language", "Knoten 0, Zone DMA\n", "zoneinfo:1: line: 'Knoten' is not 'Node'" },
	{ "a comma behind a zone", "Node 0, zone Normal, type\n",
	  "zoneinfo:1: node 0, zone Normal: 'type' follows a comma" },
	{ "a line before the first zone", "  pages free 1\n",
	  "zoneinfo:1: line: 'pages' is not 'Node'" },
	{ "a file that ends early", HEAD, "zoneinfo:1: node 0, zone Normal: 'managed' is missing" },
	{ "a zone without its start", HEAD SIZES "protection: (0, 0, 0, 0)\n",
	  "zoneinfo:1: node 0, zone Normal: 'start_pfn:' is missing" },
	{ "a zone without protection", HEAD SIZES "start_pfn: 0\n",
	  "zoneinfo:1: node 0, zone Normal: 'protection:' is missing" },
	{ "a negative mark", "Node 0, zone Normal\n min -3\n",
	  "zoneinfo:2: node 0, zone Normal, min: '-3' is not a number of 0 .. 2^52" },
	{ "a number that overflows", "Node 0, zone Normal\n present 99999999999999999999\n",
	  "zoneinfo:2: node 0, zone Normal, present: '99999999999999999999' is not a number of 0 "
	  ".. 2^52" },
	{ "a mark twice", "Node 0, zone Normal\n min 3\n min 3\n",
	  "zoneinfo:3: node 0, zone Normal, min: '3' is there for the second time" },
	{ "words behind a number", "Node 0, zone Normal\n min 3 4\n",
	  "zoneinfo:2: node 0, zone Normal, min: '4' is one word too many" },
	{ "marks that are not ascending",
	  "Node 0, zone Normal\n pages free 1\n min 3\n low 2\n high 5\n" SIZES
	  "protection: (0, 0, 0, 0)\n start_pfn: 0\n",
	  "zoneinfo:4: node 0, zone Normal, low: '2' is below the mark before it" },
	{ "a boost above the mark that contains it",
	  HEAD "boost 4\n" SIZES "protection: (0, 0, 0, 0)\n start_pfn: 0\n",
	  "zoneinfo:6: node 0, zone Normal, boost: '4' is above min, which contains it" },
	{ "more present than spanned",
	  HEAD "spanned 99\n present 100\n managed 9\n protection: (0)\n start_pfn: 0\n",
	  "zoneinfo:7: node 0, zone Normal, present: '100' is more than the zone spans" },
	{ "more managed than present",
	  HEAD "spanned 99\n present 9\n managed 10\n protection: (0)\n start_pfn: 0\n",
	  "zoneinfo:8: node 0, zone Normal, managed: '10' is more than is present" },
	{ "a span that is too long",
	  HEAD "spanned 4294967296\n present 9\n managed 9\n protection: (0)\n start_pfn: 0\n",
	  "zoneinfo:6: node 0, zone Normal, spanned: '4294967296' is above 2^32 - 2^14 frames" },
	{ "more free frames than there are",
	  HEAD "spanned 9\n present 0\n managed 0\n protection: (0)\n start_pfn: 0\n",
	  "zoneinfo: node 0, zone Normal is missing" },
	{ "a start that no address reaches",
	  HEAD "spanned 9\n present 9\n managed 9\n protection: (0)\n start_pfn: 140737488355329\n",
	  "zoneinfo:10: node 0, zone Normal, start_pfn: '140737488355329' is above 2^47" },
	{ "more frames than a machine has",
	  HEAD "spanned 4294900000\n present 9\n managed 9\n protection: (0)\n start_pfn: 0\n",
	  "zoneinfo:1: node 0, zone Normal: frames '4294900000' of the zones so far are more than "
	  "a "
	  "machine has" },
	{ "a zone that buddyinfo has not",
	  "Node 0, zone DMA\n  pages free 1\n min 3\n low 4\n high 5\n" SIZES
	  "protection: (0)\n start_pfn: 0\n",
	  "zoneinfo:1: node 0, zone DMA: buddyinfo has no such zone" },
	{ "a zone twice", ZONE(SIZES, "(0, 0, 0, 0)") ZONE(SIZES, "(0, 0, 0, 0)"),
	  "zoneinfo:12: node 0, zone Normal: the zone is there twice" },
	{ "a line of another kind", "Node 0, zone Normal\n free pages: many\n",
	  "zoneinfo:2: node 0, zone Normal, free: 'pages:' is not a number of 0 .. 2^52" },
	{ "a line without a number", "Node 0, zone Normal\n nr_mlock\n",
	  "zoneinfo:2: node 0, zone Normal: 'nr_mlock' is not a name with a number behind it" },
	{ "protection without brackets", ZONE(SIZES, "0, 0"),
	  "zoneinfo:10: protection: '0,' does not start with '('" },
	{ "protection that is cut", ZONE(SIZES, "(0, 0"),
	  "zoneinfo:10: protection: '0' does not end with ',' or ')'" },
	{ "protection that is not a number", ZONE(SIZES, "(0, -1)"),
	  "zoneinfo:10: protection: '-1' is not a number of 0 .. 2^52" },
	{ "more protection than zones", ZONE(SIZES, "(0, 0, 0, 0, 0, 0, 0)"),
	  "zoneinfo:10: protection: '0' is one number too many" },
	{ "protection of one zone only", ZONE(SIZES, "(0)"),
	  "zoneinfo:1: node 0, zone Normal: '1' numbers of protection are not one for each zone" },
};

static void bad_zoneinfo_is_refused_in_one_line(void **state)
{
	const struct bad_row *r = *state;
	struct texts texts = { .buddy = one_buddy, .zones = r->zones };

	assert_refused(texts, r->line);
}

static void more_free_frames_than_present_are_refused(void **state)
{
	struct texts texts = { .buddy = "Node 0, zone Normal 1001 0 0 0 0 0 0 0 0 0 0\n",
		               .zones = ZONE(SIZES, "(0, 0, 0, 0)") };

	assert_refused(texts, "buddyinfo:1: node 0, zone Normal: free frames '1001' are more than "
	                      "the 1000 present (zoneinfo:8)");
}

static void zones_that_overlap_are_refused(void **state)
{
	struct texts texts = {
		.buddy = "Node 0, zone Normal 1 0 0 0 0 0 0 0 0 0 0\n"
			 "Node 1, zone Normal 1 0 0 0 0 0 0 0 0 0 0\n",
		.zones = ZONE(SIZES, "(0, 0, 0, 0)") "Node 1, zone Normal\n pages free 1\n min 3\n "
						     "low 4\n high 5\n" SIZES
						     "protection: (0, 0, 0, 0)\n start_pfn: 5119\n"
	};

	assert_refused(texts, "zoneinfo:12: node 1, zone Normal: start_pfn '5119' and span overlap "
	                      "node 0, zone Normal");
}

/* 501 single pages, none of which adjoin their buddies, need 1002 frames. */
static void blocks_that_do_not_fit_are_refused(void **state)
{
	struct texts texts = { .buddy = "Node 0, zone Normal 513 0 0 0 0 0 0 0 0 0 0\n",
		               .zones = ZONE(SIZES, "(0, 0, 0, 0)") };
	struct iommusim_phys_config config = { .size = sizeof(config) };
	struct iommusim_snapshot *snapshot = NULL;
	struct iommusim_phys *phys = NULL;
	struct log log;

	assert_ok(read_texts(&log, texts, &snapshot));
	assert_err(iommusim_phys_create_snapshot(&config, snapshot, NULL, &phys), IOMMUSIM_EINVAL);
	assert_null(phys);
	assert_string_equal(log.line,
	                    "buddyinfo:1: node 0, zone Normal: free frames '513', in these "
	                    "blocks, do not fit into the 1024 that it spans");
	iommusim_snapshot_destroy(snapshot);
}

int main(void)
{
	struct CMUnitTest tests[10 + ARRAY_LEN(bad_rows)] = {
		cmocka_unit_test(zones_are_where_they_really_are),
		cmocka_unit_test(a_hole_has_no_pageblocks),
		cmocka_unit_test(numbers_are_those_printed_less_the_boost),
		cmocka_unit_test(every_cpu_has_its_list),
		cmocka_unit_test(the_zones_of_protection_are_the_usual_ones),
		cmocka_unit_test(every_node_has_its_zones),
		cmocka_unit_test(any_state_of_any_span_comes_out_again),
		cmocka_unit_test(more_free_frames_than_present_are_refused),
		cmocka_unit_test(zones_that_overlap_are_refused),
		cmocka_unit_test(blocks_that_do_not_fit_are_refused),
	};
	size_t nr = 10;

	for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++)
		tests[nr++] = (struct CMUnitTest)TEST_ROW(bad_zoneinfo_is_refused_in_one_line,
		                                          &bad_rows[i]);
	return RUN_TESTS(tests);
}

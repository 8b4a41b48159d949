/* SPDX-License-Identifier: MIT */
/* iommusim show state: what a machine's memory looks like. */
#if !defined(_WIN32)
#define _POSIX_C_SOURCE 200809L /* isatty(), fileno() */
#endif

#include "commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "iommusim.h"
#include "json.h"
#include "options.h"
#include "picture.h"
#include "say.h"
#include "state.h"
#include "text.h"

#if !defined(_WIN32)
#include <unistd.h>
#endif

#define MAX_CPU_LINES 8 /* more CPUs than that are summed up */

static int help_state(void)
{
	puts("usage: iommusim show state [OPTION]...\n");
	print_wrapped(
		"", 0,
		"Draw a machine's memory, pageblock by pageblock, print its free lists as the "
		"kernel "
		"does, how fragmented they are, and its watermarks where they are known. "
		"Without options it is this host, or a built-in example where /proc/buddyinfo "
		"cannot be read.");
	putchar('\n');
	options_help(USE_STATE);
	return EXIT_FINE;
}

/* Print the text that @format makes of @phys. */
static int print_proc(const struct iommusim_phys *phys, const char *title,
                      size_t (*format)(const struct iommusim_phys *phys, char *text, size_t bytes))
{
	size_t bytes = format(phys, NULL, 0) + 1;
	char *text = malloc(bytes);

	if (!text)
		return say("the host has no memory for the output");
	format(phys, text, bytes);
	printf("\n%s\n%s", title, text);
	free(text);
	return 0;
}

/* An index by order for every zone, in the form of the kernel's own files in debugfs. */
static void print_index(const struct iommusim_phys *phys, const char *title,
                        int (*index)(const struct iommusim_zone_info *info, unsigned order))
{
	struct iommusim_zone_info info;

	printf("\n%s\n", title);
	for (unsigned i = 0; i < iommusim_phys_nr_zones(phys); i++) {
		if (iommusim_phys_zone(phys, i, &info))
			continue;
		printf("Node %u, zone %8s", info.node, iommusim_zone_name(info.zone));
		for (unsigned order = 0; order < iommusim_phys_nr_orders(phys); order++) {
			int value = index(&info, order);
			int size = value < 0 ? -value : value;

			printf(" %s%d.%03d", value < 0 ? "-" : "", size / 1000, size % 1000);
		}
		putchar('\n');
	}
}

/* Colours are for people who look, unless they do not want them (no-color.org). */
static int wants_colour(void)
{
#if defined(_WIN32)
	return 0;
#else
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_color && *no_color)
		return 0;
	return term && strcmp(term, "dumb") != 0 && isatty(fileno(stdout));
#endif
}

static int print_pictures(const struct iommusim_phys *phys)
{
	struct picture *picture = malloc(sizeof(*picture));
	int colour = wants_colour(), status = 0;

	if (!picture)
		return say("the host has no memory for the picture");
	for (unsigned i = 0; !status && i < iommusim_phys_nr_zones(phys); i++) {
		status = picture_draw(phys, i, picture);
		if (!status)
			picture_print(phys, picture, colour);
	}
	free(picture);
	if (!status)
		picture_print_legend(colour);
	return status;
}

/* ---- Watermarks ---- */

static void print_marks(const struct iommusim_phys *phys)
{
	struct iommusim_zone_numbers n;
	struct iommusim_zone_info info;

	printf("\nwatermarks, in pages, to which the boost is "
	       "added\n%-22s%8s%8s%8s%7s%7s%7s%7s%7s\n",
	       "", "present", "managed", "free", "boost", "min", "low", "high", "promo");
	for (unsigned i = 0; i < iommusim_phys_nr_zones(phys); i++) {
		if (iommusim_phys_zone(phys, i, &info) || iommusim_phys_numbers(phys, i, &n))
			continue;
		printf("Node %u, zone %8s %8" PRIu64 "%8" PRIu64 "%8" PRIu64 "%7" PRIu64 "%7" PRIu64
		       "%7" PRIu64 "%7" PRIu64 "%7" PRIu64 "  %s\n",
		       info.node, iommusim_zone_name(info.zone), n.present, n.managed, info.nr_free,
		       n.boost, n.min, n.low, n.high, n.promo, state_level(info.nr_free, &n));
	}
}

static void print_reserve(const struct iommusim_phys *phys)
{
	struct iommusim_zone_numbers n;
	struct iommusim_zone_info info;

	printf("\npages kept from requests whose highest zone is\n%-22s", "");
	for (unsigned zone = 0; zone < IOMMUSIM_NR_ZONES; zone++)
		printf("%9s", iommusim_zone_name(zone));
	putchar('\n');
	for (unsigned i = 0; i < iommusim_phys_nr_zones(phys); i++) {
		if (iommusim_phys_zone(phys, i, &info) || iommusim_phys_numbers(phys, i, &n))
			continue;
		printf("Node %u, zone %8s ", info.node, iommusim_zone_name(info.zone));
		for (unsigned zone = 0; zone < IOMMUSIM_NR_ZONES; zone++)
			printf("%9" PRIu64, n.lowmem_reserve[zone]);
		putchar('\n');
	}
}

static void print_cpus_of(const struct iommusim_snapshot *snapshot, unsigned index)
{
	struct iommusim_snapshot_zone zone;
	struct iommusim_snapshot_pcp pcp;

	if (iommusim_snapshot_zone(snapshot, index, &zone))
		return;
	if (zone.nr_cpus > MAX_CPU_LINES)
		printf("Node %u, zone %8s  %u CPUs %" PRIu64 "\n", zone.node,
		       iommusim_zone_name(zone.zone), zone.nr_cpus, zone.nr_pcp);
	for (unsigned i = 0; zone.nr_cpus <= MAX_CPU_LINES && i < zone.nr_cpus; i++)
		if (!iommusim_snapshot_pcp(snapshot, index, i, &pcp))
			printf("Node %u, zone %8s %6u%8" PRIu64 "%8" PRIu64 "%8" PRIu64 "%10" PRIu64
			       "%10" PRIu64 "\n",
			       zone.node, iommusim_zone_name(zone.zone), pcp.cpu, pcp.count,
			       pcp.batch, pcp.high, pcp.high_min, pcp.high_max);
}

static void print_cpus(const struct iommusim_snapshot *snapshot)
{
	printf("\nper-CPU lists, in pages\n%-22s%6s%8s%8s%8s%10s%10s\n", "", "cpu", "count",
	       "batch", "high", "high_min", "high_max");
	for (unsigned i = 0; i < iommusim_snapshot_nr_zones(snapshot); i++)
		print_cpus_of(snapshot, i);
}

static int print_text(const struct options *options, const struct state *state)
{
	state_print(options, state);
	if (print_pictures(state->phys) ||
	    print_proc(state->phys, "buddyinfo", iommusim_phys_buddyinfo) ||
	    print_proc(state->phys, "pagetypeinfo", iommusim_phys_pagetypeinfo))
		return EXIT_INPUT;
	print_index(state->phys, "share of free memory that is unusable, by order",
	            iommusim_zone_unusable);
	print_index(state->phys,
	            "external fragmentation index by order (-1.000: a request would not fail)",
	            iommusim_zone_extfrag);
	if (state->snapshot && state->notes.has_numbers) {
		print_marks(state->phys);
		print_reserve(state->phys);
	}
	if (state->read[SOURCE_ZONEINFO])
		print_cpus(state->snapshot);
	return EXIT_FINE;
}

/* ---- JSON ---- */

static void put_numbers(struct json_object *object, const struct iommusim_zone_numbers *n)
{
	struct json_object *reserve = json_put_object(object, "lowmem_reserve");

	json_put_number(object, "present", n->present);
	json_put_number(object, "managed", n->managed);
	json_put_number(object, "boost", n->boost);
	json_put_number(object, "min", n->min);
	json_put_number(object, "low", n->low);
	json_put_number(object, "high", n->high);
	json_put_number(object, "promo", n->promo);
	for (unsigned zone = 0; zone < IOMMUSIM_NR_ZONES; zone++)
		json_put_number(reserve, iommusim_zone_name(zone), n->lowmem_reserve[zone]);
}

static void put_index(struct json_object *object, const char *key, const struct state *state,
                      const struct iommusim_zone_info *info,
                      int (*index)(const struct iommusim_zone_info *info, unsigned order))
{
	struct json_object *array = json_put_array(object, key);

	for (unsigned order = 0; order < iommusim_phys_nr_orders(state->phys); order++)
		json_object_array_add(array, json_object_new_int(index(info, order)));
}

static void put_cpus(struct json_object *object, const struct iommusim_snapshot *snapshot,
                     unsigned index)
{
	struct json_object *array = json_put_array(object, "cpus");
	struct iommusim_snapshot_pcp pcp;

	for (unsigned i = 0; !iommusim_snapshot_pcp(snapshot, index, i, &pcp); i++) {
		struct json_object *cpu = json_append_object(array);

		json_put_number(cpu, "cpu", pcp.cpu);
		json_put_number(cpu, "count", pcp.count);
		json_put_number(cpu, "high", pcp.high);
		json_put_number(cpu, "batch", pcp.batch);
		json_put_number(cpu, "high_min", pcp.high_min);
		json_put_number(cpu, "high_max", pcp.high_max);
	}
}

static void put_picture(struct json_object *object, const struct state *state,
                        const struct picture *picture)
{
	char cells[ARRAY_LEN(picture->cell) + 1];

	for (unsigned i = 0; i < picture->nr; i++)
		cells[i] = picture_char(&picture->cell[i]);
	cells[picture->nr] = 0;
	json_put_number(object, "map_start",
	                picture->start_pfn << iommusim_phys_page_shift(state->phys));
	json_put_number(object, "map_cell_bytes",
	                UINT64_C(1) << (picture->cell_lg2 + iommusim_phys_page_shift(state->phys)));
	json_put_text(object, "map", cells);
}

static void put_zone(struct json_object *object, const struct state *state, unsigned index,
                     const struct picture *picture)
{
	const struct iommusim_zone_info *info = &picture->info;
	struct json_object *blocks = json_put_object(object, "pageblocks");
	struct iommusim_zone_numbers numbers;

	json_put_number(object, "node", info->node);
	json_put_text(object, "zone", iommusim_zone_name(info->zone));
	json_put_number(object, "start_pfn", info->start_pfn);
	json_put_number(object, "spanned", info->nr_frames);
	json_put_number(object, "free", info->nr_free);
	for (unsigned type = 0; type < IOMMUSIM_NR_MIGRATETYPES; type++)
		json_put_number(blocks, iommusim_migratetype_name(type), info->nr_pageblocks[type]);
	if (!iommusim_phys_numbers(state->phys, index, &numbers))
		put_numbers(object, &numbers);
	put_index(object, "unusable_permille", state, info, iommusim_zone_unusable);
	put_index(object, "extfrag_permille", state, info, iommusim_zone_extfrag);
	if (state->read[SOURCE_ZONEINFO])
		put_cpus(object, state->snapshot, index);
	put_picture(object, state, picture);
}

static int print_as_json(const struct options *options, const struct state *state)
{
	struct json_object *root = json_object_new_object(), *zones;
	struct picture *picture = malloc(sizeof(*picture));
	int status = picture ? 0 : say("the host has no memory for the picture");

	json_put_text(root, "program", "iommusim " IOMMUSIM_VERSION);
	json_put_state(root, options, state);
	json_put_text(root, "kernel", kernel_name(options->kernel));
	json_put_number(root, "page_size", UINT64_C(1) << options->page_shift);
	zones = json_put_array(root, "zones");
	for (unsigned i = 0; !status && i < iommusim_phys_nr_zones(state->phys); i++) {
		status = picture_draw(state->phys, i, picture);
		if (!status)
			put_zone(json_append_object(zones), state, i, picture);
	}
	free(picture);
	if (!status)
		return json_print(root);
	json_object_put(root);
	return status;
}

int show_state(int argc, char **argv)
{
	struct options options;
	struct state state;
	int status = options_parse(&options, USE_STATE, argc, argv);

	if (status)
		return status;
	if (options.wants_help)
		return help_state();
	if (options.format == FORMAT_CSV)
		return say("--format: show state has no csv, only table and json");
	status = state_build(&options, &state);
	if (!status)
		status = options.format == FORMAT_JSON ? print_as_json(&options, &state)
		                                       : print_text(&options, &state);
	state_finish(&state);
	return status;
}

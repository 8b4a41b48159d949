/* SPDX-License-Identifier: MIT */
/*
 * What the texts of a machine say: counts of free blocks and numbers of zones, as read by
 * buddyinfo.c, pagetypeinfo.c, zoneinfo.c and splat.c, and laid out by span.c and layout.c.
 */
#ifndef ISIM_PHYS_SNAPSHOT_H
#define ISIM_PHYS_SNAPSHOT_H

#include "phys/text.h"
#include "phys/zone.h"

/* More would take gigabytes of the host's memory, and minutes. */
#define ISIM_MAX_SPREAD (UINT64_C(1) << 27)

#define ISIM_MAX_FRAMES (UINT32_MAX - (UINT32_C(1) << 20))

struct isim_snapshot_zone {
	unsigned node, zone;
	unsigned line;                                                   /* where the counts are */
	unsigned types;                                                  /* rows, one bit each */
	unsigned has_blocks;                                             /* 1: numbers of blocks */
	uint64_t nr[IOMMUSIM_MAX_ORDERS];                                /* free blocks */
	uint64_t by_type[IOMMUSIM_MAX_ORDERS][IOMMUSIM_NR_MIGRATETYPES]; /* the same, divided */
	unsigned capped[IOMMUSIM_MAX_ORDERS]; /* bit n: printed as "more than" for type n */
	uint64_t nr_pageblocks[IOMMUSIM_NR_MIGRATETYPES];
	struct iommusim_snapshot_zone told;  /* by zoneinfo or a report */
	unsigned numbers_line;               /* where they are */
	uint64_t reserve[IOMMUSIM_NR_ZONES]; /* by the zones that the kernel was configured with */
	unsigned nr_reserve;
	size_t first_cpu; /* in the snapshot's array, told.nr_cpus of them */
};

struct iommusim_snapshot {
	struct iommusim_host host;
	unsigned nr_zones, nr_orders;
	unsigned pageblock_order;  /* 0: not known */
	unsigned page_shift;       /* 0: not known */
	unsigned configured_zones; /* 0: not known */
	char counts_name[80];      /* of the file with the free blocks */
	struct iommusim_snapshot_notes notes;
	struct iommusim_snapshot_pcp *pcp;
	size_t nr_pcp;
	unsigned has_splat;
	struct iommusim_splat splat;
	struct isim_snapshot_zone zone[ISIM_MAX_ZONES];
};

/* ---- snapshot.c ---- */

/* The zone, or NULL. */
struct isim_snapshot_zone *isim_snapshot_find(struct iommusim_snapshot *snap, unsigned node,
                                              unsigned zone);

/* A zone that is new, at the reader's line. NULL after a worded error: twice, or too many. */
struct isim_snapshot_zone *isim_snapshot_add(struct isim_reader *r, struct iommusim_snapshot *snap,
                                             const struct isim_zone_name *name);

/* What the zones read so far have, all together. */
struct isim_totals {
	uint64_t frames; /* free */
	uint64_t spread; /* frames of the regions that hold a free block below the largest order */
};

/* Add those of @zone, just read. 0 or a worded error: more than can be laid out. */
int isim_snapshot_count(const struct isim_reader *r, const struct iommusim_snapshot *snap,
                        const struct isim_snapshot_zone *zone, struct isim_totals *total);

uint64_t isim_snapshot_free(const struct isim_snapshot_zone *zone); /* frames */

/* ---- buddyinfo.c ---- */

/* Counts in the rest of the line, an order each, as many as the first line had. A '>' before one
 * sets its bit in *capped. 0 or a worded error. */
int isim_buddyinfo_counts(struct isim_reader *r, unsigned *nr_orders, const char *zone,
                          uint64_t *counts, unsigned *capped);
int isim_buddyinfo_read(struct iommusim_snapshot *snap, const struct iommusim_text *text);

/* ---- numbers.c ---- */

enum isim_number {
	ISIM_FREE_FRAMES,
	ISIM_BOOST,
	ISIM_MIN,
	ISIM_LOW,
	ISIM_HIGH,
	ISIM_PROMO,
	ISIM_SPANNED,
	ISIM_PRESENT,
	ISIM_MANAGED,
	ISIM_CMA_FRAMES,
	ISIM_START,
	ISIM_RESERVED_HIGHATOMIC,
	ISIM_FREE_PCP,
	ISIM_NR_NUMBERS
};

/* What was read of a zone, in frames, and where. */
struct isim_numbers {
	struct isim_field field;
	unsigned line[ISIM_NR_NUMBERS]; /* 0: not there */
	uint64_t value[ISIM_NR_NUMBERS];
};

const char *isim_numbers_name(enum isim_number number);

/* Take the boost out of the marks, which are printed with it, fill in promo where the kernel does
 * not print it, and check all, together with the zone's counts. 0 or a worded error. */
int isim_numbers_settle(const struct isim_reader *r, const struct iommusim_snapshot *snap,
                        struct isim_numbers *n, const struct isim_snapshot_zone *zone);
void isim_numbers_keep(const struct isim_numbers *n, struct isim_snapshot_zone *zone);

/* Whether all zones together fit into a machine: 0 or a worded error. */
int isim_numbers_total(const struct isim_reader *r, const struct iommusim_snapshot *snap);

/* lowmem_reserve of all zones from what was printed, where the zones @seen are named. 0 or a worded
 * error. */
int isim_snapshot_reserve(const struct isim_reader *r, struct iommusim_snapshot *snap,
                          unsigned seen);

/* ---- zoneinfo.c, splat.c ---- */

int isim_zoneinfo_read(struct iommusim_snapshot *snap, const struct iommusim_text *text);
int isim_splat_read(struct iommusim_snapshot *snap, const struct iommusim_text *text);

/* ---- splat_request.c ---- */

extern const char isim_splat_header[]; /* what the line of the request has */

/* What follows it: order and mode. 0 or a worded error. */
int isim_splat_read_header(struct isim_reader *r, struct isim_word rest,
                           struct iommusim_splat *splat);

/* What follows "Comm:". */
void isim_splat_read_task(struct isim_reader *r, struct isim_word rest,
                          struct iommusim_splat *splat);

/* The mode as bits, once the kernel is known. */
void isim_splat_settle_gfp(struct iommusim_splat *splat);

/* ---- span.c ---- */

#define ISIM_NO_TYPE IOMMUSIM_NR_MIGRATETYPES

/* Where a zone lies, and its memory in it. */
struct isim_span {
	uint64_t start_pfn, end_pfn;
	uint64_t limit; /* behind the memory; from there to the end is a hole */
	/* What is smaller than a pageblock: how many pageblocks hold each type's blocks, and whose
	   are in the pageblocks that the start and the limit cut. */
	uint64_t pageblocks[IOMMUSIM_NR_MIGRATETYPES];
	unsigned edge_type[2];
};

/*
 * Choose a span for @zone that does not start before @after, unless it is known where it lies. 0,
 * or -EINVAL: its free blocks do not fit there. @shape has the two orders.
 */
int isim_span_choose(const struct isim_snapshot_zone *zone, const struct isim_zone *shape,
                     unsigned page_shift, uint64_t after, struct isim_span *span);

/* ---- pagetypeinfo.c, types.c ---- */

int isim_pagetypeinfo_read(struct iommusim_snapshot *snap, const struct iommusim_text *text);

/*
 * Make the counts by type add up to buddyinfo's, or word what pagetypeinfo, the file @name, lacks:
 * -EINVAL. @types has a bit for each type that it must have.
 */
int isim_snapshot_divide(struct iommusim_snapshot *snap, const char *name, unsigned types);

/* Without pagetypeinfo: every free block is Movable. */
void isim_snapshot_all_movable(struct iommusim_snapshot *snap);

#endif

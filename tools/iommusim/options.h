/* SPDX-License-Identifier: MIT */
/* What the command line asks for, checked and with the defaults filled in. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "iommusim.h"

#define MAX_IOMMUS   8
#define MAX_POLICIES 64
#define MAX_ATTRS    3
#define MAX_SIZES    64
#define MAX_BUFFERS  UINT64_C(65536)
#define MAX_GRANULE  (UINT64_C(1) << 32) /* bytes; domains with a larger one are not simulated */

/* The commands that an option belongs to, one bit each. */
#define USE_COMPARE 1u
#define USE_STATE   2u
#define USE_PGTABLE 4u

enum state_kind {
	STATE_HOST, /* /proc of this host, or the built-in text */
	STATE_FILE,
	STATE_SPLAT,
	STATE_FRESH,
	STATE_PIN,
	STATE_RANDOM,
	STATE_AGE
};

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };

/* @count buffers of @bytes each. */
struct buffers {
	uint64_t count, bytes;
};

struct options {
	uint64_t memory;       /* bytes */
	uint64_t memory_start; /* where a made-up zone starts; 0: at 4 GiB */
	uint64_t cma;          /* bytes of its end that are an area for contiguous ranges */
	const char *buddyinfo, *pagetypeinfo, *zoneinfo, *splat;
	enum state_kind state;
	const char *state_text; /* as given, NULL: not given */
	uint64_t pin_order, pin_stride;
	struct iommusim_random_state random;
	struct iommusim_age age;
	unsigned page_shift;
	unsigned kernel;
	unsigned has_page_shift, has_kernel; /* 1: given, not the default */
	uint64_t seed;

	struct buffers sizes[MAX_SIZES];
	unsigned nr_sizes;
	unsigned has_sizes;                /* 1: given */
	uint64_t nr_buffers, buffer_bytes; /* all together */
	uint32_t gfp;                      /* of every buffer */
	/* By its page sizes, or (@iommus not NULL) by the id of its row, which is in @rows once all
	   is read; its page sizes are settled when the CPU page is known. */
	uint64_t pgsizes[MAX_IOMMUS];
	const char *iommus[MAX_IOMMUS];
	const struct iommusim_catalog_driver *rows[MAX_IOMMUS];
	const char *driver_file;
	unsigned contiguous; /* 1: Arm's tables have the contiguous hint */
	unsigned nr_iommus;
	unsigned seen_pgsizes; /* 1: given */
	const struct iommusim_policy *policies[MAX_POLICIES];
	unsigned is_named[MAX_POLICIES]; /* 1: by name, not as one of all */
	unsigned nr_policies;
	uint32_t attrs[MAX_ATTRS];
	unsigned nr_attrs;
	enum iommusim_domain_mode mode;
	unsigned has_mode; /* 1: given */
	enum format format;
	const struct iommusim_pgtable_format *pgtable; /* NULL: none */
	unsigned has_pgtable;                          /* 1: given */
	uint64_t iova;                                 /* to walk to */
	unsigned has_iova;                             /* 1: given */

	unsigned wants_help;
	unsigned seen; /* one bit per row of the option table */
};

/*
 * Read the arguments behind @argv[0], which names the command in messages; @command is its USE_
 * bit. Stops at --help. Returns 0 or, after a message, EXIT_INPUT.
 */
int options_parse(struct options *options, unsigned command, int argc, char **argv);

/*
 * A report tells page size, kernel and request, where the command line does not. Returns 0 or,
 * after a message, EXIT_INPUT: a page size that is not the report's.
 */
int options_adopt(struct options *options, const struct iommusim_splat *splat);

/* Whether the policies look at the attributes. 0 or, after a message, EXIT_INPUT. */
int options_check_attrs(const struct options *options);

/* Print a line or more for each option of @command. */
void options_help(unsigned command);

/* What the command line calls it. */
const char *attrs_name(uint32_t attrs);
const char *mode_name(enum iommusim_domain_mode mode);
const char *kernel_name(unsigned kernel);

#endif

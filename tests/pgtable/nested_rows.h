/* SPDX-License-Identifier: MIT */
/*
 * Walks of two stages, each ending elsewhere. Stage 1 is Arm's, three levels: its tables are at
 * 0x80000000, 0x80001000 and 0x80002000, where stage 2 has a page of 4K for each, and the page at
 * iova 0x12345000 leads to 0x90000000. The words on the way are number 0, 145 (0x91) and 325
 * (0x145) of their tables.
 */
#ifndef NESTED_ROWS_H
#define NESTED_ROWS_H

#include "pgtable_test.h"

#define R  IOMMUSIM_PROT_READ
#define W  IOMMUSIM_PROT_WRITE
#define RW (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)
#define NX IOMMUSIM_PROT_NOEXEC

#define IOVA   UINT64_C(0x12345678)
#define TABLES UINT64_C(0x80000000)
#define WORD_2 UINT64_C(0x80000000)
#define WORD_1 UINT64_C(0x80001488)
#define WORD_0 UINT64_C(0x80002a28)
#define DATA   UINT64_C(0x90000000)
#define BEYOND (UINT64_C(1) << 40) /* the 39 bits of stage 2 */

#define TABLES_PA UINT64_C(0x100000000)
#define DATA_PA   UINT64_C(0x200000000)

#define ALL_RW             \
	{                  \
		RW, RW, RW \
	}

static const struct row {
	const char *name;
	uint64_t tables, data;   /* default: TABLES, DATA */
	unsigned tables_prot[3]; /* stage 2 at TABLES and on; no READ, no WRITE: a hole */
	unsigned prot_1, prot_2; /* of the page in both stages */
	uint64_t old_1, old_2;   /* whose access flag is clear: an iova, an ipa */
	uint64_t iova;
	unsigned access;
	/* Out. */
	unsigned stage, is_table;
	enum iommusim_fault_cause cause;
	uint64_t ipa;
	unsigned nr_words, nr_words_1;
} rows[] = {
	{ .name = "all is well: three times three words and one, and three",
	  .tables_prot = ALL_RW,
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_READ | IOMMUSIM_ACCESS_WRITE,
	  .ipa = DATA + 0x678,
	  .nr_words = 15,
	  .nr_words_1 = 3 },
	{ .name = "tables that may only be read are enough",
	  .tables_prot = { R, R | NX, R },
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_WRITE | IOMMUSIM_ACCESS_EXECUTE,
	  .ipa = DATA + 0x678,
	  .nr_words = 15,
	  .nr_words_1 = 3 },
	{ .name = "the first table has no page",
	  .tables_prot = { 0, RW, RW },
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_READ,
	  .stage = 2,
	  .is_table = 1,
	  .cause = IOMMUSIM_FAULT_NOT_PRESENT,
	  .ipa = WORD_2,
	  .nr_words = 3 },
	{ .name = "the second table may not be read",
	  .tables_prot = { RW, W, RW },
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_WRITE,
	  .stage = 2,
	  .is_table = 1,
	  .cause = IOMMUSIM_FAULT_PERMISSION,
	  .ipa = WORD_1,
	  .nr_words = 7,
	  .nr_words_1 = 1 },
	{ .name = "the last table has no page",
	  .tables_prot = { RW, RW, 0 },
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_READ,
	  .stage = 2,
	  .is_table = 1,
	  .cause = IOMMUSIM_FAULT_NOT_PRESENT,
	  .ipa = WORD_0,
	  .nr_words = 11,
	  .nr_words_1 = 2 },
	{ .name = "the page of the last table was never accessed",
	  .tables_prot = ALL_RW,
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .old_2 = WORD_0,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_READ,
	  .stage = 2,
	  .is_table = 1,
	  .cause = IOMMUSIM_FAULT_ACCESS_FLAG,
	  .ipa = WORD_0,
	  .nr_words = 11,
	  .nr_words_1 = 2 },
	{ .name = "the tables are beyond stage 2",
	  .tables = BEYOND,
	  .tables_prot = ALL_RW,
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_READ,
	  .stage = 2,
	  .is_table = 1,
	  .cause = IOMMUSIM_FAULT_ADDRESS_SIZE,
	  .ipa = BEYOND },
	{ .name = "stage 1 has no page",
	  .tables_prot = ALL_RW,
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .iova = IOVA + SZ_4K,
	  .access = IOMMUSIM_ACCESS_READ,
	  .stage = 1,
	  .is_table = 1,
	  .cause = IOMMUSIM_FAULT_NOT_PRESENT,
	  .ipa = WORD_0 + 8,
	  .nr_words = 12,
	  .nr_words_1 = 3 },
	{ .name = "stage 1 has no table",
	  .tables_prot = { R, R, 0 },
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .iova = IOVA + SZ_2M,
	  .access = IOMMUSIM_ACCESS_READ,
	  .stage = 1,
	  .is_table = 1,
	  .cause = IOMMUSIM_FAULT_NOT_PRESENT,
	  .ipa = WORD_1 + 8,
	  .nr_words = 8,
	  .nr_words_1 = 2 },
	{ .name = "stage 1 forbids the write, and stage 2 is not asked",
	  .tables_prot = ALL_RW,
	  .prot_1 = R,
	  .prot_2 = 0,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_WRITE,
	  .stage = 1,
	  .is_table = 1,
	  .cause = IOMMUSIM_FAULT_PERMISSION,
	  .ipa = WORD_0,
	  .nr_words = 12,
	  .nr_words_1 = 3 },
	{ .name = "the page of stage 1 was never accessed",
	  .tables_prot = ALL_RW,
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .old_1 = IOVA,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_READ,
	  .stage = 1,
	  .is_table = 1,
	  .cause = IOMMUSIM_FAULT_ACCESS_FLAG,
	  .ipa = WORD_0,
	  .nr_words = 12,
	  .nr_words_1 = 3 },
	{ .name = "the address is beyond stage 1: nothing is read",
	  .tables_prot = ALL_RW,
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .iova = IOVA | UINT64_C(1) << 39,
	  .access = IOMMUSIM_ACCESS_READ,
	  .stage = 1,
	  .is_table = 1,
	  .cause = IOMMUSIM_FAULT_ADDRESS_SIZE },
	{ .name = "stage 2 has no page",
	  .tables_prot = ALL_RW,
	  .prot_1 = RW,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_READ,
	  .stage = 2,
	  .cause = IOMMUSIM_FAULT_NOT_PRESENT,
	  .ipa = DATA + 0x678,
	  .nr_words = 14, /* of stage 2 there is no table for it */
	  .nr_words_1 = 3 },
	{ .name = "stage 2 forbids the write",
	  .tables_prot = ALL_RW,
	  .prot_1 = RW,
	  .prot_2 = R,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_WRITE,
	  .stage = 2,
	  .cause = IOMMUSIM_FAULT_PERMISSION,
	  .ipa = DATA + 0x678,
	  .nr_words = 15,
	  .nr_words_1 = 3 },
	{ .name = "stage 2 forbids to execute",
	  .tables_prot = ALL_RW,
	  .prot_1 = RW,
	  .prot_2 = RW | NX,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_EXECUTE,
	  .stage = 2,
	  .cause = IOMMUSIM_FAULT_PERMISSION,
	  .ipa = DATA + 0x678,
	  .nr_words = 15,
	  .nr_words_1 = 3 },
	{ .name = "the page of stage 2 was never accessed",
	  .tables_prot = ALL_RW,
	  .prot_1 = RW,
	  .prot_2 = RW,
	  .old_2 = DATA,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_READ,
	  .stage = 2,
	  .cause = IOMMUSIM_FAULT_ACCESS_FLAG,
	  .ipa = DATA + 0x678,
	  .nr_words = 15,
	  .nr_words_1 = 3 },
	{ .name = "stage 1 leads beyond stage 2",
	  .data = BEYOND,
	  .tables_prot = ALL_RW,
	  .prot_1 = RW,
	  .iova = IOVA,
	  .access = IOMMUSIM_ACCESS_READ,
	  .stage = 2,
	  .cause = IOMMUSIM_FAULT_ADDRESS_SIZE,
	  .ipa = BEYOND + 0x678,
	  .nr_words = 12,
	  .nr_words_1 = 3 },
};

#endif

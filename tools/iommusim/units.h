/* SPDX-License-Identifier: MIT */
/* Sizes, shares and page-size sets: read from the command line, and written as people read them. */
#ifndef UNITS_H
#define UNITS_H

#include <stddef.h>
#include <stdint.h>

/* Part of an argument. */
struct slice {
	const char *start;
	size_t len;
};

struct slice slice_of(const char *text);
int slice_is(struct slice slice, const char *text);

/* Cut @rest at the first @separator: what precedes it is returned, what follows it left. */
struct slice slice_cut(struct slice *rest, char separator);

/* Readers return NULL, or what is wrong with the text, to follow it in a message. */
const char *read_number(struct slice text, uint64_t *number);   /* decimal digits */
const char *read_address(struct slice text, uint64_t *address); /* 0x… or decimal digits */
const char *read_size(struct slice text, uint64_t *bytes);      /* 4096, 64K, 4M; not 0 */
const char *read_permille(struct slice text, unsigned *share);  /* 30%, 12.5, 0 .. 100 */

/* 4K,2M,1G or 4K-256G. Where it is wrong, @text gets the part that is. */
const char *read_pgsizes(struct slice *text, uint64_t *pgsizes);

/* Small texts by value: they live until the end of the full expression. */
struct size_text {
	char s[24];
};

struct size_text size_exact(uint64_t bytes); /* "64K", "1028K": the largest unit without rest */
struct size_text size_about(uint64_t bytes); /* "4.2G" */

/* "4K,2M,1G"; three and more powers of two in a row are "4K-1G". */
struct pgsizes_text {
	char s[256];
};

/* @separator stands between sizes. */
struct pgsizes_text pgsizes_text(uint64_t pgsizes, char separator);

/* The smallest page size of a set. */
uint64_t granule_of(uint64_t pgsizes);

/* Log2 of a power of two. */
unsigned log2_of(uint64_t power);

#endif

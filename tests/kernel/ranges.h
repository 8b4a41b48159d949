/* SPDX-License-Identifier: MIT */
/* What the code of ranges.c does with a contiguous range, and what is found then. */
#ifndef RANGES_H
#define RANGES_H

/* name, how it ends, finding, part of its text */
#define RANGE_KINDS(X)                                                                          \
	X(KEPT, OK, 0, "")                                                                      \
	X(RELEASED, ENOMEM, 0, "")                                                              \
	X(TOO_LARGE, ENOMEM, 0, "")                                                             \
	X(OF_NOTHING, ENOMEM, 0, "")                                                            \
	X(SPLIT_AS_A_PAGE, OK, 0, "")                                                           \
	X(PAGE_THAT_IS_OF_NO_AREA, OK, 0, "")                                                   \
	X(AFTER_ANOTHER_ONE, OK, 0, "")                                                         \
	X(LEAKED, ENOMEM, LEAK,                                                                 \
	  "has not given back 8 pages, first page 0 of a contiguous range of 8")                \
	X(FREED_PAGE_BY_PAGE, ENOMEM, BAD_FREE,                                                 \
	  "frees page 7 of a contiguous range of 8 as order 0: a contiguous range goes back "   \
	  "whole")                                                                              \
	X(FREED_AS_A_BLOCK, ENOMEM, BAD_FREE, "as order 3: a contiguous range goes back whole") \
	X(RELEASED_IN_PART, ENOMEM, BAD_FREE,                                                   \
	  "releases 4 pages at page 0 of a contiguous range of 8: a range goes back whole")     \
	X(RELEASED_FROM_THE_SECOND_ON, ENOMEM, BAD_FREE,                                        \
	  "releases 8 pages at page 1 of a contiguous range of 8: a range goes back whole")     \
	X(RELEASED_TWICE, ENOMEM, BAD_FREE,                                                     \
	  "releases 8 pages at page 0 of a contiguous range of 8: given back already")          \
	X(SPLIT_AS_A_BLOCK, OK, BAD_SPLIT, "as order 3: it is no block")                        \
	X(RELEASED_AND_RETURNED, EBUG, STALE_BLOCK, "it was given back")                        \
	X(RETURNED_BACKWARDS, EBUG, BAD_PAGE, "a contiguous range that is not the buffer")      \
	X(RETURNED_IN_PART, EBUG, BAD_PAGE, "a contiguous range that is not the buffer")        \
	X(RETURNED_BEHIND_A_PAGE, EBUG, BAD_PAGE, "a contiguous range that is not the buffer")  \
	X(ASKED_FOR_WITHOUT_END, EBUG, ENDLESS, "without end")

#define RANGE_KIND(name, result, finding, text) RANGE_##name,
enum { RANGE_KINDS(RANGE_KIND) NR_RANGE_KINDS };

extern int range_kind;

#endif

/* SPDX-License-Identifier: MIT */
/* What can be wrong with the loop of wrong.c, and what is found then. */
#ifndef WRONG_H
#define WRONG_H

/* name, finding, part of its text */
#define WRONGS(X)                                                                             \
	X(NOTHING, 0, "")                                                                     \
	X(PAGE_LOST, LEAK, "has not given back 1 page, first page 0 of the block of order 0") \
	X(PAGES_FREED_TWICE, BAD_FREE, "freed already")                                       \
	X(ARRAY_LOST, LEAK, "has not freed 64 bytes")                                         \
	X(ARRAY_FREED_TWICE, BAD_FREE, "twice")                                               \
	X(ARRAY_USED_AFTER_FREE, MEMORY, "touches an array of 64 bytes that it freed")        \
	X(ARRAY_READ_AFTER_FREE, MEMORY, "touches an array of 64 bytes that it freed")        \
	X(FREED_ARRAY_RETURNED, MEMORY, "touches an array of 64 bytes that it freed")         \
	X(ENTRY_BEFORE_ARRAY_FREED, BAD_FREE,                                                 \
	  "frees a pointer that it read before its array as order 0: no page of its own")     \
	X(FRESH_ENTRY_FREED, BAD_FREE,                                                        \
	  "frees a pointer that it read from memory that it never wrote as order 0: no page") \
	X(FREED_BEFORE_SPLIT, BAD_FREE, "not split")                                          \
	X(FREED_AS_ANOTHER_ORDER, BAD_FREE, "order")                                          \
	X(TAIL_FREED, BAD_FREE, "inside a block that is not split")                           \
	X(SPLIT_AS_ANOTHER_ORDER, BAD_SPLIT, "of another order")                              \
	X(NOT_SPLIT, BAD_PAGE, "not split")                                                   \
	X(SPLIT_TWICE, BAD_SPLIT, "no block")                                                 \
	X(FREED_AND_RETURNED, STALE_BLOCK, "it was given back")                               \
	X(LOOKS_INTO_A_PAGE, MEMORY, "contents")                                              \
	X(WRITES_BEFORE_ARRAY, MEMORY, "has written before an array of 64 bytes")             \
	X(WRITES_FAR_BEFORE_ARRAY, MEMORY, "has written before an array of 64 bytes")         \
	X(READS_BEFORE_ARRAY, MEMORY, "touches memory before an array of 48 bytes")           \
	X(READS_BEHIND_ARRAY, MEMORY, "touches memory behind an array of 64 bytes")           \
	X(WRITES_TO_NO_BYTES, MEMORY, "touches an array of 0 bytes (offset 8)")               \
	X(WRITES_BEHIND_ARRAY, MEMORY, "behind an array of")                                  \
	X(SAME_PAGE_TWICE, BAD_PAGE, "it is there already")                                   \
	X(HOLE, BAD_PAGE, "it is NULL")                                                       \
	X(WILD_PAGE, BAD_PAGE, "no page of its own")                                          \
	X(FOREIGN_PAGE, BAD_PAGE, "no page of its own")                                       \
	X(NULL_POINTER, MEMORY, "before any attempt it uses a pointer that is NULL")          \
	X(RECURSES, MEMORY, "before any attempt it uses up the stack")                        \
	X(FREED_PAGE_FOLLOWED, MEMORY, "the list entry of a page that it gave back")          \
	X(DIVIDES_BY_ZERO, MEMORY, "divides by 0")                                            \
	X(SPINS, ENDLESS, "too long")                                                         \
	X(BUGS, BUG, "BUG_ON(count > 0)")                                                     \
	X(WARNS, WARN, "WARN_ON(count > 0)")                                                  \
	X(SHORT_ARRAY, MEMORY, "behind an array of 32 bytes")                                 \
	X(NEVER_GIVES_UP, ENDLESS, "without end")                                             \
	X(EXTRA_BLOCK, LEAK, "has not given back 1 page, first")

#define WRONG_KIND(name, finding, text) WRONG_##name,
enum { WRONGS(WRONG_KIND) NR_WRONGS };

extern int wrong_kind;

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Lines for people: at most 100 columns, or 80 where no table is wider, with what does not fit on
 * indented lines below.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>
#include "say.h"

/* The column that follows a label at the head of the output. */
#define LABEL_WIDTH 11

/* A line being put together; what is too long is cut. */
struct line {
	char s[2048];
	size_t len;
};

void line_add(struct line *line, const char *fmt, ...) SAY_PRINTF(2, 3);

/* Bytes of the UTF-8 character at @text; 0: it is none. */
size_t utf8_length(const char *text);

/* A field of CSV that may hold commas, quotes and line ends. */
void print_quoted(const char *text);

/* A file's name as it is printed: without control characters and broken UTF-8, not too long. */
struct name_text {
	char s[80];
};

struct name_text name_text(const char *name);

/*
 * Print @text behind @lead, which is padded to @indent columns (or ends with its own blank where it
 * is longer), broken at blanks.
 */
void print_wrapped(const char *lead, size_t indent, const char *text);

/* The same within 80 columns. */
void print_narrow(const char *lead, size_t indent, const char *text);

/* Print @text as one argument of a shell's command line. */
void print_argument(const char *text);

/* "s" where @nr of something are more or less than one. */
const char *plural(uint64_t nr);

/* An error in words: "ENOMEM (no memory)". */
struct error_text {
	char s[64];
};

struct error_text error_text(int err);

#endif

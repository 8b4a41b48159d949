/* SPDX-License-Identifier: MIT */
/* Text of a kernel, read line by line and word by word; errors name the file and the line. */
#ifndef ISIM_PHYS_TEXT_H
#define ISIM_PHYS_TEXT_H

#include "base/host.h"
#include "iommusim/phys/state.h"

/* A stretch of text. */
struct isim_word {
	const char *text;
	size_t length;
};

/* One file being read, and the line that was reached. */
struct isim_reader {
	const struct iommusim_host *host;
	const char *name;
	struct isim_word rest; /* of the file */
	struct isim_word line; /* what is left of the line */
	unsigned nr;           /* number of the line, from 1 */
};

/* A field in a message. */
struct isim_field {
	char s[80];
};

int isim_text_is(struct isim_word w, const char *text);
int isim_text_starts(struct isim_word w, const char *text);

/* The next word of the line; length 0: there is none. */
struct isim_word isim_text_word(struct isim_reader *r);

/* What follows @text in @in; length 0 and NULL: it is not there. */
struct isim_word isim_text_behind(struct isim_word in, const char *text);

/* As much of @from as fits, '?' for what is not ASCII, and a 0. */
void isim_text_copy(char *to, size_t bytes, struct isim_word from);

/* Take @c off the end of a word. 1, or 0: it is not there. */
int isim_text_take_end(struct isim_word *w, char c);

/* Step to the next line; 0: there is none. */
int isim_text_next_line(struct isim_reader *r);

/* -EINVAL, worded "NAME:LINE: FIELD: 'VALUE' WHY". */
int isim_text_bad(const struct isim_reader *r, const char *field, struct isim_word value,
                  const char *why);

/* Nothing more may follow in the line: 0 or a worded error. */
int isim_text_end(struct isim_reader *r, const char *field);

/* A decimal number of at most @max. 1, or 0: it is not one. */
int isim_text_number(struct isim_word w, uint64_t max, uint64_t *value);

/* Start to read. 0, or a worded error: empty, or not text. Bytes above 127 are text only where
 * @any_language is set. */
int isim_text_open(struct isim_reader *r, const struct iommusim_host *host,
                   const struct iommusim_text *text, int any_language);

/* Which name it is: name_of() gives them from 0 on, and ends with NULL. -1: none. */
int isim_text_find(struct isim_word w, const char *(*name_of)(unsigned));

/* "Node N, zone NAME", with a comma behind it or not. 0 or a worded error; @field names both. */
struct isim_zone_name {
	unsigned node, zone;
	int comma;
	struct isim_field field;
};
int isim_text_zone(struct isim_reader *r, struct isim_zone_name *name);
struct isim_field isim_text_zone_field(unsigned node, unsigned zone);

#endif

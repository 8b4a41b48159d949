/* SPDX-License-Identifier: MIT */
/* Whole small files in memory. */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>

struct file {
	char *text; /* not terminated */
	size_t bytes;
};

/* Read the file at @path. NULL, or why it cannot be read (then @file is empty). */
const char *file_read(const char *path, struct file *file);
void file_free(struct file *file);

#endif

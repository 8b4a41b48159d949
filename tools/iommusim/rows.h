/* SPDX-License-Identifier: MIT */
/* Rows of the catalogue: those that are built in, then those of a file of the user's. One with the
   id of a built-in row stands for it. */
#ifndef ROWS_H
#define ROWS_H

#include "iommusim.h"

/* Read the file; it stays until the program ends. 0 or, after a message, EXIT_INPUT. */
int rows_read(const char *path);

/* The row with number @index, NULL beyond the last; the row with that id, NULL: none. */
const struct iommusim_catalog_driver *rows_at(size_t index);
const struct iommusim_catalog_driver *rows_find(const char *id);

#endif

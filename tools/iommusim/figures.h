/* SPDX-License-Identifier: MIT */
/* The figures of runs in columns as wide as they need. */
#ifndef FIGURES_H
#define FIGURES_H

#include "compare.h"

/* The head of a table's rows: a policy's alias and attributes. */
#define ROW_HEAD_WIDTH 17

/* How a column or a sentence calls an IOMMU: its page sizes, or its number where they are long. */
void describe_iommu(const struct options *options, size_t iommu, struct line *line);

/* "P4  single-pages" in ROW_HEAD_WIDTH columns. */
void print_row_head(const struct result *result);

/* The IOMMUs side by side, as many to a table as fit on a line. */
void print_figures_by_iommu(const struct report *report);

/* The only IOMMU, with verdicts. */
void print_figures(const struct report *report);

#endif

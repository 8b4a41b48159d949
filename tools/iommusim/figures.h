/* SPDX-License-Identifier: MIT */
/* The figures of runs in columns as wide as they need. */
#ifndef FIGURES_H
#define FIGURES_H

#include "compare.h"

/* How a column or a sentence calls an IOMMU: its page sizes, or its number where they are long. */
void describe_iommu(const struct options *options, size_t iommu, struct line *line);

/* Columns for attributes: as many as single-pages takes, or the longest that was asked for. */
int attrs_width(const struct options *options);

/* "P4  single-pages" */
void print_row_head(const struct report *report, const struct result *result);

/* The IOMMUs side by side, as many to a table as fit on a line. */
void print_figures_by_iommu(const struct report *report);

/* The only IOMMU, with verdicts. */
void print_figures(const struct report *report);

#endif

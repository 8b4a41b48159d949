/* SPDX-License-Identifier: MIT */
/* The values of options: each function reads one into the options, or says what is wrong with it.
 */
#ifndef VALUES_H
#define VALUES_H

#include "options.h"

/* All return 0 or, after a message, EXIT_INPUT. */
int value_memory(struct options *options, const char *value);
int value_memory_start(struct options *options, const char *value);
int value_cma(struct options *options, const char *value);
int value_buddyinfo(struct options *options, const char *value);
int value_pagetypeinfo(struct options *options, const char *value);
int value_zoneinfo(struct options *options, const char *value);
int value_splat(struct options *options, const char *value);
int value_state(struct options *options, const char *value);
int value_page_size(struct options *options, const char *value);
int value_kernel(struct options *options, const char *value);
int value_seed(struct options *options, const char *value);
int value_buffers(struct options *options, const char *value);
int value_iommu(struct options *options, const char *value);
int value_driver_file(struct options *options, const char *value);
int value_contiguous(struct options *options, const char *value);
int value_pgsizes(struct options *options, const char *value);
int value_policy(struct options *options, const char *value);
int value_attrs(struct options *options, const char *value);
int value_domain(struct options *options, const char *value);
int value_format(struct options *options, const char *value);
int value_pgtable(struct options *options, const char *value);
int value_iova(struct options *options, const char *value);

/* Add every built-in policy that is not there yet. */
int value_all_policies(struct options *options);

#endif

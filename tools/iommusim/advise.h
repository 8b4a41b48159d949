/* SPDX-License-Identifier: MIT */
/* What buffers with and without DMA_ATTR_ALLOC_SINGLE_PAGES cost and give, and what follows. */
#ifndef ADVISE_H
#define ADVISE_H

#include "options.h"

enum access { ACCESS_SEQUENTIAL, ACCESS_ROTATE, ACCESS_RANDOM, NR_ACCESSES };

extern const char *const access_names[NR_ACCESSES];

struct question {
	struct options common; /* sizes, kernel */
	const struct iommusim_catalog_platform *platform;
	const struct iommusim_catalog_driver *row;
	const struct iommusim_policy *policy;
	enum access access;
};

/* Why a buffer is not to be had. */
enum lack { LACK_MEMORY, LACK_ADDRESSES, LACK_MAPPING, NR_LACKS };

/* All buffers together. */
struct answer {
	uint64_t tried, vain, chunks;
	uint64_t leaves, largest; /* entries, and bytes of the largest */
	uint64_t lost[NR_LACKS];  /* buffers */
};

/* Memory that is fresh, and fragmented. */
#define NR_ADVISE_STATES 3
extern const char *const advise_states[NR_ADVISE_STATES];

/* Hold all buffers at a time in memory @state. 0 or, after a message, EXIT_INPUT. */
int advise_answer(const struct question *question, const char *state, uint32_t attrs,
                  struct answer *answer);

/* Whether the entries of the row's tables are known; else the driver's pages count as such. */
int advise_has_entries(const struct question *question);

/* The figures, [state][attribute], and what the rule makes of them. */
void advise_print(const struct question *question, struct answer answers[NR_ADVISE_STATES][2]);

/* The rule in words. */
void advise_print_rule(void);

#endif

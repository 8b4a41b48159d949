/* SPDX-License-Identifier: MIT */
/* What a replayed call did, against what the recorded one did. */
#ifndef JUDGE_H
#define JUDGE_H

#include "replay.h"

/* An object in the call, "request" or "result"; an empty one if there is none. */
struct record part_of(const struct record *call, const char *key);

/* A number in such an object, 0 if it is not there. */
uint64_t number_in(const struct record *call, const char *part, const char *key);

/* Did the recorded call succeed? */
int is_ok(const struct record *call);

/* Forget what happened in the call before. */
void forget(struct machine *m);

/* Chunks, attempts that are left, pages of the buffer, its scatter list. */
void judge_buffer(struct machine *m, const struct record *call,
                  const struct iommusim_dma_buffer *buffer);

/* DMA segments of a list. */
void judge_segments(struct machine *m, const struct record *call,
                    const struct iommusim_dma_list *list, size_t nr_segments);

/* Whatever the call: IOVA ranges, pieces mapped and unmapped, driver calls, leaf words, pages given
   back. */
void judge_effects(struct machine *m, const struct record *call);

#endif

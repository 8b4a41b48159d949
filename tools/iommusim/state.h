/* SPDX-License-Identifier: MIT */
/* The machine's memory that every run starts from, and where it came from. */
#ifndef STATE_H
#define STATE_H

#include "iommusim.h"
#include "options.h"
#include "say.h"
#include "text.h"

/* The texts of a machine. */
enum source { SOURCE_BUDDYINFO, SOURCE_PAGETYPEINFO, SOURCE_ZONEINFO, SOURCE_SPLAT, NR_SOURCES };

/* Must not move: the log of @phys goes into it. */
struct state {
	struct iommusim_phys *phys;
	struct said said;
	struct iommusim_host host;            /* logs into @said */
	struct iommusim_snapshot *snapshot;   /* what was read; NULL: nothing */
	const char *read[NR_SOURCES];         /* names of what was read, NULL: nothing */
	struct name_text names[NR_SOURCES];   /* the names, if they are the user's */
	unsigned is_builtin;                  /* 1: they are the texts below */
	unsigned is_host;                     /* 1: they are files in /proc */
	struct iommusim_snapshot_notes notes; /* where @snapshot is set */
	unsigned has_marks;                   /* 1: the kernel's own marks are minded */
	unsigned has_span;                    /* 0: how much memory there is was only guessed */
	uint64_t nr_frames;                   /* present in all zones */
};

/* Both files of a fragmented machine, for where there is no /proc/buddyinfo. */
extern const char snapshot_buddyinfo[], snapshot_pagetypeinfo[];

/*
 * Build the state that @options ask for; a report changes them (options_adopt()). Their policies
 * must suit it. Returns 0 or, after a message, EXIT_INPUT. After either, state_finish() frees what
 * it holds.
 */
int state_build(struct options *options, struct state *state);

/* Is @policy for a machine with this largest order? 0, or EXIT_INPUT after a message. */
int state_suits(const struct state *state, const struct iommusim_policy *policy);
void state_finish(struct state *state);

/* In words: where the memory came from, and what had to be assumed about it. */
void state_describe(const struct options *options, const struct state *state, struct line *line);
void state_assumptions(const struct state *state, struct line *line);

/* What a report says of the request that failed, and of the same request here. */
void state_describe_splat(const struct state *state, struct line *line);
void state_describe_retry(const struct state *state, struct line *line);

/* Where so many free pages are between the marks: "at or below min" ... */
const char *state_level(uint64_t free, const struct iommusim_zone_numbers *numbers);

/* Print all of it and the free blocks, each behind a label. */
void state_print(const struct options *options, const struct state *state);

#endif

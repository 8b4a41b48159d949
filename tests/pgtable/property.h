/* SPDX-License-Identifier: MIT */
/* Configurations for the property test, and the obvious model of what is mapped. */
#ifndef PROPERTY_H
#define PROPERTY_H

#include "test.h"
#include "walk_formats.h"

/* A library's format, one of its configurations, and what the walker must know of it. */
struct property_row {
	const char *name;
	const struct iommusim_pgtable_format *format;
	const struct walk_format *walked;
	unsigned bits;     /* of an address */
	unsigned flags;    /* WALK_*; with WALK_TTBR1 addresses are from the top */
	unsigned is_whole; /* 1: leaves are only unmapped as a whole */
	uint64_t start;    /* of the addresses, and of a linear table's window */
	uint64_t dummy;    /* with WALK_DUMMY: where empty entries lead */
	struct iommusim_pgtable_config config;
};

/* ---- The model: ranges that were mapped, in no order ---- */

#define MAX_EXTENTS 1024u

struct extent {
	uint64_t iova, size, pa;
	unsigned prot;
};

struct model {
	struct extent extent[MAX_EXTENTS];
	unsigned nr;
};

/* Is any byte of the range mapped? Ranges never end at 2^64. */
static inline int model_touches(const struct model *model, uint64_t iova, uint64_t size)
{
	for (unsigned i = 0; i < model->nr; i++)
		if (model->extent[i].iova < iova + size &&
		    iova < model->extent[i].iova + model->extent[i].size)
			return 1;
	return 0;
}

/* NULL: not mapped. */
static inline const struct extent *model_at(const struct model *model, uint64_t iova)
{
	for (unsigned i = 0; i < model->nr; i++)
		if (iova - model->extent[i].iova < model->extent[i].size)
			return &model->extent[i];
	return NULL;
}

static inline void model_add(struct model *model, struct extent extent)
{
	assert_true(model->nr < MAX_EXTENTS);
	model->extent[model->nr++] = extent;
}

/* Take a range out of the one extent that it is in. */
static inline void model_cut(struct model *model, uint64_t iova, uint64_t size)
{
	const struct extent *found = model_at(model, iova);
	struct extent old = *found;
	uint64_t before = iova - old.iova, after = old.size - before - size;

	model->extent[found - model->extent] = model->extent[--model->nr];
	if (before)
		model_add(model, (struct extent){ old.iova, before, old.pa, old.prot });
	if (after)
		model_add(model,
		          (struct extent){ iova + size, after, old.pa + before + size, old.prot });
}

static inline uint64_t model_bytes(const struct model *model)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < model->nr; i++)
		bytes += model->extent[i].size;
	return bytes;
}

#endif

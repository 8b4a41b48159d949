/* SPDX-License-Identifier: MIT */
/* The host that fuzzers give to the library: see witness.h. */
#include "witness.h"

#include <stdio.h>
#include <stdlib.h>

/* A block and its size, so that the size can be given back. */
union block {
	size_t bytes;
	max_align_t align;
};

void witness_stop(const char *what, const char *more)
{
	fprintf(stderr, "%s: %s\n", what, more);
	abort();
}

static void *take(void *ctx, size_t bytes)
{
	struct witness *witness = ctx;
	union block *block;

	if (bytes > witness->left)
		return NULL;
	block = calloc(1, sizeof(*block) + bytes);
	if (!block)
		return NULL;
	witness->left -= bytes;
	block->bytes = bytes;
	return block + 1;
}

static void give(void *ctx, void *memory)
{
	struct witness *witness = ctx;
	union block *block = (union block *)memory - 1;

	witness->left += block->bytes;
	free(block);
}

static void hear(void *ctx, const char *line)
{
	struct witness *witness = ctx;

	witness->nr_lines++;
	snprintf(witness->line, sizeof(witness->line), "%s", line);
	for (const char *c = line; *c; c++)
		if (*c < ' ' || *c > '~')
			witness_stop("a message is not one printable line", line);
}

struct iommusim_host witness_host(struct witness *witness)
{
	return (struct iommusim_host){ .size = sizeof(struct iommusim_host),
		                       .zalloc = take,
		                       .free = give,
		                       .memory_ctx = witness,
		                       .log = hear,
		                       .log_ctx = witness };
}

/* SPDX-License-Identifier: MIT */
/*
 * Times of repeated runs: each prints one JSON object per line with nanoseconds per operation, the
 * least, the median and the most of several runs.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "iommusim.h"

#define BENCH_RUNS 7

static inline uint64_t now_ns(void)
{
	struct timespec now;

	timespec_get(&now, TIME_UTC);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline int compare_times(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The fewer surprises the better: an operation that fails ends the program. */
static inline void must(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, iommusim_errname(err));
	exit(1);
}

/* One run: @run does @ops operations on @ctx. What @prepare does is not timed; it may be NULL. */
struct bench {
	const char *name;
	uint64_t ops;
	void (*prepare)(void *ctx);
	void (*run)(void *ctx);
	void *ctx;
};

static inline void bench(const struct bench *b)
{
	double ns[BENCH_RUNS];

	for (unsigned i = 0; i < BENCH_RUNS; i++) {
		uint64_t start;

		if (b->prepare)
			b->prepare(b->ctx);
		start = now_ns();
		b->run(b->ctx);
		ns[i] = (double)(now_ns() - start) / (double)b->ops;
	}
	qsort(ns, BENCH_RUNS, sizeof(*ns), compare_times);
	printf("{\"name\": \"%s\", \"unit\": \"ns\", \"runs\": %d, \"min\": %.1f, \"median\": "
	       "%.1f, "
	       "\"max\": %.1f}\n",
	       b->name, BENCH_RUNS, ns[0], ns[BENCH_RUNS / 2], ns[BENCH_RUNS - 1]);
	fflush(stdout);
}

/* A figure that is no time. */
static inline void figure(const char *name, const char *unit, double value)
{
	printf("{\"name\": \"%s\", \"unit\": \"%s\", \"value\": %.2f}\n", name, unit, value);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Seeded random numbers, the same on every host: SplitMix64 (Steele, Lea, Flood: Fast splittable
 * pseudorandom number generators, OOPSLA 2014), 64 bits of state.
 */
#ifndef ISIM_RNG_H
#define ISIM_RNG_H

#include <stdint.h>

struct isim_rng {
	uint64_t state;
};

static inline struct isim_rng isim_rng_seed(uint64_t seed)
{
	struct isim_rng rng = { seed };

	return rng;
}

static inline uint64_t isim_rng_next(struct isim_rng *rng)
{
	uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A number below @n, which is not 0; every one is equally likely. */
static inline uint64_t isim_rng_below(struct isim_rng *rng, uint64_t n)
{
	uint64_t excess = (UINT64_MAX % n + 1) % n; /* 2^64 mod n: numbers that would be favoured */
	uint64_t r;

	do
		r = isim_rng_next(rng);
	while (r > UINT64_MAX - excess);
	return r % n;
}

/* A number of @lo .. @hi. */
static inline uint64_t isim_rng_range(struct isim_rng *rng, uint64_t lo, uint64_t hi)
{
	return hi - lo == UINT64_MAX ? isim_rng_next(rng) : lo + isim_rng_below(rng, hi - lo + 1);
}

#endif

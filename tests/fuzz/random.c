/* SPDX-License-Identifier: MIT */
/* A fuzzer without libFuzzer, for any compiler: ROUNDS inputs of random bytes, the same ones in
   every run. */
#include "witness.h"

#include <stdlib.h>

#include "base/rng.h"

#define MAX_BYTES 1024u

int main(int argc, char **argv)
{
	unsigned long rounds = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct isim_rng rng = isim_rng_seed(rounds);

	for (unsigned long round = 0; round < rounds; round++) {
		size_t bytes = (size_t)isim_rng_range(&rng, 1, MAX_BYTES);
		uint8_t *data = malloc(bytes);

		if (!data)
			abort();
		for (size_t i = 0; i < bytes; i++)
			data[i] = (uint8_t)isim_rng_next(&rng);
		LLVMFuzzerTestOneInput(data, bytes);
		free(data);
	}
	return !rounds;
}

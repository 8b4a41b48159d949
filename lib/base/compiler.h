/* SPDX-License-Identifier: MIT */
/* What compilers offer beyond C11, each with a portable fallback. */
#ifndef ISIM_COMPILER_H
#define ISIM_COMPILER_H

#if defined(__MINGW32__)
#include <stdio.h> /* __MINGW_PRINTF_FORMAT, unless it is an older one */
#endif

#if defined(__MINGW32__) && defined(__MINGW_PRINTF_FORMAT)
#define ISIM_PRINTF(fmt, args) __attribute__((format(__MINGW_PRINTF_FORMAT, fmt, args)))
#elif defined(__GNUC__)
#define ISIM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define ISIM_PRINTF(fmt, args)
#endif

#if defined(__GNUC__)
#define ISIM_LIKELY(x)   __builtin_expect(!!(x), 1)
#define ISIM_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#define ISIM_LIKELY(x)   (x)
#define ISIM_UNLIKELY(x) (x)
#endif

/* Fetch the line at @address, which need not be valid, while the processor does something else. */
#if defined(__GNUC__)
#define ISIM_PREFETCH(address) __builtin_prefetch(address, 1)
#else
#define ISIM_PREFETCH(address) ((void)(address))
#endif

/* For functions whose constant arguments are to be folded, whatever the optimisation level. */
#if defined(__GNUC__)
#define ISIM_INLINE static inline __attribute__((always_inline))
#else
#define ISIM_INLINE static inline
#endif

/* For loops over arrays of words: gcc vectorises and unrolls them only if told, clang always. */
#if defined(__GNUC__) && !defined(__clang__)
#define ISIM_VECTORIZE __attribute__((optimize("O3", "unroll-loops"), noinline))
#else
#define ISIM_VECTORIZE
#endif

#define ISIM_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif

/* SPDX-License-Identifier: MIT */
/** @file macros.h  Bits, minima, alignment: the kernel's macros, which take operands of any type.
 */
#ifndef IOMMUSIM_KERNEL_MACROS_H
#define IOMMUSIM_KERNEL_MACROS_H

#include "iommusim/kernel/run.h"
#include "iommusim/kernel/types.h"

/* They compare what they are given, signed or not, as the kernel is compiled to. */
#pragma GCC system_header

#define BITS_PER_LONG      (CHAR_BIT * (int)sizeof(long))
#define BITS_PER_LONG_LONG 64

#define BIT(nr)                (1UL << (nr))
#define BIT_ULL(nr)            (1ULL << (nr))
#define GENMASK(high, low)     ((~0UL << (low)) & (~0UL >> (BITS_PER_LONG - 1 - (high))))
#define GENMASK_ULL(high, low) ((~0ULL << (low)) & (~0ULL >> (63 - (high))))
#define _AC(x, suffix)         (x##suffix)
#define UL(x)                  _AC(x, UL)
#define ULL(x)                 _AC(x, ULL)

#define ARRAY_SIZE(array)           (sizeof(array) / sizeof((array)[0]))
#define DIV_ROUND_UP(n, d)          (((n) + (d)-1) / (d))
#define struct_size(ptr, member, n) (sizeof(*(ptr)) + sizeof((ptr)->member[0]) * (size_t)(n))
#define array_size(n, bytes)        ((size_t)(n) * (size_t)(bytes))

#define ALIGN(x, a)      (((x) + ((__typeof__(x))(a)-1)) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)
#define round_up(x, a)   ALIGN(x, a)
#define round_down(x, a) ALIGN_DOWN(x, a)
#define roundup(x, y)    (DIV_ROUND_UP(x, y) * (y))
#define rounddown(x, y)  ((x) - (x) % (y))

#define isim_kernel_pick(type_a, a, type_b, b, compare)                \
	__extension__({                                                \
		type_a isim_left = (a);                                \
		type_b isim_right = (b);                               \
		isim_left compare isim_right ? isim_left : isim_right; \
	})
#define min(a, b)                   isim_kernel_pick(__auto_type, a, __auto_type, b, <)
#define max(a, b)                   isim_kernel_pick(__auto_type, a, __auto_type, b, >)
#define min_t(type, a, b)           isim_kernel_pick(type, (type)(a), type, (type)(b), <)
#define max_t(type, a, b)           isim_kernel_pick(type, (type)(a), type, (type)(b), >)
#define umin(a, b)                  min_t(unsigned long long, a, b)
#define umax(a, b)                  max_t(unsigned long long, a, b)
#define min3(a, b, c)               min(min(a, b), c)
#define max3(a, b, c)               max(max(a, b), c)
#define clamp(x, low, high)         min(max(x, low), high)
#define clamp_t(type, x, low, high) min_t(type, max_t(type, x, low), high)
#define clamp_val(x, low, high)     clamp_t(__typeof__(x), x, low, high)
#define min_not_zero(a, b)                        \
	__extension__({                           \
		__auto_type isim_one = (a);       \
		__auto_type isim_two = (b);       \
		isim_one == 0         ? isim_two  \
		: isim_two == 0       ? isim_one  \
		: isim_one < isim_two ? isim_one  \
				      : isim_two; \
	})

#ifndef swap
#define swap(a, b)                            \
	do {                                  \
		__typeof__(a) isim_old = (a); \
		(a) = (b);                    \
		(b) = isim_old;               \
	} while (0)
#endif

#ifndef typeof
#define typeof __typeof__
#endif
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(uintptr_t)(ptr)-offsetof(type, member)))

#define check_add_overflow(a, b, sum)     __builtin_add_overflow(a, b, sum)
#define check_sub_overflow(a, b, rest)    __builtin_sub_overflow(a, b, rest)
#define check_mul_overflow(a, b, product) __builtin_mul_overflow(a, b, product)

/* IS_ENABLED(CONFIG_X): 1 if the macro is defined as 1, else 0. */
#define isim_kernel_is_1              isim_kernel_none,
#define isim_kernel_second(a, b, ...) b
#define isim_kernel_defined3(x)       isim_kernel_second(x 1, 0, 0)
#define isim_kernel_defined2(x)       isim_kernel_defined3(isim_kernel_is_##x)
#define isim_kernel_defined1(x)       isim_kernel_defined2(x)
#define IS_ENABLED(option)            isim_kernel_defined1(option)
#define IS_BUILTIN(option)            isim_kernel_defined1(option)
#define IS_REACHABLE(option)          isim_kernel_defined1(option)

#define BUILD_BUG_ON(x) ((void)sizeof(char[1 - 2 * !!(x)]))

/* ---- Bits of a number ---- */

/** The highest bit of @word. Of 0 it is undefined in the kernel, and loops do ask for it behind the
    last page, without a use for the answer: here the highest bit there is. */
static inline unsigned long __fls(unsigned long word)
{
	return (unsigned long)(BITS_PER_LONG - 1 - (word ? __builtin_clzl(word) : 0));
}

static inline unsigned long __ffs(unsigned long word)
{
	return (unsigned long)(word ? __builtin_ctzl(word) : BITS_PER_LONG - 1);
}

static inline int isim_kernel_fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

static inline unsigned fls_long(unsigned long x)
{
	return (unsigned)fls64(x);
}

#undef ffs
#define fls(x)          isim_kernel_fls(x)
#define ffs(x)          __builtin_ffs((int)(x))
#define __ffs64(x)      ((unsigned long)__builtin_ctzll(x))
#define ilog2(x)        (fls64((u64)(x)) - 1)
#define hweight32(x)    ((unsigned)__builtin_popcount(x))
#define hweight64(x)    ((unsigned long)__builtin_popcountll(x))
#define hweight_long(x) ((unsigned long)__builtin_popcountl(x))

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return 1UL << fls_long(n - 1);
}

static inline unsigned long rounddown_pow_of_two(unsigned long n)
{
	return 1UL << (fls_long(n) - 1);
}

static inline int order_base_2(unsigned long n)
{
	return n > 1 ? (int)fls_long(n - 1) : 0;
}

#define lower_32_bits(n) ((u32)((n)&0xffffffff))
#define upper_32_bits(n) ((u32)((u64)(n) >> 32))

/* ---- What the kernel would say or stop for ---- */

#define isim_kernel_text2(x) #x
#define isim_kernel_text(x)  isim_kernel_text2(x)

#define WARN(condition, ...)                                                                \
	__extension__({                                                                     \
		int isim_on = !!(condition);                                                \
		if (isim_on)                                                                \
			isim_kernel_tell(IOMMUSIM_FINDING_WARN, "WARN_ON(%s)", #condition); \
		unlikely(isim_on);                                                          \
	})
#define WARN_ON(condition)         WARN(condition, "")
#define WARN_ON_ONCE(condition)    WARN(condition, "")
#define WARN_ONCE(condition, ...)  WARN(condition, "")
#define VM_WARN_ON(condition)      ((void)WARN(condition, ""))
#define VM_WARN_ON_ONCE(condition) ((void)WARN(condition, ""))
#define BUG_ON(condition)                                                                 \
	do {                                                                              \
		if (unlikely(condition))                                                  \
			isim_kernel_stop(IOMMUSIM_FINDING_BUG, "BUG_ON(%s)", #condition); \
	} while (0)
#define VM_BUG_ON(condition)            BUG_ON(condition)
#define VM_BUG_ON_PAGE(condition, page) BUG_ON(condition)
#define BUG()                           isim_kernel_stop(IOMMUSIM_FINDING_BUG, "BUG()")

/* Its formats are the kernel's, %pad and all. */
static inline void isim_kernel_print(const char *fmt, ...)
{
	(void)fmt;
}

#define printk(...)              isim_kernel_print("" __VA_ARGS__)
#define pr_err(...)              isim_kernel_print("" __VA_ARGS__)
#define pr_err_once(...)         isim_kernel_print("" __VA_ARGS__)
#define pr_err_ratelimited(...)  isim_kernel_print("" __VA_ARGS__)
#define pr_warn(...)             isim_kernel_print("" __VA_ARGS__)
#define pr_warn_once(...)        isim_kernel_print("" __VA_ARGS__)
#define pr_warn_ratelimited(...) isim_kernel_print("" __VA_ARGS__)
#define pr_info(...)             isim_kernel_print("" __VA_ARGS__)
#define pr_debug(...)            isim_kernel_print("" __VA_ARGS__)
#define dev_err(dev, ...)        ((void)(dev), isim_kernel_print("" __VA_ARGS__))
#define dev_err_once(dev, ...)   ((void)(dev), isim_kernel_print("" __VA_ARGS__))
#define dev_warn(dev, ...)       ((void)(dev), isim_kernel_print("" __VA_ARGS__))
#define dev_warn_once(dev, ...)  ((void)(dev), isim_kernel_print("" __VA_ARGS__))
#define dev_info(dev, ...)       ((void)(dev), isim_kernel_print("" __VA_ARGS__))
#define dev_dbg(dev, ...)        ((void)(dev), isim_kernel_print("" __VA_ARGS__))
#define KERN_ERR                 ""
#define KERN_WARNING             ""
#define KERN_INFO                ""
#define KERN_DEBUG               ""

#endif

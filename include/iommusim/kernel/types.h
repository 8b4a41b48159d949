/* SPDX-License-Identifier: MIT */
/** @file types.h  Types and words of the kernel that a pasted function needs. */
#ifndef IOMMUSIM_KERNEL_TYPES_H
#define IOMMUSIM_KERNEL_TYPES_H

#if !defined(__GNUC__)
#error "kernel code needs the GNU dialect of C: gcc or clang, -std=gnu11"
#endif
#ifdef __cplusplus
#error "kernel code is C, not C++"
#endif

/* All that the host is asked for, before any name of the kernel is a macro. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

/** Whose text it is, 1000 * major + minor, as IOMMUSIM_KERNEL(): it decides gfp flags and names. */
#ifndef IOMMUSIM_KERNEL_VERSION
#define IOMMUSIM_KERNEL_VERSION 6012
#endif

typedef uint8_t u8, __u8;
typedef uint16_t u16, __u16;
typedef uint32_t u32, __u32;
typedef unsigned long long u64, __u64; /* as in the kernel and asm/types.h, on every machine */
typedef int8_t s8, __s8;
typedef int16_t s16, __s16;
typedef int32_t s32, __s32;
typedef long long s64, __s64;
typedef unsigned int gfp_t;
typedef u64 dma_addr_t, phys_addr_t, resource_size_t;
typedef unsigned long pgoff_t;
typedef unsigned int fmode_t;

typedef struct pgprot {
	unsigned long pgprot;
} pgprot_t;

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic_long_t;

typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;

struct list_head {
	struct list_head *next, *prev;
};

struct mutex {
	int isim_depth;
};

struct rw_semaphore {
	int isim_depth;
};

typedef struct spinlock {
	int isim_depth;
} spinlock_t;

/* Words that a compiler of the kernel knows. */
#define __force
#define __user
#define __iomem
#define __bitwise
#define __must_check
#define __init
#define __exit
#define __read_mostly
#define __ro_after_init
#define __maybe_unused  __attribute__((__unused__))
#define __always_unused __attribute__((__unused__))
#define noinline        __attribute__((__noinline__))
#ifndef __used
#define __used __attribute__((__used__))
#endif
#ifndef __packed
#define __packed __attribute__((__packed__))
#endif
#ifndef __weak
#define __weak __attribute__((__weak__))
#endif
#ifndef __attribute_const__
#define __attribute_const__ __attribute__((__const__))
#endif
#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif
#if defined(__has_attribute)
#if __has_attribute(__fallthrough__)
#define fallthrough __attribute__((__fallthrough__))
#endif
#endif
#ifndef fallthrough
#define fallthrough \
	do {        \
	} while (0)
#endif

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier()   __asm__ __volatile__("" ::: "memory")

#define EXPORT_SYMBOL(name)
#define EXPORT_SYMBOL_GPL(name)
#define EXPORT_SYMBOL_NS_GPL(name, space)
#define MODULE_LICENSE(text)
#define MODULE_AUTHOR(text)
#define MODULE_DESCRIPTION(text)
#define MODULE_IMPORT_NS(space)

/* Start and end of a module: known, and never run. */
#define module_init(function) \
	static int (*const isim_kernel_init_##function)(void) __maybe_unused = function
#define module_exit(function) \
	static void (*const isim_kernel_exit_##function)(void) __maybe_unused = function

#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif
#ifndef EREMOTEIO
#define EREMOTEIO 121
#endif
#define MAX_ERRNO 4095

static inline void *ERR_PTR(long error)
{
	return (void *)error;
}

static inline long PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool IS_ERR(const void *ptr)
{
	return (unsigned long)ptr >= (unsigned long)-MAX_ERRNO;
}

static inline bool IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR(ptr);
}

static inline void *ERR_CAST(const void *ptr)
{
	return (void *)(unsigned long)ptr;
}

static inline int PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? (int)PTR_ERR(ptr) : 0;
}

struct iommu_domain;
struct cma;
struct dma_map_ops;

/** One device, behind the IOMMU of the request. */
struct device {
	struct device *parent;
	void *driver_data, *platform_data;
	u64 *dma_mask;
	u64 coherent_dma_mask, bus_dma_limit;
	int numa_node;
	bool dma_coherent;
	struct iommu_domain *isim_domain;
};

#define NUMA_NO_NODE (-1)

static inline int dev_to_node(const struct device *dev)
{
	return dev ? dev->numa_node : NUMA_NO_NODE;
}

static inline const char *dev_name(const struct device *dev)
{
	return dev ? "device" : "(null)";
}

/* ---- Tasks, locks and time: one task, which nobody signals ---- */

struct task_struct {
	char comm[16];
	int pid;
	unsigned long flags;
};

static inline struct task_struct *isim_kernel_current(void)
{
	static struct task_struct task = { .comm = "iommusim", .pid = 1 };

	return &task;
}

#define current isim_kernel_current()

static inline int fatal_signal_pending(const struct task_struct *task)
{
	return task == NULL;
}

static inline int signal_pending(const struct task_struct *task)
{
	return task == NULL;
}

static inline int in_interrupt(void)
{
	return 0;
}

static inline int numa_node_id(void)
{
	return 0;
}

#define numa_mem_id()               numa_node_id()
#define cond_resched()              ((void)0)
#define might_sleep()               ((void)0)
#define might_sleep_if(x)           ((void)(x))
#define mutex_init(lock)            ((void)((lock)->isim_depth = 0))
#define mutex_lock(lock)            ((void)(lock)->isim_depth++)
#define mutex_unlock(lock)          ((void)(lock)->isim_depth--)
#define init_rwsem(lock)            ((void)((lock)->isim_depth = 0))
#define down_read(lock)             ((void)(lock)->isim_depth++)
#define up_read(lock)               ((void)(lock)->isim_depth--)
#define down_write(lock)            ((void)(lock)->isim_depth++)
#define up_write(lock)              ((void)(lock)->isim_depth--)
#define spin_lock_init(lock)        ((void)((lock)->isim_depth = 0))
#define spin_lock(lock)             ((void)(lock)->isim_depth++)
#define spin_unlock(lock)           ((void)(lock)->isim_depth--)
#define lockdep_assert_held(x)      ((void)(x))
#define refcount_set(ref, n)        ((void)((ref)->refs.counter = (n)))
#define atomic_set(atomic, n)       ((void)((atomic)->counter = (n)))
#define atomic_read(atomic)         ((atomic)->counter)
#define atomic_long_set(atomic, n)  ((void)((atomic)->counter = (n)))
#define atomic_long_read(atomic)    ((atomic)->counter)
#define atomic_long_add(n, atomic)  ((void)((atomic)->counter += (n)))
#define atomic_long_sub(n, atomic)  ((void)((atomic)->counter -= (n)))
#define atomic_inc(atomic)          ((void)(atomic)->counter++)
#define atomic_dec(atomic)          ((void)(atomic)->counter--)
#define READ_ONCE(x)                (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value)        (*(volatile __typeof__(x) *)&(x) = (value))
#define DEFINE_MUTEX(name)          struct mutex name
#define DECLARE_RWSEM(name)         struct rw_semaphore name
#define DEFINE_SPINLOCK(name)       spinlock_t name
#define static_branch_unlikely(key) (*(key))
#define static_branch_likely(key)   (*(key))

#endif

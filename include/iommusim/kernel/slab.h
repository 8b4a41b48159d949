/* SPDX-License-Identifier: MIT */
/** @file slab.h  kmalloc() and its like: memory that tells when it is misused. */
#ifndef IOMMUSIM_KERNEL_SLAB_H
#define IOMMUSIM_KERNEL_SLAB_H

#include "iommusim/kernel/macros.h"
#include "iommusim/kernel/mm.h"
#include "iommusim/kernel/run.h"

#define ZERO_SIZE_PTR         ((void *)16)
#define ZERO_OR_NULL_PTR(ptr) ((uintptr_t)(ptr) <= 16)

static inline size_t isim_kernel_host_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/** A slot that is new, with at least @bytes of room, none of it open. NULL: the host has none. */
static inline struct isim_kernel_slot *isim_kernel_new_slot(size_t bytes)
{
	size_t guard = isim_kernel_host_page(), room = guard;
	struct isim_kernel_slot *slot = calloc(1, sizeof(*slot));

	while (room < bytes && room <= SIZE_MAX / 4)
		room *= 2;
	if (slot && room >= bytes) {
		slot->map =
			mmap(NULL, room + 2 * guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		slot->room = room;
		if (slot->map != MAP_FAILED)
			return slot;
	}
	free(slot);
	return NULL;
}

/** One that is spare, or new. */
static inline struct isim_kernel_slot *isim_kernel_slot(size_t bytes)
{
	struct isim_kernel_slot **at = &isim_kernel.spare, *slot;

	while (*at && (*at)->room < bytes)
		at = &(*at)->next;
	if (!*at)
		return isim_kernel_new_slot(bytes);
	slot = *at;
	*at = slot->next;
	return slot;
}

/** Nobody can touch any of @slot. 0, or -1: the host refuses. */
static inline int isim_kernel_close(struct isim_kernel_slot *slot)
{
	if (slot->open_bytes && mprotect(slot->open, slot->open_bytes, PROT_NONE))
		return -1;
	slot->open_bytes = 0;
	return 0;
}

/** Its @bytes at @open, whole pages of the host, can be touched, and no others. 0 or -1. */
static inline int isim_kernel_open(struct isim_kernel_slot *slot, unsigned char *open, size_t bytes)
{
	if (slot->open == open && slot->open_bytes == bytes)
		return 0;
	if (isim_kernel_close(slot) || mprotect(open, bytes, PROT_READ | PROT_WRITE))
		return -1;
	slot->open = open;
	slot->open_bytes = bytes;
	return 0;
}

/**
 * Give @slot its place for @bytes. What reads beside an array is seen where a page that nobody can
 * touch is next to it: behind it, or before it where the buffer's number of pages has an even
 * number of bits, so that many worlds have both, and one world always the same. 0 or -1.
 */
static inline int isim_kernel_lay_out(struct isim_kernel_slot *slot, size_t bytes)
{
	size_t page = isim_kernel_host_page(), all = (bytes + page - 1) & ~(page - 1);
	unsigned char *first = slot->map + page, *open = first + slot->room - all;
	bool is_first = !__builtin_parityll(isim_kernel.now->plan->count);

	slot->bytes = bytes;
	slot->ptr = is_first ? first : first + slot->room - ((bytes + 7) & ~(size_t)7);
	return isim_kernel_open(slot, is_first ? first : open, all);
}

/** The bytes before and behind the array that can be touched. */
static inline size_t isim_kernel_before(const struct isim_kernel_slot *slot)
{
	return (size_t)(slot->ptr - slot->open);
}

static inline size_t isim_kernel_behind(const struct isim_kernel_slot *slot)
{
	return slot->open_bytes - slot->bytes - isim_kernel_before(slot);
}

static inline bool isim_kernel_is_all(const unsigned char *at, size_t bytes, int byte)
{
	for (size_t i = 0; i < bytes; i++)
		if (at[i] != byte)
			return false;
	return true;
}

/** Where it has been written and must not have been; NULL: nowhere. */
static inline const char *isim_kernel_damage(const struct isim_kernel_slot *slot)
{
	if (!slot->open_bytes)
		return NULL;
	if (!isim_kernel_is_all(slot->open, isim_kernel_before(slot), ISIM_KERNEL_BEFORE))
		return "before";
	if (!isim_kernel_is_all(slot->ptr + slot->bytes, isim_kernel_behind(slot),
	                        ISIM_KERNEL_BEHIND))
		return "behind";
	if (slot->is_free && !isim_kernel_is_all(slot->ptr, slot->bytes, ISIM_KERNEL_POISON))
		return "to (freed)";
	return NULL;
}

/** @bytes of memory, all of them @byte. */
static inline void *isim_kernel_memory(size_t bytes, int byte)
{
	struct isim_kernel_run *now;
	struct isim_kernel_slot *slot;

	if (!bytes) {
		isim_kernel.now->has_empty = true;
		return ZERO_SIZE_PTR;
	}
	if (bytes > SIZE_MAX / 4)
		return NULL;
	now = isim_kernel_enter();
	slot = isim_kernel_slot((bytes + 7) & ~(size_t)7);
	if (!slot)
		isim_kernel_escape(-IOMMUSIM_EHOST);
	slot->is_free = slot->is_result = false;
	slot->next = now->used;
	now->used = slot;
	if (isim_kernel_lay_out(slot, bytes)) {
		slot->is_free = true;
		isim_kernel_escape(-IOMMUSIM_EHOST);
	}
	slot->attempt = iommusim_chunk_nr_attempts(now->run);
	(memset)(slot->open, ISIM_KERNEL_BEFORE, isim_kernel_before(slot));
	(memset)(slot->ptr, byte, bytes);
	(memset)(slot->ptr + bytes, ISIM_KERNEL_BEHIND, isim_kernel_behind(slot));
	isim_kernel_leave(now);
	return slot->ptr;
}

/** The slot in which @address lies, guard pages included. NULL: none. */
static inline struct isim_kernel_slot *isim_kernel_slot_of(const void *address)
{
	struct isim_kernel_slot *slot = isim_kernel.now->used;

	while (slot && ((uintptr_t)address < (uintptr_t)slot->map ||
	                (uintptr_t)address - (uintptr_t)slot->map >=
	                        slot->room + 2 * isim_kernel_host_page()))
		slot = slot->next;
	return slot;
}

/** Its memory is freed: kept until the call ends, so that a later use is seen. */
static inline void kfree(const void *ptr)
{
	struct isim_kernel_run *now;
	struct isim_kernel_slot *slot;

	if (ZERO_OR_NULL_PTR(ptr))
		return;
	now = isim_kernel_enter();
	slot = isim_kernel_slot_of(ptr);
	if (!slot || slot->ptr != ptr) {
		isim_kernel_tell(IOMMUSIM_FINDING_BAD_FREE,
		                 "frees %p, which kmalloc() did not return", ptr);
	} else if (slot->is_free) {
		isim_kernel_tell(IOMMUSIM_FINDING_BAD_FREE, "frees %zu bytes of memory twice",
		                 slot->bytes);
	} else {
		(memset)(slot->ptr, ISIM_KERNEL_POISON, slot->bytes);
		slot->is_free = true;
		isim_kernel_close(slot); /* where the host refuses, the poison is looked at */
	}
	isim_kernel_leave(now);
}

#define kvfree(ptr)          kfree(ptr)
#define vfree(ptr)           kfree(ptr)
#define kfree_sensitive(ptr) kfree(ptr)

static inline void *isim_kernel_array(size_t n, size_t bytes, int byte)
{
	size_t all;

	return __builtin_mul_overflow(n, bytes, &all) ? NULL : isim_kernel_memory(all, byte);
}

/** A caller's ZERO counts. */
static inline void *isim_kernel_plain(size_t n, size_t bytes, gfp_t gfp)
{
	return isim_kernel_array(n, bytes, gfp & __GFP_ZERO ? 0 : ISIM_KERNEL_FRESH);
}

static inline void *isim_kernel_zeroed(size_t n, size_t bytes, gfp_t gfp)
{
	(void)gfp;
	return isim_kernel_array(n, bytes, 0);
}

#define kmalloc(bytes, gfp)            isim_kernel_plain(1, bytes, gfp)
#define kmalloc_node(bytes, gfp, node) isim_kernel_plain(1, bytes, gfp)
#define kmalloc_array(n, bytes, gfp)   isim_kernel_plain(n, bytes, gfp)
#define kvmalloc(bytes, gfp)           isim_kernel_plain(1, bytes, gfp)
#define kvmalloc_array(n, bytes, gfp)  isim_kernel_plain(n, bytes, gfp)
#define vmalloc(bytes)                 isim_kernel_plain(1, bytes, 0)
#define kzalloc(bytes, gfp)            isim_kernel_zeroed(1, bytes, gfp)
#define kzalloc_node(bytes, gfp, node) isim_kernel_zeroed(1, bytes, gfp)
#define kcalloc(n, bytes, gfp)         isim_kernel_zeroed(n, bytes, gfp)
#define kvzalloc(bytes, gfp)           isim_kernel_zeroed(1, bytes, gfp)
#define kvcalloc(n, bytes, gfp)        isim_kernel_zeroed(n, bytes, gfp)
#define vzalloc(bytes)                 isim_kernel_zeroed(1, bytes, 0)
#define kmalloc_obj(object, ...)       ((__typeof__(object) *)kmalloc(sizeof(object), 0))
#define kzalloc_obj(object, ...)       ((__typeof__(object) *)kzalloc(sizeof(object), 0))
#define kmalloc_objs(object, n, ...)   ((__typeof__(object) *)kmalloc_array(n, sizeof(object), 0))
#define kzalloc_objs(object, n, ...)   ((__typeof__(object) *)kcalloc(n, sizeof(object), 0))
#define kvmalloc_objs(object, n, ...)  ((__typeof__(object) *)kvmalloc_array(n, sizeof(object), 0))
#define kvzalloc_objs(object, n, ...)  ((__typeof__(object) *)kvcalloc(n, sizeof(object), 0))
#define is_vmalloc_addr(ptr)           ((void)(ptr), false)

/** What is left at the end: misuse and leaks are told, the slots are spare again. */
static inline void isim_kernel_end_memory(struct isim_kernel_run *now, bool leaks_count)
{
	struct isim_kernel_slot *slot;

	while ((slot = now->used) != NULL) {
		const char *where = isim_kernel_damage(slot);

		now->used = slot->next;
		if (where)
			isim_kernel_tell(IOMMUSIM_FINDING_MEMORY,
			                 "has written %s an array of %zu bytes", where,
			                 slot->bytes);
		else if (leaks_count && !slot->is_free && !slot->is_result)
			isim_kernel_tell(IOMMUSIM_FINDING_LEAK,
			                 "has not freed %zu bytes, allocated after %zu attempts",
			                 slot->bytes, slot->attempt);
		slot->next = isim_kernel.spare;
		isim_kernel.spare = slot;
	}
}

#endif

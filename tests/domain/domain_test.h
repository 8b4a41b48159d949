/* SPDX-License-Identifier: MIT */
/*
 * A domain over the recording driver. What it asks of the driver, what it tells the host and what
 * is mapped in the end come back as text that a test can spell out.
 */
#ifndef DOMAIN_TEST_H
#define DOMAIN_TEST_H

#include <stdio.h>
#include <string.h>

#include "test.h"

#define RW          (IOMMUSIM_PROT_READ | IOMMUSIM_PROT_WRITE)
#define PGSIZES_4K  (SZ_4K | SZ_2M | SZ_1G)
#define PGSIZES_64K (SZ_64K | SZ_512M)
#define PGSIZES_ALL (~(SZ_4K - 1))

/* ---- Text ---- */

/* Lines, "; " between them. */
struct text {
	char s[8192];
	size_t at;
};

static inline void say(struct text *text, const char *line)
{
	const char *sep = text->at ? "; " : "";

	assert_true(text->at + strlen(sep) + strlen(line) < sizeof(text->s));
	text->at +=
		(size_t)snprintf(text->s + text->at, sizeof(text->s) - text->at, "%s%s", sep, line);
}

static inline void wipe(struct text *text)
{
	text->at = 0;
	text->s[0] = 0;
}

/* "4K*512" */
static inline void name_pages(char *line, size_t bytes, uint64_t pgsize, uint64_t count)
{
	unsigned unit = 0;

	for (; pgsize && pgsize % 1024 == 0; unit++)
		pgsize /= 1024;
	snprintf(line, bytes, "%llu%c*%llu", (unsigned long long)pgsize, "BKMGTPE"[unit],
	         (unsigned long long)count);
}

/* ---- The worked examples: how a range is cut ---- */

struct split {
	const char *name;
	uint64_t pgsizes, iova, pa, size;
	const char *pages;    /* driver calls from 5.14 on */
	uint64_t nr_old;      /* driver calls before */
	uint64_t nr_unmapped; /* and those that unmap it again before 5.14 */
};

#define NR_SPLITS 9

static inline const struct split *split_at(size_t i)
{
	static const struct split rows[NR_SPLITS] = {
		{ "small, large, small", PGSIZES_4K, 0x1ff000, 0x801ff000, 0x402000,
		  "4K*1; 2M*2; 4K*1", 4, 4 },
		{ "addresses off by a page from each other", PGSIZES_4K, 0x200000, 0x10001000,
		  0x200000, "4K*512", 512, 1 },
		{ "half a large page before and behind", PGSIZES_4K, 0x100000, 0x100000, 0x400000,
		  "4K*256; 2M*1; 4K*256", 513, 513 },
		{ "no room for a large page behind the head", PGSIZES_4K, 0x1ff000, 0x1ff000,
		  0x200000, "4K*512", 512, 512 },
		{ "large, huge, large", PGSIZES_4K, 0x3fe00000, 0x7fe00000, 0x40400000,
		  "2M*1; 1G*1; 2M*1", 3, 3 },
		{ "from huge to small", PGSIZES_4K, 0, 0, 0x80201000, "1G*2; 2M*1; 4K*1", 4, 4 },
		{ "only the next larger size matters", SZ_64K | PGSIZES_4K, 0xf0000, 0x1f0000,
		  0x30000, "64K*3", 3, 3 },
		{ "a granule of 64 KiB", PGSIZES_64K, 0x10000, 0x50000, 0x30000, "64K*3", 3, 3 },
		{ "every power of two", PGSIZES_ALL, 0x1000, 0x1000, 0xf000,
		  "4K*1; 8K*1; 16K*1; 32K*1", 4, 4 },
	};

	return &rows[i];
}

/* ---- The rig ---- */

struct setup {
	unsigned kernel;
	uint64_t pgsizes;
	uint64_t cap, fail_map, fail_unmap;   /* of the recording driver */
	unsigned with_sync;                   /* 1: the driver has sync_map and sync_iotlb */
	int sync_err;                         /* what sync_map returns */
	uint64_t fail_alloc;                  /* the host allocation that fails */
	const struct iommusim_driver *driver; /* instead of the recording one */
};

struct rig {
	struct setup setup;
	struct iommusim_fault fault;
	struct iommusim_recorder *recorder;
	struct iommusim_driver inner; /* what the spy passes on to */
	struct iommusim_domain *domain;
	uint32_t gfp; /* of the last map call */
	unsigned nr_logged;
	char logged[256]; /* the last line */
	struct text told; /* events, and calls of sync_map and sync_iotlb */
	struct text calls, mapped;
	size_t nr_seen; /* driver calls that new_calls() has returned */
};

static inline void keep_line(void *ctx, const char *line)
{
	struct rig *rig = ctx;

	rig->nr_logged++;
	snprintf(rig->logged, sizeof(rig->logged), "%s", line);
}

static inline void keep_event(void *ctx, const struct iommusim_event *event)
{
	struct rig *rig = ctx;
	unsigned long long iova = event->iova, pa = event->pa, size = event->size;
	char line[96] = "?";

	assert_int_equal(event->result, 0);
	if (event->kind == IOMMUSIM_EVENT_MAP)
		snprintf(line, sizeof(line), "map 0x%llx>0x%llx +0x%llx", iova, pa, size);
	else if (event->kind == IOMMUSIM_EVENT_UNMAP)
		snprintf(line, sizeof(line), "unmap 0x%llx +0x%llx: 0x%llx", iova, size, pa);
	else if (event->kind == IOMMUSIM_EVENT_IOTLB_SYNC && !size)
		snprintf(line, sizeof(line), "sync nothing");
	else if (event->kind == IOMMUSIM_EVENT_IOTLB_SYNC)
		snprintf(line, sizeof(line), "sync 0x%llx +0x%llx by 0x%llx", iova, size, pa);
	say(&rig->told, line);
}

/* ---- The spy between the domain and the recording driver ---- */

static inline int spy_map(void *ctx, const struct iommusim_map_pages *pages, uint64_t *mapped)
{
	struct rig *rig = ctx;

	rig->gfp = pages->gfp;
	return rig->inner.map_pages(rig->inner.ctx, pages, mapped);
}

static inline uint64_t spy_unmap(void *ctx, uint64_t iova, uint64_t pgsize, uint64_t count,
                                 struct iommusim_gather *gather)
{
	struct rig *rig = ctx;

	return rig->inner.unmap_pages(rig->inner.ctx, iova, pgsize, count, gather);
}

static inline uint64_t spy_iova_to_phys(void *ctx, uint64_t iova)
{
	struct rig *rig = ctx;

	return rig->inner.iova_to_phys(rig->inner.ctx, iova);
}

static inline int spy_sync_map(void *ctx, uint64_t iova, uint64_t size)
{
	struct rig *rig = ctx;
	char line[64];

	snprintf(line, sizeof(line), "sync_map 0x%llx +0x%llx", (unsigned long long)iova,
	         (unsigned long long)size);
	say(&rig->told, line);
	return rig->setup.sync_err;
}

static inline void spy_sync_iotlb(void *ctx, const struct iommusim_gather *gather)
{
	struct rig *rig = ctx;
	char line[96];

	assert_ptr_equal(gather->domain, rig->domain);
	snprintf(line, sizeof(line), "sync_iotlb 0x%llx..0x%llx by 0x%llx",
	         (unsigned long long)gather->start, (unsigned long long)gather->last,
	         (unsigned long long)gather->pgsize);
	say(&rig->told, line);
}

/* ---- Setting up and tearing down ---- */

static inline struct iommusim_host host_of(struct rig *rig)
{
	struct iommusim_host host = iommusim_host_failing(&rig->fault);

	host.log = keep_line;
	host.event = keep_event;
	host.log_ctx = host.event_ctx = rig;
	return host;
}

static inline int try_recorder(struct rig *rig)
{
	struct iommusim_host host = host_of(rig);
	struct iommusim_recorder_config config = { .size = sizeof(config),
		                                   .cap = rig->setup.cap,
		                                   .fail_map = rig->setup.fail_map,
		                                   .fail_unmap = rig->setup.fail_unmap,
		                                   .keep_calls = 1,
		                                   .host = &host };

	return iommusim_recorder_create(&config, &rig->recorder);
}

static inline int try_domain(struct rig *rig)
{
	struct iommusim_host host = host_of(rig);
	struct iommusim_driver spy = { .size = sizeof(spy),
		                       .ctx = rig,
		                       .map_pages = spy_map,
		                       .unmap_pages = spy_unmap,
		                       .iova_to_phys = spy_iova_to_phys };
	struct iommusim_domain_config config = { .size = sizeof(config),
		                                 .kernel = rig->setup.kernel,
		                                 .pgsizes = rig->setup.pgsizes,
		                                 .driver = &spy,
		                                 .host = &host };

	if (rig->setup.with_sync) {
		spy.sync_map = spy_sync_map;
		spy.sync_iotlb = spy_sync_iotlb;
	}
	rig->inner =
		rig->setup.driver ? *rig->setup.driver : iommusim_recorder_driver(rig->recorder);
	return iommusim_domain_create(&config, &rig->domain);
}

/* After a failure, too, tear_down() is due. */
static inline int try_set_up(struct rig *rig, struct setup setup)
{
	int err;

	memset(rig, 0, sizeof(*rig));
	rig->setup = setup;
	rig->fault.fail_at = setup.fail_alloc;
	err = try_recorder(rig);
	return err ? err : try_domain(rig);
}

static inline void set_up(struct rig *rig, struct setup setup)
{
	assert_ok(try_set_up(rig, setup));
}

static inline void tear_down(struct rig *rig)
{
	iommusim_domain_destroy(rig->domain);
	iommusim_recorder_destroy(rig->recorder);
	assert_int_equal(rig->fault.nr_live, 0);
}

/* ---- Acting and looking ---- */

static inline int map(struct rig *rig, uint64_t iova, uint64_t pa, uint64_t size)
{
	struct iommusim_map range = {
		.iova = iova, .pa = pa, .size = size, .prot = RW, .gfp = IOMMUSIM_GFP_KERNEL
	};

	return iommusim_domain_map(rig->domain, &range);
}

static inline void name_call(char *line, size_t bytes, const struct iommusim_driver_call *call)
{
	char pages[48], to[24] = "", done[24] = "";

	name_pages(pages, sizeof(pages), call->pgsize, call->count);
	if (call->kind == 'm')
		snprintf(to, sizeof(to), ">0x%llx", (unsigned long long)call->pa);
	if (call->done != call->count)
		snprintf(done, sizeof(done), "/%llu", (unsigned long long)call->done);
	snprintf(line, bytes, "%c 0x%llx%s %s%s", call->kind, (unsigned long long)call->iova, to,
	         pages, done);
}

/* The driver calls since this was asked last: "m 0x1ff000>0x801ff000 4K*1; u 0x1ff000 4K*1". */
static inline const char *new_calls(struct rig *rig)
{
	size_t nr;
	const struct iommusim_driver_call *call = iommusim_recorder_calls(rig->recorder, &nr);
	char line[160];

	wipe(&rig->calls);
	for (; rig->nr_seen < nr; rig->nr_seen++) {
		name_call(line, sizeof(line), &call[rig->nr_seen]);
		say(&rig->calls, line);
	}
	return rig->calls.s;
}

/* Of the same calls, the pages alone. */
static inline const char *new_pages(struct rig *rig)
{
	size_t nr;
	const struct iommusim_driver_call *call = iommusim_recorder_calls(rig->recorder, &nr);
	char line[48];

	wipe(&rig->calls);
	for (; rig->nr_seen < nr; rig->nr_seen++) {
		name_pages(line, sizeof(line), call[rig->nr_seen].pgsize, call[rig->nr_seen].count);
		say(&rig->calls, line);
	}
	return rig->calls.s;
}

/* What was told since this was asked last. */
static inline const char *new_told(struct rig *rig)
{
	static char told[sizeof(rig->told.s)];

	memcpy(told, rig->told.s, sizeof(told));
	wipe(&rig->told);
	return told;
}

static inline void say_mapped(struct text *text, const struct iommusim_recorder *recorder)
{
	struct iommusim_mapped_range r = { .iova = 0 };
	char line[128];

	wipe(text);
	for (uint64_t at = 0; iommusim_recorder_next(recorder, at, &r); at = r.iova + r.size) {
		snprintf(line, sizeof(line), "0x%llx+0x%llx>0x%llx by 0x%llx %s%s",
		         (unsigned long long)r.iova, (unsigned long long)r.size,
		         (unsigned long long)r.pa, (unsigned long long)r.pgsize,
		         r.prot & IOMMUSIM_PROT_READ ? "r" : "",
		         r.prot & IOMMUSIM_PROT_WRITE ? "w" : "");
		say(text, line);
		if (r.iova + r.size < r.iova || !(r.iova + r.size))
			break;
	}
}

/* All that is mapped: "0x1000+0x2000>0x9000 by 0x1000 rw". */
static inline const char *mapped(struct rig *rig)
{
	say_mapped(&rig->mapped, rig->recorder);
	return rig->mapped.s;
}

#define assert_calls(rig, text)  assert_string_equal(new_calls(rig), text)
#define assert_told(rig, text)   assert_string_equal(new_told(rig), text)
#define assert_mapped(rig, text) assert_string_equal(mapped(rig), text)

/* A copy of @rig that shares its fault and its text. */
static inline int fork_both(const struct rig *rig, struct iommusim_recorder **recorder,
                            struct iommusim_domain **domain)
{
	struct iommusim_driver driver;
	int err = iommusim_recorder_fork(rig->recorder, recorder);

	if (err)
		return err;
	driver = iommusim_recorder_driver(*recorder);
	return iommusim_domain_fork(rig->domain, &driver, domain);
}

#endif

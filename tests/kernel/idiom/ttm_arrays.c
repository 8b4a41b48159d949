/* SPDX-License-Identifier: MIT */
/* As ttm.c, with a pool for each order: in 5.11 to 6.7 the largest order is a constant. */
#include <iommusim/kernel.h>

#if IOMMUSIM_KERNEL_VERSION < 6004
#define LARGEST (MAX_ORDER - 1)
static struct ttm_pool_type shared[MAX_ORDER];
#else
#define LARGEST MAX_ORDER
static struct ttm_pool_type shared[MAX_ORDER + 1];
#endif

static DECLARE_RWSEM(shared_lock);

static struct ttm_pool_type *pool_of(enum ttm_caching caching, unsigned int order)
{
	return caching == ttm_cached ? NULL : &shared[order];
}

static void give_back(struct ttm_tt *tt, unsigned int nr)
{
	unsigned int order;

	for (unsigned int i = 0; i < nr; i += 1U << order) {
		order = tt->pages[i]->private;
		__free_pages(tt->pages[i], order);
	}
}

static struct page *take(struct ttm_pool *pool, enum ttm_caching caching, gfp_t gfp,
                         unsigned int order)
{
	struct ttm_pool_type *type = pool_of(caching, order);
	struct page *page;

	down_read(&shared_lock);
	page = type ? ttm_pool_type_take(type) : NULL;
	up_read(&shared_lock);
	if (page)
		return page;
	if (order)
		gfp |= __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN | __GFP_KSWAPD_RECLAIM;
	page = alloc_pages_node(pool->nid, gfp, order);
	if (page)
		page->private = order;
	return page;
}

static int fill(struct ttm_pool *pool, struct ttm_tt *tt, struct ttm_operation_ctx *ctx)
{
	unsigned int done = 0, order = LARGEST;
	gfp_t gfp = GFP_USER | (pool->use_dma32 ? GFP_DMA32 : GFP_HIGHUSER);

	if (tt->page_flags & TTM_TT_FLAG_ZERO_ALLOC)
		gfp |= __GFP_ZERO;
	if (ctx->gfp_retry_mayfail)
		gfp |= __GFP_RETRY_MAYFAIL;
	while (done < tt->num_pages) {
		struct page *page;

		order = min_t(unsigned int, order, __fls(tt->num_pages - done));
		page = take(pool, tt->caching, gfp, order);
		if (!page && !order) {
			give_back(tt, done);
			return -ENOMEM;
		}
		if (!page) {
			order--;
			continue;
		}
		for (unsigned int i = 0; i < 1U << order; i++)
			tt->pages[done++] = page + i;
	}
	return 0;
}

IOMMUSIM_KERNEL_POLICY(fill)

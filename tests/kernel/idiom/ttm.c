/* SPDX-License-Identifier: MIT */
/* TTM's pool, its pools empty: blocks stay whole, an order that failed is not tried again. */
#include <iommusim/kernel.h>

#if IOMMUSIM_KERNEL_VERSION >= 6008
static struct ttm_pool_type shared_pools[NR_PAGE_ORDERS];
#endif

static struct page *get_block(struct ttm_pool *pool, gfp_t gfp, unsigned int order)
{
	struct page *p;

	if (order)
#if IOMMUSIM_KERNEL_VERSION >= 6012
		gfp |= __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN | __GFP_THISNODE;
#else
		gfp |= __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN | __GFP_KSWAPD_RECLAIM;
#endif
	p = alloc_pages_node(pool->nid, gfp, order);
	if (p)
		p->private = order;
	return p;
}

static int fill(struct ttm_pool *pool, struct ttm_tt *tt, struct ttm_operation_ctx *ctx)
{
	unsigned int left = tt->num_pages, order, done = 0, most;
	gfp_t gfp = GFP_USER;

	WARN_ON(!left || ttm_tt_is_populated(tt));
#if IOMMUSIM_KERNEL_VERSION >= 6008
	WARN_ON(shared_pools[NR_PAGE_ORDERS - 1].pool);
#endif
	if (tt->page_flags & TTM_TT_FLAG_ZERO_ALLOC)
		gfp |= __GFP_ZERO;
	if (ctx->gfp_retry_mayfail)
		gfp |= __GFP_RETRY_MAYFAIL;
	gfp |= pool->use_dma32 ? GFP_DMA32 : GFP_HIGHUSER;
#if IOMMUSIM_KERNEL_VERSION < 6004
	most = MAX_ORDER - 1;
#else
	most = MAX_PAGE_ORDER;
#endif
	for (order = min_t(unsigned int, most, __fls(left)); left;
	     order = min_t(unsigned int, order, __fls(left))) {
		struct page *p = get_block(pool, gfp, order);
		unsigned int i;

		if (!p) {
			if (!order)
				goto error;
			--order;
			continue;
		}
		for (i = 0; i < 1U << order; i++)
			tt->pages[done++] = p + i;
		left -= 1U << order;
	}
	return 0;

error:
	for (unsigned int i = 0; i < done;) {
		unsigned int o = tt->pages[i]->private;

		set_pages_wb(tt->pages[i], 1 << o);
		__free_pages(tt->pages[i], o);
		i += 1U << o;
	}
	return -ENOMEM;
}

IOMMUSIM_KERNEL_POLICY(fill)

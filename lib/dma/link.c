/* SPDX-License-Identifier: MIT */
/*
 * One IOVA range for pieces that the driver links in one by one. Models the IOVA-link calls of
 * drivers/iommu/dma-iommu.c, Linux 6.16.
 */
#include <string.h>

#include "dma/device.h"

static uint64_t offset_of(const struct iommusim_dma *dma, uint64_t addr)
{
	return addr & (isim_dma_granule(dma) - 1);
}

/* The granules of the whole range. */
static uint64_t whole(const struct iommusim_dma *dma, const struct iommusim_dma_iova *state)
{
	return isim_align_up(state->size + offset_of(dma, state->addr), isim_dma_granule(dma));
}

int iommusim_dma_iova_try_alloc(struct iommusim_dma *dma, struct iommusim_dma_iova *state,
                                uint64_t pa, uint64_t size)
{
	uint64_t granule = isim_dma_granule(dma), off = offset_of(dma, pa), iova;
	int err;

	memset(state, 0, sizeof(*state));
	if (dma->config.kernel < IOMMUSIM_KERNEL(6, 16))
		return isim_fail(&dma->diag, IOMMUSIM_ENODEV, "IOVA is linked since Linux 6.16");
	if (!size || size > UINT64_MAX - 2 * granule)
		return isim_fail(&dma->diag, IOMMUSIM_EINVAL, "0x%llx bytes are no range",
		                 (unsigned long long)size);
	err = isim_dma_get_iova(dma, isim_align_up(size + off, granule), dma->config.streaming_mask,
	                        &iova);
	if (err)
		return err;
	dma->stats.nr_map++;
	state->addr = iova + off;
	state->size = size;
	return 0;
}

void iommusim_dma_iova_free(struct iommusim_dma *dma, struct iommusim_dma_iova *state)
{
	if (state->size) {
		isim_dma_put_iova(dma, state->addr - offset_of(dma, state->addr),
		                  whole(dma, state));
		dma->stats.nr_unmap++;
	}
	memset(state, 0, sizeof(*state));
}

/* ---- Linking ---- */

/* The granules that hold @size bytes at @pa; both addresses are as far into one. */
static int link_range(struct iommusim_dma *dma, uint64_t addr, uint64_t pa,
                      const struct iommusim_dma_piece *piece)
{
	uint64_t pad = offset_of(dma, pa);
	struct iommusim_map map = { .iova = addr - pad,
		                    .pa = pa - pad,
		                    .size = isim_align_up(piece->size + pad, isim_dma_granule(dma)),
		                    .prot = isim_dma_prot(dma, piece->direction, piece->attrs),
		                    .gfp = isim_dma_atomic_gfp(dma) };

	return iommusim_domain_map_nosync(dma->config.domain, &map);
}

/* A part of @piece, @size bytes from @done on, in a bounce buffer or as it is. */
static int link_part(struct iommusim_dma *dma, struct iommusim_dma_iova *state,
                     const struct iommusim_dma_piece *piece, uint64_t done, uint64_t size)
{
	struct iommusim_dma_piece part = *piece;
	uint64_t pa = piece->pa + done;
	int is_bounced = ((pa | size) & (isim_dma_granule(dma) - 1)) != 0, err = 0;

	part.size = size;
	if (!size)
		return 0;
	if (is_bounced)
		err = isim_dma_bounce(dma, &pa, size);
	if (err)
		return err;
	isim_dma_sync_device(dma, size, piece->attrs);
	err = link_range(dma, state->addr + piece->offset + done, pa, &part);
	if (err && is_bounced)
		isim_swiotlb_put(dma, pa);
	state->is_bounced |= (unsigned)(is_bounced && !err);
	return err;
}

/* Head and tail that do not fill a granule are bounced, what is between them is linked as it is. */
static int link_bounced(struct iommusim_dma *dma, struct iommusim_dma_iova *state,
                        const struct iommusim_dma_piece *piece)
{
	uint64_t granule = isim_dma_granule(dma), pad = offset_of(dma, piece->pa);
	uint64_t head = pad ? granule - pad : 0, tail, parts[3], done = 0;

	if (head > piece->size)
		head = piece->size;
	tail = (piece->size - head) & (granule - 1);
	parts[0] = head;
	parts[1] = piece->size - head - tail;
	parts[2] = tail;
	for (unsigned i = 0; i < 3; i++) {
		int err = link_part(dma, state, piece, done, parts[i]);
		struct iommusim_dma_piece linked = *piece;

		if (err) {
			linked.size = done;
			linked.attrs |= IOMMUSIM_ATTR_SKIP_CPU_SYNC;
			if (done)
				iommusim_dma_iova_unlink(dma, state, &linked);
			return err;
		}
		done += parts[i];
	}
	return 0;
}

static int check_piece(struct iommusim_dma *dma, const struct iommusim_dma_iova *state,
                       uint64_t offset, uint64_t size)
{
	if (size && offset <= state->size && size <= state->size - offset)
		return 0;
	return isim_fail(&dma->diag, IOMMUSIM_EINVAL,
	                 "0x%llx bytes at offset 0x%llx are beyond the range of 0x%llx",
	                 (unsigned long long)size, (unsigned long long)offset,
	                 (unsigned long long)state->size);
}

int iommusim_dma_iova_link(struct iommusim_dma *dma, struct iommusim_dma_iova *state,
                           const struct iommusim_dma_piece *piece)
{
	int err = check_piece(dma, state, piece->offset, piece->size);

	if (err)
		return err;
	if (offset_of(dma, piece->pa) != offset_of(dma, state->addr + piece->offset) ||
	    (offset_of(dma, piece->pa) && piece->offset))
		return isim_fail(&dma->diag, IOMMUSIM_EIO,
		                 "a piece at 0x%llx cannot start at offset 0x%llx",
		                 (unsigned long long)piece->pa, (unsigned long long)piece->offset);
	if (isim_dma_needs_bounce(dma, piece->pa, piece->size, piece->direction))
		return link_bounced(dma, state, piece);
	isim_dma_sync_device(dma, piece->size, piece->attrs);
	return link_range(dma, state->addr + piece->offset, piece->pa, piece);
}

int iommusim_dma_iova_sync(struct iommusim_dma *dma, const struct iommusim_dma_iova *state,
                           uint64_t offset, uint64_t size)
{
	uint64_t addr = state->addr + offset, pad = offset_of(dma, addr);

	return iommusim_domain_sync_map(dma->config.domain, addr - pad,
	                                isim_align_up(size + pad, isim_dma_granule(dma)));
}

/* ---- Unlinking ---- */

/* What stands in bounce buffers is copied back and freed, granule by granule, before the unmap: as
   Linux does it. */
static void unbounce(struct iommusim_dma *dma, uint64_t addr,
                     const struct iommusim_dma_piece *piece)
{
	uint64_t done = 0;

	while (done < piece->size) {
		uint64_t room = isim_dma_granule(dma) - offset_of(dma, addr + done);
		struct iommusim_dma_mapping m = { .size = room < piece->size - done
			                                          ? room
			                                          : piece->size - done,
			                          .direction = piece->direction,
			                          .attrs = piece->attrs };

		isim_dma_unbounce(
			dma, iommusim_domain_iova_to_phys(dma->config.domain, addr + done), &m);
		done += m.size;
	}
}

static int unlink_piece(struct iommusim_dma *dma, struct iommusim_dma_iova *state,
                        const struct iommusim_dma_piece *piece, int may_queue)
{
	uint64_t addr = state->addr + piece->offset, pad = offset_of(dma, addr), done;
	uint64_t bytes = isim_align_up(piece->size + pad, isim_dma_granule(dma));

	isim_dma_sync_cpu(dma, piece->size, piece->attrs);
	if (state->is_bounced)
		unbounce(dma, addr, piece);
	done = isim_dma_unmap(dma, addr - pad, bytes, may_queue);
	if (done == bytes)
		return 0;
	return isim_fail(&dma->diag, IOMMUSIM_EIO,
	                 "the driver unmapped 0x%llx of 0x%llx bytes at 0x%llx",
	                 (unsigned long long)done, (unsigned long long)bytes,
	                 (unsigned long long)(addr - pad));
}

int iommusim_dma_iova_unlink(struct iommusim_dma *dma, struct iommusim_dma_iova *state,
                             const struct iommusim_dma_piece *piece)
{
	int err = check_piece(dma, state, piece->offset, piece->size);

	return err ? err : unlink_piece(dma, state, piece, 0);
}

int iommusim_dma_iova_destroy(struct iommusim_dma *dma, struct iommusim_dma_iova *state,
                              const struct iommusim_dma_piece *mapped)
{
	int err;

	if (!mapped->size) {
		iommusim_dma_iova_free(dma, state);
		return 0;
	}
	err = check_piece(dma, state, mapped->offset, mapped->size);
	if (err)
		return err;
	err = unlink_piece(dma, state, mapped, 1);
	isim_dma_release_iova(dma, state->addr - offset_of(dma, state->addr), whole(dma, state));
	memset(state, 0, sizeof(*state));
	return err;
}

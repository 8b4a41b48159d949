/* SPDX-License-Identifier: MIT */
/*
 * gfp flags as text. One table in the order in which the kernel's trace events try the names: an
 * entry whose bits are all there is printed and its bits are used up.
 */
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/host.h"
#include "iommusim/phys.h"

#define BIT(name) IOMMUSIM_GFP_BIT_##name

#define HIGHUSER_MOVABLE (IOMMUSIM_GFP_HIGHUSER | BIT(MOVABLE))
#define TRANSHUGE_LIGHT \
	((HIGHUSER_MOVABLE | BIT(COMP) | BIT(NOMEMALLOC) | BIT(NOWARN)) & ~IOMMUSIM_GFP_RECLAIM)

/* @until, @since: the kernels that know the name so; 0: all. */
static const struct name {
	const char *text;
	uint32_t bits;
	unsigned since, until;
} names[] = {
	{ "GFP_TRANSHUGE", TRANSHUGE_LIGHT | BIT(DIRECT_RECLAIM), 0, 0 },
	{ "GFP_TRANSHUGE_LIGHT", TRANSHUGE_LIGHT, 0, 0 },
	{ "GFP_HIGHUSER_MOVABLE", HIGHUSER_MOVABLE, 0, 0 },
	{ "GFP_HIGHUSER", IOMMUSIM_GFP_HIGHUSER, 0, 0 },
	{ "GFP_USER", IOMMUSIM_GFP_USER, 0, 0 },
	{ "GFP_KERNEL_ACCOUNT", IOMMUSIM_GFP_KERNEL | BIT(ACCOUNT), 0, 0 },
	{ "GFP_KERNEL", IOMMUSIM_GFP_KERNEL, 0, 0 },
	{ "GFP_NOFS", IOMMUSIM_GFP_RECLAIM | BIT(IO), 0, 0 },
	{ "GFP_ATOMIC", IOMMUSIM_GFP_ATOMIC_6_1, 0, IOMMUSIM_KERNEL(6, 11) },
	{ "GFP_ATOMIC", IOMMUSIM_GFP_ATOMIC_6_12, IOMMUSIM_KERNEL(6, 12), 0 },
	{ "GFP_NOIO", IOMMUSIM_GFP_RECLAIM, 0, 0 },
	{ "GFP_NOWAIT", IOMMUSIM_GFP_NOWAIT_6_1, 0, IOMMUSIM_KERNEL(6, 11) },
	{ "GFP_NOWAIT", IOMMUSIM_GFP_NOWAIT_6_12, IOMMUSIM_KERNEL(6, 12), 0 },
	{ "GFP_DMA", BIT(DMA), 0, 0 },
	{ "__GFP_HIGHMEM", BIT(HIGHMEM), 0, 0 },
	{ "GFP_DMA32", BIT(DMA32), 0, 0 },
	{ "__GFP_HIGH", BIT(HIGH), 0, 0 },
	{ "__GFP_ATOMIC", BIT(ATOMIC), 0, IOMMUSIM_KERNEL(6, 11) },
	{ "__GFP_IO", BIT(IO), 0, 0 },
	{ "__GFP_FS", BIT(FS), 0, 0 },
	{ "__GFP_NOWARN", BIT(NOWARN), 0, 0 },
	{ "__GFP_RETRY_MAYFAIL", BIT(RETRY_MAYFAIL), 0, 0 },
	{ "__GFP_NOFAIL", BIT(NOFAIL), 0, 0 },
	{ "__GFP_NORETRY", BIT(NORETRY), 0, 0 },
	{ "__GFP_COMP", BIT(COMP), 0, 0 },
	{ "__GFP_ZERO", BIT(ZERO), 0, 0 },
	{ "__GFP_NOMEMALLOC", BIT(NOMEMALLOC), 0, 0 },
	{ "__GFP_MEMALLOC", BIT(MEMALLOC), 0, 0 },
	{ "__GFP_HARDWALL", BIT(HARDWALL), 0, 0 },
	{ "__GFP_THISNODE", BIT(THISNODE), 0, 0 },
	{ "__GFP_RECLAIMABLE", BIT(RECLAIMABLE), 0, 0 },
	{ "__GFP_MOVABLE", BIT(MOVABLE), 0, 0 },
	{ "__GFP_ACCOUNT", BIT(ACCOUNT), 0, 0 },
	{ "__GFP_WRITE", BIT(WRITE), 0, 0 },
	{ "__GFP_RECLAIM", IOMMUSIM_GFP_RECLAIM, 0, 0 },
	{ "__GFP_DIRECT_RECLAIM", BIT(DIRECT_RECLAIM), 0, 0 },
	{ "__GFP_KSWAPD_RECLAIM", BIT(KSWAPD_RECLAIM), 0, 0 },
	{ "__GFP_ZEROTAGS", BIT(ZEROTAGS), 0, 0 },
	/* Accepted, never printed: the zone names above are what the kernel prints. */
	{ "__GFP_DMA", BIT(DMA), 0, 0 },
	{ "__GFP_DMA32", BIT(DMA32), 0, 0 },
};

static int is_known(const struct name *name, unsigned kernel)
{
	return kernel >= name->since && (!name->until || kernel <= name->until);
}

/* Append @piece, after a '|' unless it is the first, as far as there is room. */
static size_t append(char *text, size_t bytes, size_t need, const char *piece)
{
	const char *glue = need ? "|" : "";

	if (need < bytes)
		snprintf(text + need, bytes - need, "%s%s", glue, piece);
	return need + strlen(glue) + strlen(piece);
}

size_t iommusim_gfp_format(uint32_t gfp, unsigned kernel, char *text, size_t bytes)
{
	size_t need = 0;
	char rest[16];

	if (bytes)
		text[0] = 0;
	if (!gfp)
		return append(text, bytes, 0, "none");
	kernel = isim_kernel(kernel);
	for (size_t i = 0; i < ISIM_ARRAY_LEN(names); i++) {
		if (!is_known(&names[i], kernel) || (gfp & names[i].bits) != names[i].bits)
			continue;
		need = append(text, bytes, need, names[i].text);
		gfp &= ~names[i].bits;
	}
	if (gfp) {
		snprintf(rest, sizeof(rest), "0x%lx", (unsigned long)gfp);
		need = append(text, bytes, need, rest);
	}
	return need;
}

/* The bits of one name, or of a hexadecimal number, of @length characters. 0: neither. */
static uint32_t bits_of(const char *text, size_t length, unsigned kernel)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < ISIM_ARRAY_LEN(names); i++)
		if (strlen(names[i].text) == length && !strncmp(names[i].text, text, length) &&
		    is_known(&names[i], kernel))
			return names[i].bits;
	if (length < 3 || length > 10 || text[0] != '0' || text[1] != 'x')
		return 0;
	for (size_t i = 2; i < length; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = strchr(digits, text[i]);

		if (!digit)
			return 0;
		bits = bits << 4 | (uint32_t)(digit - digits);
	}
	return bits;
}

int iommusim_gfp_parse(const char *text, unsigned kernel, uint32_t *gfp)
{
	uint32_t all = 0;

	kernel = isim_kernel(kernel);
	if (!strcmp(text, "none")) {
		*gfp = 0;
		return 0;
	}
	for (;;) {
		size_t length = strcspn(text, "|");
		uint32_t bits = bits_of(text, length, kernel);

		if (!bits)
			return -IOMMUSIM_EINVAL;
		all |= bits;
		if (!text[length])
			break;
		text += length + 1;
	}
	*gfp = all;
	return 0;
}

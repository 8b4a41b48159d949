/* SPDX-License-Identifier: MIT */
/*
 * Words of Arm short descriptors: sections and supersections at level 1, small and large pages at
 * level 0, and MediaTek's addresses of 35 bits in them. Arm counts its levels from 1 at the top.
 */
#ifndef ISIM_PGTABLE_V7S_WORDS_H
#define ISIM_PGTABLE_V7S_WORDS_H

#include "pgtable/word.h"

#define V7S_TYPE  PT_BITS(1, 0)
#define V7S_TABLE PT_BIT(0)  /* level 1 */
#define V7S_LARGE PT_BIT(0)  /* level 0 */
#define V7S_SMALL PT_BIT(1)  /* level 0; at level 1 the type of a section */
#define V7S_SUPER PT_BIT(18) /* level 1, with the type of a section */

#define NS_TABLE   PT_BIT(3)
#define NS_SECTION PT_BIT(19)
#define B          PT_BIT(2)
#define C          PT_BIT(3)

/* Attributes at bit 4 of a small page and bit 10 of a section. */
#define AF     PT_BIT(0)
#define UNPRIV PT_BIT(1)
#define TEX(n) ((uint64_t)(n) << 2)
#define RDONLY PT_BIT(5)
#define SHARED PT_BIT(6)
#define NG     PT_BIT(7)

#define XN_SECTION PT_BIT(4)
#define XN_SMALL   PT_BIT(0)
#define XN_LARGE   PT_BIT(15)
#define TEX_SMALL  PT_BITS(8, 6)
#define TEX_LARGE  PT_BITS(14, 12)

static inline unsigned v7s_attribute_shift(unsigned level)
{
	return level ? 10 : 4;
}

static inline enum isim_word_kind v7s_kind(const struct iommusim_pgtable *p, uint64_t word,
                                           unsigned level)
{
	if (!(word & V7S_TYPE))
		return ISIM_WORD_EMPTY;
	return level && (word & V7S_TYPE) == V7S_TABLE ? ISIM_WORD_TABLE : ISIM_WORD_LEAF;
}

/* ---- Runs of 16 ---- */

static inline int v7s_is_run(uint64_t word, unsigned level)
{
	if (level)
		return (word & V7S_TYPE) != V7S_TABLE && word & V7S_SUPER;
	return !(word & V7S_SMALL);
}

static inline unsigned v7s_run_lg2(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	return v7s_is_run(word, level) ? 4 : 0;
}

static inline uint64_t v7s_to_run(uint64_t word, unsigned level)
{
	if (level)
		return word | V7S_SUPER;
	return (word & ~(XN_SMALL | TEX_SMALL | V7S_SMALL)) | (word & XN_SMALL) << 15 |
	       (word & TEX_SMALL) << 6 | V7S_LARGE;
}

static inline uint64_t v7s_from_run(uint64_t word, unsigned level)
{
	if (level)
		return word & ~V7S_SUPER;
	return (word & ~(XN_LARGE | TEX_LARGE | V7S_LARGE)) | (word & XN_LARGE) >> 15 |
	       (word & TEX_LARGE) >> 6 | V7S_SMALL;
}

/* ---- Attributes ---- */

static inline uint64_t v7s_attributes(const struct iommusim_pgtable *p, unsigned prot,
                                      unsigned level)
{
	int has_perms = !(p->config.quirks & IOMMUSIM_QUIRK_NO_PERMS);
	uint64_t bits = NG | SHARED | (prot & IOMMUSIM_PROT_MMIO ? 0 : TEX(1)), word;

	if (has_perms) {
		bits |= AF | (prot & IOMMUSIM_PROT_PRIV ? 0 : UNPRIV);
		bits |= prot & IOMMUSIM_PROT_WRITE ? 0 : RDONLY;
	}
	word = bits << v7s_attribute_shift(level) | V7S_SMALL; /* a section has the same type */
	if (has_perms && prot & IOMMUSIM_PROT_NOEXEC)
		word |= level ? XN_SECTION : XN_SMALL;
	if (prot & IOMMUSIM_PROT_MMIO)
		word |= B;
	else if (prot & IOMMUSIM_PROT_CACHE)
		word |= B | C;
	if (level && p->config.quirks & IOMMUSIM_QUIRK_ARM_NS)
		word |= NS_SECTION;
	return word;
}

static inline uint64_t v7s_attributes_of(const struct iommusim_pgtable *p, unsigned prot,
                                         unsigned form)
{
	unsigned level = form & ISIM_FORM_UPPER;
	uint64_t word = v7s_attributes(p, prot, level);

	return form & ISIM_FORM_RUN ? v7s_to_run(word, level) : word;
}

/* What a section or a small page tells; at level 1 it is what Linux makes of one. */
static inline unsigned v7s_prot_of(uint64_t word, unsigned level)
{
	uint64_t bits = word >> v7s_attribute_shift(level);
	unsigned prot = IOMMUSIM_PROT_READ;

	prot |= bits & RDONLY ? 0 : IOMMUSIM_PROT_WRITE;
	prot |= bits & UNPRIV ? 0 : IOMMUSIM_PROT_PRIV;
	prot |= !(bits & TEX(7)) ? IOMMUSIM_PROT_MMIO : word & C ? IOMMUSIM_PROT_CACHE : 0;
	return prot | (word & (level ? XN_SECTION : XN_SMALL) ? IOMMUSIM_PROT_NOEXEC : 0);
}

/* Without permissions in the words everything is allowed. */
static inline unsigned v7s_prot(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	unsigned prot;

	if (v7s_is_run(word, level))
		word = v7s_from_run(word, level);
	prot = v7s_prot_of(word, level);
	if (p->config.quirks & IOMMUSIM_QUIRK_NO_PERMS)
		prot = (prot & ~(IOMMUSIM_PROT_PRIV | IOMMUSIM_PROT_NOEXEC)) | IOMMUSIM_PROT_WRITE;
	return prot;
}

/* ---- Addresses ---- */

static inline uint64_t v7s_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return (pa & (level ? PT_BITS(31, 20) : PT_BITS(31, 12))) | attributes;
}

static inline uint64_t v7s_address(const struct iommusim_pgtable *p, uint64_t word, unsigned level)
{
	unsigned low = 12 + 8 * level;

	if (level && (word & V7S_TYPE) == V7S_TABLE)
		low = 10;
	else if (v7s_is_run(word, level))
		low += 4;
	return word & PT_BITS(31, low);
}

static inline uint64_t v7s_table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return (pa & PT_BITS(31, 10)) | V7S_TABLE |
	       (p->config.quirks & IOMMUSIM_QUIRK_ARM_NS ? NS_TABLE : 0);
}

/* Bits 34:32 of an address in every word. */
static inline uint64_t v7s_high_bits(uint64_t pa)
{
	return (pa >> 32 & 1) << 9 | (pa >> 33 & 1) << 4 | (pa >> 34 & 1) << 5;
}

static inline uint64_t v7s_mtk_leaf(uint64_t attributes, uint64_t pa, unsigned level)
{
	return v7s_leaf(attributes, pa, level) | v7s_high_bits(pa);
}

static inline uint64_t v7s_mtk_address(const struct iommusim_pgtable *p, uint64_t word,
                                       unsigned level)
{
	return v7s_address(p, word, level) | (word >> 9 & 1) << 32 | (word >> 4 & 1) << 33 |
	       (word >> 5 & 1) << 34;
}

static inline uint64_t v7s_mtk_table(const struct iommusim_pgtable *p, uint64_t pa, unsigned level)
{
	return v7s_table(p, pa, level) | v7s_high_bits(pa);
}

static inline enum iommusim_fault_cause v7s_fault(const struct iommusim_pgtable *p, uint64_t word,
                                                  unsigned level)
{
	if (v7s_kind(p, word, level) == ISIM_WORD_TABLE ||
	    p->config.quirks & IOMMUSIM_QUIRK_NO_PERMS)
		return IOMMUSIM_FAULT_NONE;
	return word >> v7s_attribute_shift(level) & AF ? IOMMUSIM_FAULT_NONE
	                                               : IOMMUSIM_FAULT_ACCESS_FLAG;
}

static const uint8_t v7s_shifts[IOMMUSIM_MAX_LEVELS] = { 12, 20 };
static const uint8_t v7s_indices[IOMMUSIM_MAX_LEVELS] = { 8, 12 };

#endif

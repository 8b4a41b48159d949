/* SPDX-License-Identifier: MIT */
/* One row: its texts become a struct, or it says which column is wrong. */
#include "catalog/catalog.h"

#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "base/compiler.h"

const char *const isim_catalog_columns[ISIM_CATALOG_COLUMNS] = {
	"id",
	"driver",
	"config",
	"first_kernel",
	"last_kernel",
	"pgsize_bitmap",
	"min_granule",
	"iova_bits",
	"pa_bits",
	"page_table_format",
	"levels",
	"contiguous_hint",
	"cpu_archs",
	"cpu_page_sizes",
	"coherent_walk",
	"uses_dma_iommu",
	"aperture_start",
	"aperture_end",
	"source_file",
	"kernel_read",
	"verified",
	"notes",
	"row_kind",
};

/* A row being read: the first thing that is wrong stays. */
struct reader {
	const char *const *text;
	struct isim_catalog_wrong *wrong;
	int err;
};

static void fail(struct reader *r, enum isim_catalog_column column, const char *why)
{
	if (r->err)
		return;
	r->err = -IOMMUSIM_EINVAL;
	r->wrong->column = column;
	snprintf(r->wrong->why, sizeof(r->wrong->why), "%s", why);
}

static int digit_of(char c, unsigned base)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? memchr(digits, c, base) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Digits of @base up to the end of @text. 0: they are none, or too large. */
static int read_digits(const char *text, unsigned base, uint64_t *value)
{
	uint64_t n = 0;

	if (!*text)
		return 0;
	for (; *text; text++) {
		int digit = digit_of(*text, base);

		if (digit < 0 || n > (UINT64_MAX - (unsigned)digit) / base)
			return 0;
		n = n * base + (unsigned)digit;
	}
	*value = n;
	return 1;
}

/* Decimal, at most @most; @empty where there is nothing. */
static uint64_t number(struct reader *r, enum isim_catalog_column column, uint64_t most,
                       uint64_t empty)
{
	uint64_t value = empty;

	if (*r->text[column] && !read_digits(r->text[column], 10, &value))
		fail(r, column, "is not a number");
	else if (*r->text[column] && value > most)
		fail(r, column, "is too large");
	return value;
}

static uint64_t hexadecimal(struct reader *r, enum isim_catalog_column column, uint64_t empty)
{
	const char *text = r->text[column];
	uint64_t value = empty;

	if (*text && (strncmp(text, "0x", 2) != 0 || !read_digits(text + 2, 16, &value)))
		fail(r, column, "is not a number");
	return value;
}

/* Up to @most digits at *text, which goes behind them. */
static int short_number(const char **text, unsigned most, unsigned *value)
{
	unsigned nr = 0;

	for (*value = 0; nr < most && digit_of(**text, 10) >= 0; nr++)
		*value = *value * 10 + (unsigned)digit_of(*(*text)++, 10);
	return nr > 0;
}

/* v6.12, ~v6.12, v2.6.37. */
static unsigned kernel(struct reader *r, enum isim_catalog_column column, unsigned *is_inferred)
{
	const char *text = r->text[column];
	unsigned major, minor, patch;
	int good;

	*is_inferred = *text == '~';
	text += *is_inferred;
	good = *text++ == 'v' && short_number(&text, 2, &major) && *text++ == '.' &&
	       short_number(&text, 3, &minor);
	if (good && *text == '.') {
		text++;
		good = short_number(&text, 3, &patch);
	}
	if (good && !*text)
		return IOMMUSIM_KERNEL(major, minor);
	fail(r, column, "is no release as v6.12 or ~v6.12");
	return 0;
}

/* A word and what it stands for. */
struct word {
	const char *name;
	unsigned value;
};

/* The sum of the words that are listed, with ';' between them. */
static unsigned words(struct reader *r, enum isim_catalog_column column, const struct word *known,
                      const char *why)
{
	const char *text = r->text[column];
	unsigned all = 0;

	for (;;) {
		size_t length = strcspn(text, ";");
		const struct word *w = known;

		while (w->name && (strlen(w->name) != length || strncmp(w->name, text, length)))
			w++;
		if (!w->name) {
			fail(r, column, why);
			return 0;
		}
		all |= w->value;
		if (!text[length])
			return all;
		text += length + 1;
	}
}

/* Exactly one of them. */
static unsigned one_word(struct reader *r, enum isim_catalog_column column,
                         const struct word *known, const char *why)
{
	if (strchr(r->text[column], ';')) {
		fail(r, column, why);
		return 0;
	}
	return words(r, column, known, why);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int mentions(const char *text, const char *word)
{
	for (; *text; text++) {
		size_t i = 0;

		while (word[i] && lower(text[i]) == word[i])
			i++;
		if (!word[i])
			return 1;
	}
	return 0;
}

static int speaks_of_aperture(const char *notes)
{
	return mentions(notes, "aperture") || mentions(notes, "address space") ||
	       mentions(notes, "window");
}

static void read_aperture(struct reader *r, struct iommusim_catalog_driver *row)
{
	int has_end = *r->text[ISIM_COLUMN_APERTURE_END] != 0;
	unsigned bits = row->iova_bits;

	row->has_aperture = *r->text[ISIM_COLUMN_APERTURE_START] != 0;
	row->aperture_start = hexadecimal(r, ISIM_COLUMN_APERTURE_START, 0);
	row->aperture_last = hexadecimal(r, ISIM_COLUMN_APERTURE_END, UINT64_MAX);
	if (has_end && !row->has_aperture)
		fail(r, ISIM_COLUMN_APERTURE_END, "has no aperture_start");
	if (row->aperture_last < row->aperture_start)
		fail(r, ISIM_COLUMN_APERTURE_END, "is below aperture_start");
	if (has_end && bits && row->aperture_last != UINT64_MAX &&
	    row->aperture_last & ~isim_low_bits(bits) && !speaks_of_aperture(row->notes))
		fail(r, ISIM_COLUMN_APERTURE_END,
		     "is outside iova_bits, and the notes do not say why");
}

static void read_id(struct reader *r, struct iommusim_catalog_driver *row)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";

	row->id = r->text[ISIM_COLUMN_ID];
	if (!*row->id || row->id[strspn(row->id, allowed)] || strchr("._-", *row->id))
		fail(r, ISIM_COLUMN_ID, "is no id of a-z, 0-9, '.', '_', '-'");
}

static void read_kernels(struct reader *r, struct iommusim_catalog_driver *row)
{
	row->first_kernel = kernel(r, ISIM_COLUMN_FIRST_KERNEL, &row->first_is_inferred);
	if (*r->text[ISIM_COLUMN_LAST_KERNEL])
		row->last_kernel = kernel(r, ISIM_COLUMN_LAST_KERNEL, &row->last_is_inferred);
	if (row->last_kernel && row->last_kernel < row->first_kernel)
		fail(r, ISIM_COLUMN_LAST_KERNEL, "is before first_kernel");
}

static void read_sizes(struct reader *r, struct iommusim_catalog_driver *row)
{
	row->pgsizes = hexadecimal(r, ISIM_COLUMN_PGSIZES, 0);
	if (*r->text[ISIM_COLUMN_PGSIZES] && !row->pgsizes)
		fail(r, ISIM_COLUMN_PGSIZES, "has no page size");
	if (row->pgsizes & 1)
		fail(r, ISIM_COLUMN_PGSIZES, "has a page of one byte");
	row->min_granule = number(r, ISIM_COLUMN_MIN_GRANULE, UINT64_MAX, 0);
	if (row->min_granule != (row->pgsizes & (~row->pgsizes + 1)))
		fail(r, ISIM_COLUMN_MIN_GRANULE, "is not the lowest bit of pgsize_bitmap");
	row->iova_bits = (unsigned)number(r, ISIM_COLUMN_IOVA_BITS, 64, 0);
	row->pa_bits = (unsigned)number(r, ISIM_COLUMN_PA_BITS, 64, 0);
	row->page_table_format = r->text[ISIM_COLUMN_FORMAT];
	if (!isim_catalog_format(row->page_table_format))
		fail(r, ISIM_COLUMN_FORMAT, "is no known format");
	row->levels = *r->text[ISIM_COLUMN_LEVELS] ? (int)number(r, ISIM_COLUMN_LEVELS, 6, 0) : -1;
}

static const struct word page_words[] = {
	{ "4096", 4096 }, { "8192", 8192 }, { "16384", 16384 }, { "65536", 65536 }, { NULL, 0 },
};
static const struct word backend_words[] = {
	{ "dma-iommu", IOMMUSIM_BACKEND_DMA_IOMMU },
	{ "arm-dma-mapping", IOMMUSIM_BACKEND_ARM },
	{ "own", IOMMUSIM_BACKEND_OWN },
	{ "none", 0 },
	{ NULL, 0 },
};
static const struct word walk_words[] = {
	{ "yes", 0 }, { "no", 0 }, { "cfg", 0 }, { "n/a", 0 }, { "?", 0 }, { NULL, 0 },
};
static const struct word verified_words[] = { { "yes", 1 }, { "no", 0 }, { NULL, 0 } };
static const struct word kind_words[] = {
	{ "driver", IOMMUSIM_CATALOG_DRIVER },
	{ "library", IOMMUSIM_CATALOG_LIBRARY },
	{ "hypothetical", IOMMUSIM_CATALOG_HYPOTHETICAL },
	{ NULL, 0 },
};

static void read_words(struct reader *r, struct iommusim_catalog_driver *row)
{
	row->page_shifts = words(r, ISIM_COLUMN_CPU_PAGE_SIZES, page_words,
	                         "has a size that is none of 4096, 8192, 16384, 65536");
	row->backends = words(r, ISIM_COLUMN_BACKENDS, backend_words,
	                      "is none of dma-iommu, arm-dma-mapping, own, none");
	one_word(r, ISIM_COLUMN_COHERENT_WALK, walk_words, "is none of yes, no, cfg, n/a, ?");
	row->is_verified = one_word(r, ISIM_COLUMN_VERIFIED, verified_words, "is none of yes, no");
	row->kind = (enum iommusim_catalog_kind)one_word(
		r, ISIM_COLUMN_KIND, kind_words, "is none of driver, library, hypothetical");
}

int isim_catalog_row(const char *const *text, struct iommusim_catalog_driver *row,
                     struct isim_catalog_wrong *wrong)
{
	struct reader r = { .text = text, .wrong = wrong };

	*row = (struct iommusim_catalog_driver){
		.driver = text[ISIM_COLUMN_DRIVER],
		.config = text[ISIM_COLUMN_CONFIG],
		.contiguous_hint = text[ISIM_COLUMN_CONTIGUOUS_HINT],
		.cpu_archs = text[ISIM_COLUMN_CPU_ARCHS],
		.coherent_walk = text[ISIM_COLUMN_COHERENT_WALK],
		.source_file = text[ISIM_COLUMN_SOURCE_FILE],
		.kernel_read = text[ISIM_COLUMN_KERNEL_READ],
		.notes = text[ISIM_COLUMN_NOTES],
	};
	read_id(&r, row);
	read_kernels(&r, row);
	read_sizes(&r, row);
	read_words(&r, row);
	read_aperture(&r, row);
	return r.err;
}

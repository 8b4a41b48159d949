# SPDX-License-Identifier: MIT
"""Turn the catalogue's CSV files into C tables; refuse rows that contradict themselves.

usage: generate.py DRIVERS.csv PLATFORMS.csv FORMATS.csv OUTPUT.c

The checks are those of parse.c and row.c, which read a user's own file; a test compares them.
"""

import re
import sys

DRIVER_COLUMNS = """id driver config first_kernel last_kernel pgsize_bitmap min_granule iova_bits
    pa_bits page_table_format levels contiguous_hint cpu_archs cpu_page_sizes coherent_walk
    uses_dma_iommu aperture_start aperture_end source_file kernel_read verified notes
    row_kind""".split()
FORMAT_COLUMNS = ["key", "pgtable", "quirks", "window"]
PLATFORM_COLUMNS = """id name cpu_arch cpu_page_size ram_bytes iommu_driver_id dma_masters dma_masks
    buffer_sizes why confidence notes""".split()
BACKENDS = {"dma-iommu": 1, "arm-dma-mapping": 2, "own": 4, "none": 0}
KINDS = {"driver": "DRIVER", "library": "LIBRARY", "hypothetical": "HYPOTHETICAL"}


class Wrong(Exception):
    pass


def fail(place, message):
    raise Wrong("%s:%d:%d: %s" % (*place, message))


def decoded(text, place):
    if b"\0" in text:
        fail(place, "a zero byte")
    if re.search(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        fail(place, "a control character in a field")
    try:
        return text.decode()
    except UnicodeDecodeError:
        fail(place, "text that is not UTF-8")


def records(name, data):
    """Each record as a list of (text, (name, line, column))."""
    fields, at, line = [], 3 if data.startswith(b"\xef\xbb\xbf") else 0, 1
    start = at
    while at < len(data):
        place = (name, line, at - start + 1)
        if data[at:at + 1] == b'"':
            text, at = b"", at + 1
            while True:
                end = data.find(b'"', at)
                if end < 0:
                    fail(place, "a quote that is not closed")
                text += data[at:end]
                line += data.count(b"\n", at, end)
                start = max(start, data.rfind(b"\n", 0, end) + 1)
                at = end + 1
                if data[at:at + 1] != b'"':
                    break
                text, at = text + b'"', at + 1
            if data[at:at + 1] not in (b",", b"\n", b"\r", b""):
                fail((name, line, at - start + 1), "text after a closing quote")
        else:
            end = at
            while data[end:end + 1] not in (b",", b"\n", b"\r", b""):
                if data[end:end + 1] == b'"':
                    fail((name, line, end - start + 1), "a quote inside a field")
                end += 1
            text, at = data[at:end], end
        if data[at:at + 1] == b"\r" and data[at:at + 2] != b"\r\n":
            fail((name, line, at - start + 1), "a carriage return alone")
        fields.append((decoded(text, place), place))
        if data[at:at + 1] == b",":
            at += 1
            if at == len(data) or data[at:at + 1] in (b"\n", b"\r"):
                fields.append(("", (name, line, at - start + 1)))
            else:
                continue
        if data[at:at + 2] == b"\r\n":
            at += 1
        at, line, start = at + 1, line + 1, at + 1
        yield fields
        fields = []


def rows(path, columns):
    name = path.replace("\\", "/").rsplit("/", 1)[-1]
    with open(path, "rb") as file:
        all_records = list(records(name, file.read()))
    if not all_records:
        fail((name, 1, 1), "no header line")
    header = [text for text, _ in all_records[0]]
    for text, place in all_records[0]:
        if text not in columns or header.count(text) > 1:
            fail(place, f"'{text}' is no column, or there twice")
    for column in columns:
        if column not in header:
            fail((name, 1, 1), f"the column {column} is missing")
    seen = set()
    for record in all_records[1:]:
        if len(record) == 1 and not record[0][0]:
            fail(record[0][1], "an empty line")
        if len(record) != len(header):
            fail(record[0][1], f"{len(record)} fields instead of {len(header)}")
        row = Row(zip(header, record))
        key = columns[0]
        row.check_id(key)
        if row[key] in seen:
            row.fail(key, "is there twice")
        seen.add(row[key])
        yield row


class Row(dict):
    """Texts by column; self.place says where each is."""

    def __init__(self, items):
        items = list(items)
        super().__init__((column, field[0]) for column, field in items)
        self.place = {column: field[1] for column, field in items}

    def fail(self, column, why):
        fail(self.place[column], f"{column}: '{self[column]}' {why}")

    def check_id(self, column):
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", self[column]):
            self.fail(column, "is no id of a-z, 0-9, '.', '_', '-'")

    def number(self, column, most=2**64 - 1, pattern="[0-9]+", base=10):
        text = self[column]
        if not re.fullmatch(pattern, text):
            self.fail(column, "is not a number")
        value = int(text, base)
        if value > most:
            self.fail(column, "is too large")
        return value

    def hexadecimal(self, column, most=2**64 - 1):
        return self.number(column, most, pattern="0x[0-9a-f]+", base=16)

    def optional(self, column, read, default=0):
        return read(column) if self[column] else default

    def one_of(self, column, names):
        if self[column] not in names:
            self.fail(column, f"is none of {', '.join(names)}")
        return self[column]


def quoted(text):
    out = "".join(c if " " <= c <= "~" and c not in '"\\?' else
                  "".join("\\%03o" % byte for byte in c.encode()) for c in text)
    return f'"{out}"'


def kernel(row, column):
    match = re.fullmatch(r"(~?)v([0-9]{1,2})\.([0-9]{1,3})(\.[0-9]{1,3})?", row[column])
    if not match:
        row.fail(column, "is no release as v6.12 or ~v6.12")
    return f"IOMMUSIM_KERNEL({int(match[2])}, {int(match[3])})", int(bool(match[1])), \
        int(match[2]) * 1000 + int(match[3])


def page_table_format(row):
    if row["pgtable"]:
        row.check_id("pgtable")
    quirks = row.hexadecimal("quirks", 2**32 - 1)
    return "{ %s, %s, UINT32_C(%#x), %u }" % (quoted(row["key"]), quoted(row["pgtable"]), quirks,
                                              row.one_of("window", ["no", "yes"]) == "yes")


def driver(row, formats):
    first = kernel(row, "first_kernel")
    last = kernel(row, "last_kernel") if row["last_kernel"] else ("0", 0, 0)
    if last[2] and last[2] < first[2]:
        row.fail("last_kernel", "is before first_kernel")
    pgsizes = row.optional("pgsize_bitmap", row.hexadecimal)
    if row["pgsize_bitmap"] and not pgsizes:
        row.fail("pgsize_bitmap", "has no page size")
    if pgsizes & 1:
        row.fail("pgsize_bitmap", "has a page of one byte")
    granule = row.optional("min_granule", row.number)
    if granule != pgsizes & -pgsizes:
        row.fail("min_granule", "is not the lowest bit of pgsize_bitmap")
    iova_bits = row.optional("iova_bits", lambda c: row.number(c, 64))
    pa_bits = row.optional("pa_bits", lambda c: row.number(c, 64))
    if row["page_table_format"] not in formats:
        row.fail("page_table_format", "is no known format")
    levels = row.optional("levels", lambda c: row.number(c, 6), -1)
    page_shifts = 0
    for size in row["cpu_page_sizes"].split(";"):
        if size not in ("4096", "8192", "16384", "65536"):
            row.fail("cpu_page_sizes", "has a size that is none of 4096, 8192, 16384, 65536")
        page_shifts |= int(size)
    backends = 0
    for name in row["uses_dma_iommu"].split(";"):
        if name not in BACKENDS:
            row.fail("uses_dma_iommu", f"is none of {', '.join(BACKENDS)}")
        backends |= BACKENDS[name]
    row.one_of("coherent_walk", ["yes", "no", "cfg", "n/a", "?"])
    row.one_of("verified", ["yes", "no"])
    row.one_of("row_kind", list(KINDS))
    start = row.optional("aperture_start", row.hexadecimal)
    end = row.optional("aperture_end", row.hexadecimal, 2**64 - 1)
    check_aperture(row, start, end, iova_bits)
    return "{ %s }" % ", ".join(
        [quoted(row[c]) for c in ("id", "driver", "config")] +
        [first[0], last[0], str(first[1]), str(last[1]), f"UINT64_C({pgsizes:#x})",
         f"UINT64_C({granule:#x})", str(iova_bits), str(pa_bits),
         quoted(row["page_table_format"]), str(levels), quoted(row["contiguous_hint"]),
         quoted(row["cpu_archs"]), f"{page_shifts:#x}", quoted(row["coherent_walk"]),
         f"{backends}u", str(int(bool(row["aperture_start"]))), f"UINT64_C({start:#x})",
         f"UINT64_C({end:#x})"] +
        [quoted(row[c]) for c in ("source_file", "kernel_read")] +
        [str(int(row["verified"] == "yes")), quoted(row["notes"]),
         "IOMMUSIM_CATALOG_" + KINDS[row["row_kind"]]])


def check_aperture(row, start, end, iova_bits):
    if row["aperture_end"] and not row["aperture_start"]:
        row.fail("aperture_end", "has no aperture_start")
    if end < start:
        row.fail("aperture_end", "is below aperture_start")
    said = re.search("aperture|address space|window", row["notes"], re.IGNORECASE)
    no_end = end == 2**64 - 1
    if row["aperture_end"] and not no_end and iova_bits and end >> iova_bits and not said:
        row.fail("aperture_end", "is outside iova_bits, and the notes do not say why")


def mask(row, item):
    name, _, value = item.partition("=")
    if re.fullmatch("[0-9]+", value) and 1 <= int(value) <= 64:
        last, known = 2**int(value) - 1, 1
    elif re.fullmatch("0x[0-9a-f]+-1", value):
        last, known = int(value[:-2], 16) - 1, 1
    elif value in ("~0", "?"):
        last, known = (2**64 - 1, 1) if value == "~0" else (2**32 - 1, 0)
    else:
        row.fail("dma_masks", "is not name=bits, an address limit, ~0 or ?")
    return f"{{ {quoted(name)}, UINT64_C({last:#x}), {known} }}"


def buffer(row, item):
    match = re.fullmatch(r"([^=]+)=([1-9][0-9]*)", item)
    if not match or int(match[2]) >= 2**64:
        row.fail("buffer_sizes", "is not name=bytes")
    return f"{{ {quoted(match[1])}, UINT64_C({match[2]}) }}"


def array(kind, name, items):
    if not items:
        return "", "NULL, 0"
    text = f"static const struct {kind} {name}[] = {{\n\t" + ",\n\t".join(items) + "\n};\n"
    return text, f"{name}, {len(items)}"


def platform(row, index, drivers):
    page = row.number("cpu_page_size", 65536)
    if page not in (4096, 8192, 16384, 65536):
        row.fail("cpu_page_size", "is none of 4096, 8192, 16384, 65536")
    ram = row.number("ram_bytes")
    if not ram or ram % page:
        row.fail("ram_bytes", "is not a multiple of the CPU page")
    if row["iommu_driver_id"] not in drivers:
        row.fail("iommu_driver_id", "is no id of drivers.csv")
    if str(page) not in drivers[row["iommu_driver_id"]]["cpu_page_sizes"].split(";"):
        row.fail("cpu_page_size", "is not among those of its driver's row")
    row.one_of("confidence", ["high", "medium", "low"])
    masks = [mask(row, item) for item in row["dma_masks"].split(";") if item]
    buffers = [buffer(row, item) for item in row["buffer_sizes"].split(";") if item]
    before_masks, masks = array("iommusim_catalog_mask", f"masks_{index}", masks)
    before_buffers, buffers = array("iommusim_catalog_buffer", f"buffers_{index}", buffers)
    return before_masks + before_buffers, "{ %s }" % ", ".join(
        [quoted(row[c]) for c in ("id", "name", "cpu_arch")] +
        [str(page.bit_length() - 1), f"UINT64_C({ram})", quoted(row["iommu_driver_id"]),
         quoted(row["dma_masters"]), masks, buffers] +
        [quoted(row[c]) for c in ("why", "confidence", "notes")])


def table(kind, name, items):
    return f"const struct {kind} {name}[] = {{\n\t" + ",\n\t".join(items) + \
        f"\n}};\nconst size_t {name}_nr = {len(items)};\n"


def generate(drivers_csv, platforms_csv, formats_csv):
    formats = {row["key"]: row for row in rows(formats_csv, FORMAT_COLUMNS)}
    drivers = {row["id"]: row for row in rows(drivers_csv, DRIVER_COLUMNS)}
    driver_rows = [driver(row, formats) for row in drivers.values()]
    platforms = [platform(row, index, drivers)
                 for index, row in enumerate(rows(platforms_csv, PLATFORM_COLUMNS))]
    return "\n".join(
        ["/* Generated by lib/catalog/generate.py from the CSV files beside it. */",
         '#include "catalog/catalog.h"\n',
         table("isim_catalog_format", "isim_catalog_formats",
               [page_table_format(row) for row in formats.values()]),
         table("iommusim_catalog_driver", "isim_catalog_drivers", driver_rows)] +
        [before for before, _ in platforms if before] +
        [table("iommusim_catalog_platform", "isim_catalog_platforms",
               [row for _, row in platforms])])


def main():
    try:
        text = generate(*sys.argv[1:4])
    except Wrong as wrong:
        sys.exit(str(wrong))
    with open(sys.argv[4], "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()

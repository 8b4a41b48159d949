# SPDX-License-Identifier: MIT
"""The build stops, with file, line and column, on rows that contradict themselves.

usage: test_generate.py LIB_CATALOG_DIR
"""

import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap

FOLDER = pathlib.Path(sys.argv[1])


def generate(drivers, platforms, formats):
    """Exit status, message and whether there is an output."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "drivers.csv").write_bytes(drivers.encode("utf-8", "surrogateescape"))
        (folder / "platforms.csv").write_text(platforms)
        (folder / "formats.csv").write_text(formats)
        done = subprocess.run([sys.executable, FOLDER / "generate.py", folder / "drivers.csv",
                               folder / "platforms.csv", folder / "formats.csv", folder / "out.c"],
                              capture_output=True, text=True)
        return done.returncode, done.stderr.strip(), (folder / "out.c").exists()


def read_all():
    return {name: (FOLDER / f"{name}.csv").read_text() for name in ("drivers", "platforms", "formats")}


def stops(file, old, new, want):
    def test():
        texts = read_all()
        if texts[file].count(old) < 1:
            return [f"'{old}' is not in {file}.csv"]
        texts[file] = texts[file].replace(old, new, 1)
        status, message, has_output = generate(**texts)
        return [] if status and want in message and not has_output else [f"{status} {message}"]
    return test


def the_files_as_they_are_are_fine():
    texts = read_all()
    texts["drivers"] = "\ufeff" + texts["drivers"]
    status, message, has_output = generate(**texts)
    return [] if status == 0 and has_output else [message]


BAD = [
    ("drivers", "0x40201000,4096,32,40", "0x40201000,8192,32,40",
     "drivers.csv:2:62: min_granule: '8192' is not the lowest bit"),
    ("drivers", "0x40201000,4096,32,40", "0x4020100g,4096,32,40", "pgsize_bitmap: '0x4020100g' is"),
    ("drivers", "arm-lpae-s1", "arm-lpae-s9", "page_table_format: 'arm-lpae-s9' is no known"),
    ("drivers", "0x0,0xffffffff,", "0x0,0x1ffffffff,", "is outside iova_bits"),
    ("drivers", "lib-lpae32-s2", "lib-lpae32-s1", "drivers.csv:3:1: id: 'lib-lpae32-s1' is there"),
    ("drivers", ",v4.0,", ",4.0,", "first_kernel: '4.0' is no release"),
    ("drivers", "4096;16384;65536", "4096;16384;65537", "cpu_page_sizes"),
    ("drivers", ",cfg,", ",maybe,", "coherent_walk: 'maybe' is none of"),
    ("drivers", "levels,", "stories,", "'stories' is no column"),
    ("drivers", ",library\n", ",library,x\n", "drivers.csv:2:1: 24 fields instead of 23"),
    ("drivers", ",library\n", ",library\n\n", "drivers.csv:3:1: an empty line"),
    ("drivers", ",library\n", ",lib\rrary\n", "a carriage return alone"),
    ("drivers", ",library\n", ",lib\0rary\n", "a zero byte"),
    ("drivers", ",library\n", ",lib\1rary\n", "a control character"),
    ("drivers", ",library\n", ",lib\udcffrary\n", "not UTF-8"),
    ("drivers", "0x40201000,4096,", "0x40201001,1,", "pgsize_bitmap: '0x40201001' has a page of one"),
    ("drivers", ",0x40201000,4096,32,40,", ",0x40201000,4096,65,40,", "iova_bits: '65' is too large"),
    ("formats", "arm-lpae-s2,arm-lpae-s2", "arm-lpae-s1,arm-lpae-s2",
     "formats.csv:3:1: key: 'arm-lpae-s1' is there twice"),
    ("formats", "arm-v7s,0xb", "arm-v7s,xb", "quirks: 'xb' is not a number"),
    ("formats", "arm-v7s,0xb", "arm-v7s,0x100000000", "quirks: '0x100000000' is too large"),
    ("formats", "amd-v1,amd-v1", "amd-v1,AMD v1", "pgtable: 'AMD v1' is no id"),
    ("formats", "rk-v1,0x0,no", "rk-v1,0x0,1", "window: '1' is none of no, yes"),
    ("formats", "key,pgtable", "key,format", "'format' is no column"),
    ("platforms", "mtk-v7s-4gb,", "mtk-v8s,", "iommu_driver_id: 'mtk-v8s' is no id of drivers.csv"),
    ("platforms", "display=32", "display=99", "dma_masks"),
    ("platforms", "nv12-1080p=3110400", "nv12-1080p=3.1", "buffer_sizes"),
    ("platforms", ",2147483648,", ",2147483649,", "ram_bytes: '2147483649' is not a multiple"),
]

tap.run([("the files as they are are fine", the_files_as_they_are_are_fine)] +
        [(f"stops at {new.strip()}", stops(file, old, new, want)) for file, old, new, want in BAD])

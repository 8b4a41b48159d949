# SPDX-License-Identifier: MIT
"""What the built library shows to the world: names of ours only, and no state.

usage: test_symbols.py NM SHARED_LIBRARY STATIC_LIBRARY
"""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap

NM, SHARED, STATIC = sys.argv[1:4]


def symbols(*args):
    """(type, name) of each symbol that nm lists."""
    out = subprocess.run([NM, *args], capture_output=True, text=True, check=True).stdout
    return [match.groups() for line in out.splitlines()
            if (match := re.match(r"[0-9a-f]*\s+(\w) (\S+)$", line))]


def exported():
    return [name for _, name in symbols("--dynamic", "--defined-only", SHARED)]


def only_our_names_are_exported():
    names = exported()
    return [name for name in names if not name.startswith("iommusim_")] + \
        ([] if names else ["nothing is exported"])


def the_archive_has_prefixed_names_only():
    return [name for kind, name in symbols("--extern-only", "--defined-only", STATIC)
            if kind != "U" and not name.startswith(("iommusim_", "isim_"))]


def the_library_has_no_variables():
    """Constant tables that hold pointers are in .data.rel.ro, which the loader makes read-only."""
    out = subprocess.run([NM, "--format=sysv", "--defined-only", STATIC],
                         capture_output=True, text=True, check=True).stdout
    rows = [[cell.strip() for cell in line.split("|")] for line in out.splitlines()]
    return [f"{row[0]} in {row[6]}" for row in rows
            if len(row) == 7 and re.match(r"\.t?(data|bss)(?!\.rel\.ro)|\*COM", row[6])]


tap.run([
    ("only iommusim_ names are exported", only_our_names_are_exported),
    ("the archive has prefixed names only", the_archive_has_prefixed_names_only),
    ("the library has no variables", the_library_has_no_variables),
])

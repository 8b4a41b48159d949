# SPDX-License-Identifier: MIT
"""The rules of the house that a machine can check: floors, names, lengths.

usage: test_house.py SOURCE_DIR
"""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap

ROOT = pathlib.Path(sys.argv[1])

# A room includes rooms of lower floors only.
FLOORS = {
    "base": 0,
    "phys": 1, "pgtable": 1, "iova": 1,
    "iotlb": 2, "chunk": 2, "domain": 2,
    "dma": 3, "catalog": 3,
    "machine": 4, "cost": 4,
    "trace": 5, "check": 5, "kernel": 5,
}

# Its headers have kernel names: no code in the library, and not among the headers of all.
HEADERS_ONLY = {"kernel"}

MAX_FILE = 500
MAX_FUNCTION = 60
SHORT_FUNCTION = 12
MAX_PARAMETERS = 5

# What the library must not do: print, stop, ask for the time, the environment, chance or memory.
BANNED = re.compile(
    r"\b(f?printf|puts|putchar|perror|abort|_?exit|time|clock|gettimeofday|getenv|s?rand|errno"
    r"|malloc|realloc)\s*\(|\b(stderr|stdout|errno)\b")
SEAM = "lib/base/host.c"  # where the default services are


def sources(*folders, suffixes=(".c", ".h")):
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*")
                  if path.suffix in suffixes)


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def room_of(path):
    """The room that a file of lib/ or include/ belongs to; None: it is the header of them all."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "lib":
        return parts[1]
    return parts[2].removesuffix(".h") if len(parts) > 2 else None


def without_comments(text):
    return re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.DOTALL)


def includes(path):
    """The rooms that a file includes, each with the line it stands on."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'#\s*include\s+"(?:iommusim/)?(\w+)(?:\.h|/)', line)
        if match:
            yield number, match[1]


def rooms_include_lower_floors_only():
    complaints = []
    for path in sources("lib", "include/iommusim"):
        room = room_of(path)
        for number, other in includes(path):
            if other not in FLOORS:
                complaints.append(f"{name_of(path)}:{number}: '{other}' is no room")
            elif other != room and FLOORS[other] >= FLOORS[room]:
                complaints.append(f"{name_of(path)}:{number}: {room} includes {other}")
    return complaints


def tools_include_public_headers_only():
    return [f"{name_of(path)}:{number}: includes {line}"
            for path in sources("tools", "tests/embed")
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if re.match(r'#\s*include\s+"(\.\.|lib|base|\w+/)', line)
            and '"iommusim/' not in line]


def a_room_has_the_same_name_everywhere():
    lib = {path.name for path in (ROOT / "lib").iterdir() if path.is_dir()}
    headers = {path.stem for path in (ROOT / "include/iommusim").glob("*.h")}
    tests = {path.name for path in (ROOT / "tests").iterdir() if path.name in FLOORS}
    everything = {room for _, room in includes(ROOT / "include/iommusim.h")}
    return [f"{room}: not in {where}" for room in sorted(lib | headers | tests | everything)
            for where, names in (("lib/", lib), ("include/iommusim/", headers),
                                 ("tests/", tests), ("iommusim.h", everything),
                                 ("the floors", set(FLOORS)))
            if room not in names and not (room in HEADERS_ONLY and where in ("lib/", "iommusim.h"))]


def the_top_level_is_fixed():
    allowed = {"include", "lib", "tests", "tools", "meson.build", "meson_options.txt", "LICENSE",
               "README.md", "CHANGELOG.md"}
    done = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True)
    names = {line.split("/")[0] for line in done.stdout.splitlines()} or \
        {path.name for path in ROOT.iterdir() if not path.name.startswith("build")}
    tracked = {name for name in names if not name.startswith(".")}
    return [f"{name}: does not belong there" for name in sorted(tracked - allowed)] + \
        [f"{name}: is missing" for name in sorted(allowed - tracked)]


def files_are_short():
    return [f"{name_of(path)}: {length} lines"
            for path in sources("lib", "include", "tools", "tests", suffixes=(".c", ".h", ".py"))
            if (length := len(path.read_text().splitlines())) > MAX_FILE]


def functions(path):
    """The line where each function starts, and its length with both braces."""
    start = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number - start + 1
            start = None


def functions_are_short():
    return [f"{name_of(path)}:{start}: {length} lines"
            for path in sources("lib", "tools", "tests")
            for start, length in functions(path) if length > MAX_FUNCTION]


def half_of_the_functions_are_very_short():
    lengths = sorted(length for path in sources("lib", "tools")
                     for _, length in functions(path))
    median = lengths[len(lengths) // 2]
    return [] if median < SHORT_FUNCTION else [f"half of {len(lengths)} have {median} and more"]


# A function's name and parameters, before its body or, with a prototype, its semicolon.
FUNCTION = re.compile(
    r"^(?!#|\s|typedef)[\w ,*()]*?\b(\w+)\(([^;{}()]*(?:\([^;{}()]*\)[^;{}()]*)*)\)\s*(?:;|\n\{)",
    flags=re.MULTILINE)


def nr_parameters(text):
    """Commas that are in no parentheses, and one."""
    flat = re.sub(r"\([^()]*\)", "", text)
    return flat.count(",") + 1


def functions_have_few_parameters():
    """But for those whose signatures are the kernel's, and macros, which have upper-case names."""
    kernels = [ROOT / "include/iommusim/kernel", ROOT / "tests/kernel/idiom"]
    return [f"{name_of(path)}:{text.count(chr(10), 0, match.start(1)) + 1}: {match[1]} has {number}"
            for path in sources("include", "lib", "tools", "tests")
            if not any(path.is_relative_to(folder) for folder in kernels)
            for text in [without_comments(path.read_text())]
            for match in FUNCTION.finditer(text)
            if not match[1].isupper()
            and (number := nr_parameters(match[2])) > MAX_PARAMETERS]


def the_library_prints_nothing_and_asks_nobody():
    return [f"{name_of(path)}:{number}: {line.strip()}"
            for path in sources("lib", "include")
            if name_of(path) != SEAM and room_of(path) not in HEADERS_ONLY
            for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1)
            if BANNED.search(re.sub(r'"[^"]*"', "", line))]


def every_file_names_its_licence():
    return [name_of(path)
            for path in sources("lib", "include", "tools", "tests", suffixes=(".c", ".h", ".py"))
            if "SPDX-License-Identifier: MIT" not in path.read_text().split("\n", 1)[0]]


def the_readme_shows_code_that_is_built():
    blocks = re.findall(r"```c\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    built = "".join(path.read_text() for path in sources("tests/embed", suffixes=(".c", ".cpp")))
    return [f"not in tests/embed: {block.splitlines()[0]} ..." for block in blocks
            if block not in built] + ([] if blocks else ["there is none"])


TABLE = re.compile(r"struct CMUnitTest tests\[(\d+) \+[^;=]*= \{(.*?)\};", flags=re.DOTALL)
ENTRY = re.compile(r"cmocka_unit_test\w*\(|TEST_ROW\(")


def no_test_is_written_over():
    """A table of tests with room for rows behind N others has N others."""
    return [f"{name_of(path)}: {len(ENTRY.findall(entries))} tests before the rows, not {nr}"
            for path in sources("tests", suffixes=(".c",)) for nr, entries in TABLE.findall(path.read_text())
            if len(ENTRY.findall(entries)) != int(nr)]


tap.run([
    ("rooms include lower floors only", rooms_include_lower_floors_only),
    ("tools and embedders include public headers only", tools_include_public_headers_only),
    ("a room has the same name everywhere", a_room_has_the_same_name_everywhere),
    ("the top level is fixed", the_top_level_is_fixed),
    ("files are short", files_are_short),
    ("functions are short", functions_are_short),
    ("functions have few parameters", functions_have_few_parameters),
    ("half of the functions are very short", half_of_the_functions_are_very_short),
    ("the library prints nothing and asks nobody", the_library_prints_nothing_and_asks_nobody),
    ("every file names its licence", every_file_names_its_licence),
    ("the README shows code that is built", the_readme_shows_code_that_is_built),
    ("no test is written over", no_test_is_written_over),
])

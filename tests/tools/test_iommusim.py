# SPDX-License-Identifier: MIT
"""The program as its user meets it: what it says of known machines, and of input that is wrong.

usage: test_iommusim.py IOMMUSIM DATA_DIR MAN_PAGE
"""

import csv
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap

PROGRAM, DATA, MAN_PAGE = (pathlib.Path(arg).resolve() for arg in sys.argv[1:4])
SNAPSHOT = [f"--buddyinfo={DATA}/amd64-4608m/buddyinfo",
            f"--pagetypeinfo={DATA}/amd64-4608m/pagetypeinfo"]


def run(*args, folder=None):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, errors="replace",
                          timeout=60, cwd=folder)


def results(*args):
    """The results of a comparison by policy alias, attributes and page sizes; and exit status."""
    done = run("compare", "--format=json", *args)
    report = json.loads(done.stdout)
    return {(r["policy"], r["alias"], r["attrs"], r["pgsizes"][0]): r
            for r in report["results"]}, done


def by_order(items):
    return {item["order"]: item.get("count", item.get("tried")) for item in items}


def differences(**pairs):
    """name=(got, wanted)"""
    return [f"{name}: {got!r}, not {want!r}" for name, (got, want) in pairs.items() if got != want]


# ---- Known machines ----

POLICIES = ["P1", "P2", "P3", "A4", "P4", "P4b", "P5"]
K4, K64, M2 = 4096, 65536, 2 << 20


def verdicts(found):
    return {(alias, attrs, size): r["verdict"] for (_, alias, attrs, size), r in found.items()}


def fragmented_memory_breaks_single_pages_on_large_granules():
    found, done = results(*SNAPSHOT)
    verdict = verdicts(found)
    complaints = differences(status=(done.returncode, 0), runs=(len(found), 42))
    for alias in POLICIES:
        for attrs in ("none", "single-pages"):
            complaints += differences(**{f"{alias} {attrs} 4K":
                                         (verdict[alias, attrs, K4], "mappable")})
    for alias, attrs, size, want in (
            ("P3", "single-pages", K64, "broken"), ("P3", "single-pages", M2, "broken"),
            ("A4", "single-pages", K64, "broken"), ("A4", "single-pages", M2, "broken"),
            ("P2", "none", M2, "broken"), ("P4", "single-pages", K64, "mappable"),
            ("P5", "single-pages", K64, "mappable"), ("P4", "none", M2, "out of memory"),
            ("P5", "single-pages", M2, "out of memory")):
        complaints += differences(**{f"{alias} {attrs} {size}":
                                     (verdict[alias, attrs, size], want)})
    broken = found["single-pages-patch", "P3", "single-pages", K64]
    return complaints + differences(
        misfit=(broken["misfit"], {"chunk": 0, "order": 0, "nr_chunks": 1, "pa": 0x100004000,
                                   "size": 4096}),
        step=(broken["step"], "map"), error=(broken["error"], "EINVAL"))


def attempts_on_pinned_memory_are_those_worked_out():
    found, done = results("--state=pin:0/2", "--memory=4G", "--size=4M", "--policy=all")
    want = {"P1": 9228, "P2": 1034, "P3": 1034, "A4": 1027, "P4": 1025, "P4b": 1025, "P5": 1025}
    tried = {alias: r["tried"] for (_, alias, _, _), r in found.items()}
    return differences(tried=(tried, want), status=(done.returncode, 0))


def figures_of_one_run_add_up():
    """8 MiB and a page on fresh memory of 4 GiB, {4K,2M,1G}: four 2M leaves and one of 4K."""
    found, _ = results("--memory=4G", "--size=8196K", "--policy=P5")
    r = found["dma-iommu-6.4", "P5", "none", K4]
    return differences(
        attempts=(by_order(r["attempts_by_order"]), {9: 4, 0: 1}),
        chunks=(by_order(r["chunks_by_order"]), {9: 4, 0: 1}),
        leaves=({i["size"]: i["count"] for i in r["leaf_entries_by_size"]}, {K4: 1, M2: 4}),
        map_calls=(r["map_calls"], 2),
        iova=((r["iova_first"], r["iova_last"]), (0xff000000, 0xff000000 + 8196 * 1024 - 1)),
        free=(by_order(r["free_blocks_by_order"]),
              {0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1021}))


def single_pages_on_fresh_memory_are_luck():
    found, done = results("--memory=4G", "--policy=P3", "--attrs=single-pages",
                          "--pgsizes=64K,512M", "--domain=extended")
    r = found["single-pages-patch", "P3", "single-pages", K64]
    return differences(verdict=(r["verdict"], "by luck"), status=(done.returncode, 0))


def a_named_policy_that_is_broken_is_status_1():
    broken = ["compare", *SNAPSHOT, "--attrs=single-pages", "--pgsizes=64K", "--domain=extended"]
    return differences(named=(run(*broken, "--policy=single-pages-patch").returncode, 1),
                       alias=(run(*broken, "--policy=P3").returncode, 1),
                       all=(run(*broken, "--policy=all").returncode, 0),
                       other=(run(*broken, "--policy=P5").returncode, 0))


def strict_domains_refuse_large_granules():
    found, done = results("--memory=1G", "--pgsizes=64K", "--policy=P5")
    r = found["dma-iommu-6.4", "P5", "none", K64]
    return differences(verdict=(r["verdict"], "refused"), error=(r["error"], "BUG"),
                       status=(done.returncode, 0))


def the_kernel_decides_the_world():
    """The free list that a single page comes from has changed: 6.1 takes the largest block."""
    args = ["compare", *SNAPSHOT, "--policy=P5", "--format=json"]
    one, other = run(*args, "--kernel=6.1").stdout, run(*args, "--kernel=6.12").stdout
    return [] if one and other and one != other else ["6.1 and 6.12 are the same"]


def without_arguments_it_shows_this_host():
    done = run("compare")
    rows = [line for line in done.stdout.splitlines() if re.match(r"\w\d  [a-z]+-[a-z]+-", line)]
    return differences(status=(done.returncode, 0), stderr=(done.stderr, ""),
                       rows=(len(rows), 12)) + \
        [word for word in ("4K,2M,1G", "64K,512M", "2M,1G", "BUG()") if word not in done.stdout]


def csv_has_a_row_per_run_with_the_same_figures():
    args = ["--state=random:30%,80%@9", "--seed=7", "--memory=1G", "--size=16x4M", "--size=12K"]
    rows = list(csv.DictReader(io.StringIO(run("compare", "--format=csv", *args).stdout)))
    found, _ = results(*args)
    return differences(rows=(len(rows), 42), figures=(
        [(r["alias"], r["verdict"], int(r["tried"]), int(r["leaf_entries"])) for r in rows],
        [(r["alias"], r["verdict"], r["tried"], r["leaf_entries"]) for r in found.values()]))


def the_same_seed_gives_the_same_bytes(state, memory):
    def test():
        args = ["compare", f"--state={state}", f"--memory={memory}", "--format=json"]
        one, again = run(*args, "--seed=3").stdout, run(*args, "--seed=3").stdout
        other = run(*args, "--seed=4").stdout
        return differences(again=(again == one, True), other=(other == one, False))
    return test


def exports_what_it_read(folder, names):
    def test():
        done = run("compare", "--format=json", "--size=16K", "--policy=P5", "--pgsizes=16K",
                   f"--page-size={'16K' if '16k' in folder else '4K'}", "--domain=extended",
                   *[f"--{name}={DATA}/{folder}/{name}" for name in ("buddyinfo", "pagetypeinfo")])
        state = json.loads(done.stdout)["inputs"]["state"]
        return differences(**{name: (state[name], (DATA / folder / name).read_text())
                              for name in names})
    return test


def help_is_on_stdout():
    return [" ".join(args) for args in (["--help"], ["--version"], ["compare", "--help"],
                                        ["show", "--help"], ["show", "policy", "--help"],
                                        ["show", "state", "--help"], ["show", "policy"],
                                        ["show", "policy", "P4"], ["show", "state"],
                                        ["show", "format"], ["show", "format", "--help"],
                                        ["show", "pgtable", "--help"],
                                        ["show", "pgtable", "--memory=1G"])
            if (done := run(*args)).returncode or done.stderr or not done.stdout]


def every_policy_answers_to_both_names():
    text = run("show", "policy").stdout
    return [word for word in ("dma-iommu-4.4 (P1)", "dma-iommu-4.5 (P2)",
                              "single-pages-patch (P3)", "arm-orders-4.6 (A4)",
                              "dma-iommu-4.7 (P4)", "dma-iommu-6.4 (P5)") if word not in text]


def columns_are_as_wide_as_their_figures():
    """Every line of the work tables has as many words as its titles say; none is over 100."""
    lines = run("compare", *SNAPSHOT, "--size=16x4M").stdout.splitlines()
    complaints = [f"{len(line)} columns: {line}" for line in lines
                  if len(line) > 100 and "/" not in line]
    starts = [n for n, line in enumerate(lines) if line.startswith("    work")]
    for start in starts:
        titles = lines[start + 1].replace("map calls", "map_calls").split()
        for line in lines[start + 2:start + 14]:
            figures = line.split()[2:]
            if len(figures) != len(titles) or not all(re.match(r"\d+$|-$", f) for f in figures):
                complaints.append(f"not {len(titles)} figures: {line}")
    return complaints + ([] if starts else ["there is no work table"])


def what_a_snapshot_spans_is_only_known_with_pagetypeinfo():
    """The machine has 4608M, but buddyinfo alone tells of 120M free ones."""
    done = run("compare", SNAPSHOT[0], "--size=300M", "--policy=P5")
    return differences(status=(done.returncode, 0)) + \
        ([] if "out of memory" in done.stdout else ["it is no verdict"]) + \
        (["the span is invented"] if re.search(r"^free +\S+ of ", done.stdout, re.M) else [])


def a_page_size_that_does_not_fit_is_told():
    args = ["compare", "--policy=P5",
            *[f"--{name}={DATA}/arm64-16k-512m/{name}" for name in ("buddyinfo", "pagetypeinfo")]]
    return differences(wrong=("12 orders are those of pages of 16K" in
                              " ".join(run(*args).stdout.split()), True),
                       right=("orders are those" in run(*args, "--page-size=16K").stdout, False))


def odd_file_names_do_no_harm():
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(os.fsencode(folder), b"\033[31m\xff" + b"n" * 100)
        with open(name, "wb") as file:
            file.write((DATA / "amd64-4608m/buddyinfo").read_bytes())
        done = subprocess.run([os.fsencode(PROGRAM), b"compare", b"--policy=P5", b"--buddyinfo",
                               name, b"--format=json"], capture_output=True, timeout=60)
        table = subprocess.run([os.fsencode(PROGRAM), b"compare", b"--policy=P5", b"--buddyinfo",
                                name], capture_output=True, timeout=60).stdout
    json.loads(done.stdout.decode())
    return ["there is an escape"] if b"\033" in table else []


def an_empty_pipe_is_an_empty_file():
    if not hasattr(os, "mkfifo"):
        return []
    with tempfile.TemporaryDirectory() as folder:
        os.mkfifo(os.path.join(folder, "pipe"))
        return refuses(["compare", "--buddyinfo=pipe"], "empty", folder)()


def a_pipe_is_read_to_its_end():
    text = (DATA / "amd64-4608m/buddyinfo").read_text()
    done = subprocess.run([PROGRAM, "compare", "--policy=P5", "--buddyinfo=/dev/stdin"],
                          input=text, capture_output=True, text=True, timeout=60)
    return differences(status=(done.returncode, 0))


# ---- Page tables ----

def tables_hold_what_was_mapped():
    """4 MiB and a page behind each granule: leaves, tables and words worked out by hand."""
    want = {  # page sizes: CPU page, leaves by size, table pages, words
        "4K,2M,1G": ("4K", {4096: 1, 2 << 20: 2}, 4, 6),  # 4 levels, the page has a table
        "64K,512M": ("64K", {65536: 65}, 3, 67),  # 3 levels
        "16K,32M": ("16K", {16384: 257}, 4, 260),  # 4 levels
    }
    complaints = []
    for pgsizes, (page, leaves, tables, words) in want.items():
        found, _ = results("--memory=1G", f"--size={4 << 20 | int(page[:-1]) << 10}",
                           "--policy=P5", f"--pgsizes={pgsizes}", f"--page-size={page}")
        r = list(found.values())[0]
        complaints += differences(**{
            f"{pgsizes} leaves": ({i["size"]: i["count"] for i in r["leaf_entries_by_size"]},
                                  leaves),
            f"{pgsizes} format": (r["pgtable"], "arm-lpae-s1"),
            f"{pgsizes} tables": (r["table_pages"], tables),
            f"{pgsizes} words": (r["table_words"], words)})
    return complaints


def without_tables_the_calls_are_the_same():
    args = ["--memory=1G", "--size=6M", "--pgsizes=4K,2M,1G"]
    with_tables, _ = results(*args)
    without, _ = results(*args, "--pgtable=none")
    keys = ("verdict", "tried", "leaf_entries", "leaf_entries_by_size")
    return differences(
        figures=([[r[k] for k in keys] for r in without.values()],
                 [[r[k] for k in keys] for r in with_tables.values()]),
        tables=(any("table_pages" in r for r in without.values()), False),
        none=(" - " in run("compare", *args, "--pgtable=none").stdout, True))


def a_walk_ends_at_the_page():
    done = run("show", "pgtable", "--memory=1G", "--size=2052K", "--iova=0xffe00000")
    words = re.findall(r"^([0-3]) +0x\w+ +\d+ +0x(\w+)$", done.stdout, re.M)
    return differences(status=(done.returncode, 0), levels=([w[0] for w in words], list("3210")),
                       leaf=(words[-1][1] if words else "", "0000000100200f47")) + \
        ([] if "it leads to pa 0x100200000, in a page of 4K" in done.stdout else ["it is lost"])


def tables_of_a_large_granule_are_larger_than_the_first():
    """The first table of 64K pages is a CPU page of 4K, the other two are 64K each."""
    done = run("show", "pgtable", "--memory=1G", "--domain=extended", "--pgsizes=64K,512M")
    return differences(status=(done.returncode, 0)) + \
        ([] if "3, 132K in all" in done.stdout else ["it is not 132K"])


def tables_must_hold_the_addresses_of_the_memory():
    """Rockchip's first has 32 bits: it is what has the page sizes only below 4 GiB."""
    args = ["--memory=1G", "--policy=P5", "--pgsizes=4K-4M"]
    formats = [{r["pgtable"] for r in results(*args, *more)[0].values()}
               for more in ((), ("--memory-start=1G",))]
    return differences(formats=(formats, [{"rk-v2"}, {"rk-v1"}]))


def a_window_above_the_device_s_bits_is_reached():
    """BCM2712 maps 2 GiB at 40 GiB, the tables of which can be named without its row."""
    found, done = results("--memory=1G", "--policy=P5", "--pgtable=linear-bcm2712",
                          "--pgsizes=4K,16K,64K,1M-4M", "--size=2064K")
    r = found["dma-iommu-6.4", "P5", "none", K4]
    return differences(status=(done.returncode, 0), verdict=(r["verdict"], "mappable"),
                       inside=(40 << 30 <= r["iova_first"] and r["iova_last"] < 42 << 30, True))


def page_tables_alone_are_no_overview():
    found, done = results("--memory=1G", "--pgtable=arm-lpae-s2")
    return differences(status=(done.returncode, 0), runs=(len(found), 7),
                       formats=({r["pgtable"] for r in found.values()}, {"arm-lpae-s2"}))


def the_manual_page_shows_what_is_printed():
    """Every example is "$ command", and behind it the whole output; test_table.py has the table."""
    text = MAN_PAGE.read_text()
    examples = re.findall(r"^\.EX\n(?!\.\\\" The table)(.*?)^\.EE$", text, re.M | re.S)
    complaints = [] if len(examples) > 1 else ["there are no examples"]
    for example in examples:
        plain = example.replace("\\-", "-").replace("\\(aq", "'").replace("\\&", "")
        command, _, shown = plain.replace("\\e", "\\").partition("\n")
        printed = run(*command.split()[2:]).stdout
        if printed != shown:
            complaints += [f"{command} prints something else"]
    options = set(re.findall(r"--([a-z-]+)", run("compare", "--help").stdout +
                             run("show", "pgtable", "--help").stdout))
    return complaints + [f"--{name} is not in it" for name in sorted(options)
                         if "\\-\\-" + name.replace("-", "\\-") not in text]


# ---- Wrong input: one line, status 2, nothing on stdout ----

GOOD_LINE = "Node 0, zone   Normal 1 2 3 4 5 6 7 8 9 10 11\n"
FILES = {  # name: contents, and what the message must name
    "missing-column": ("Node 0, zone   Normal 1 2 3 4 5 6 7 8 9 10\n", ":1:"),
    "negative": (GOOD_LINE.replace(" 3 ", " -3 "), "'-3'"),
    "overflow": (GOOD_LINE.replace(" 3 ", " 99999999999999999999 "), "'99999999999999999999'"),
    "too-many-frames": (GOOD_LINE.replace(" 11\n", " 4294967296\n"), ":1:"),
    "not-a-count": (GOOD_LINE + GOOD_LINE.replace("Normal", "DMA").replace(" 3 ", " 0x3 "),
                    ":2:"),
    "twice": (GOOD_LINE + GOOD_LINE, ":2:"),
    "another-form": ("MemTotal: 4194304 kB\n", ":1:"),
    "binary": ("\x7fELF\x02\x01\x01\0\0\0\0", "binary"),
    "empty": ("", "empty"),
    "a\nname": ("", "name"),
}

OPTIONS = [  # arguments, and what the message must name
    ([], "command"), (["frobnicate"], "'frobnicate'"),
    (["compare", "--frobnicate"], "--frobnicate"), (["compare", "extra"], "'extra'"),
    (["compare", "--size"], "--size"), (["compare", "--size="], "--size"),
    (["compare", "--size=4Q"], "'4Q'"), (["compare", "--size=4MM"], "'4MM'"),
    (["compare", "--size=0"], "'0'"), (["compare", "--size=0x4M"], "'0x4M'"),
    (["compare", "--size=-4M"], "'-4M'"), (["compare", "--size=16777216T"], "'16777216T'"),
    (["compare", "--size=99999999999999999999"], "'99999999999999999999'"),
    (["compare", "--memory=64M", "--size=65M"], "65M"),
    (["compare", "--memory=64M", "--size=2x33M"], "66M"),
    (["compare", "--memory=0"], "'0'"), (["compare", "--memory=4X"], "'4X'"),
    (["compare", "--memory=4097"], "4097"), (["compare", "--memory=1T", "--state=pin:0/2"], "1T"),
    (["compare", "--memory=16T"], "16T"), (["compare", "--size=x4M"], "'x4M'"), (["compare", "--memory=16E"], "16E"),
    (["compare", "--pgsizes="], "--pgsizes"), (["compare", "--pgsizes=4K,,2M"], "--pgsizes"),
    (["compare", "--pgsizes=4K,3M"], "'3M'"), (["compare", "--pgsizes=5000"], "'5000'"),
    (["compare", "--pgsizes=4K,apple"], "'apple'"), (["compare", "--pgsizes=2M-4K"], "'2M-4K'"),
    (["compare", "--pgsizes=1"], "'1'"),
    (["compare", "--policy=P9"], "'P9'"), (["compare", "--policy="], "--policy"),
    (["compare", "--attrs=double-pages"], "'double-pages'"),
    (["compare", "--domain=lax"], "'lax'"), (["compare", "--kernel=2.6"], "'2.6'"),
    (["compare", "--page-size=5K"], "'5K'"), (["compare", "--format=xml"], "'xml'"),
    (["compare", "--seed=x"], "'x'"), (["compare", "--state=bent"], "'bent'"),
    (["compare", "--state=pin:14/2"], "'14'"), (["compare", "--state=pin:3/0"], "'0'"),
    (["compare", "--state=pin:3"], "stride"), (["compare", "--state=random:101%,1%@9"], "'101%'"),
    (["compare", "--state=random:30%,80%@14"], "'14'"),
    (["compare", "--state=random:30%"], "unusable"),
    (["compare", "--state=age:fridge"], "'fridge'"), (["compare", "--state=age:phone/0"], "'0'"),
    (["compare", "--state=age:phone/"], "hours"), (["compare", "--state=age:phone/1e3"], "'1e3'"),
    (["compare", "--state=fresh", "--buddyinfo=x"], "--state"),
    (["compare", "--pagetypeinfo=x"], "--buddyinfo"),
    (["compare", "--buddyinfo=/nonexistent/file"], "/nonexistent/file"),
    (["compare", "--buddyinfo=/"], "'/'"),
    (["compare", "--pgtable=x86"], "'x86'"),
    (["compare", "--pgtable=arm-lpae-s1", "--pgsizes=2M,1G"], "2M,1G"),
    (["compare", "--pgtable=arm-lpae-s1", "--pgsizes=4K-1G"], "4K,2M,1G"),
    (["compare", "--iova=0"], "--iova"), (["show", "format", "x86"], "'x86'"),
    (["show", "pgtable", "--pgsizes=2M"], "2M"), (["show", "pgtable", "--pgtable=none"], "4K"),
    (["show", "pgtable", "--policy=P1,P2"], "--policy"), (["show", "pgtable", "--iova=0xz"], "'0xz'"),
    (["show", "pgtable", "--pgsizes=4K", "--pgsizes=64K"], "--pgsizes"),
    (["show"], "show"), (["show", "frobnicate"], "'frobnicate'"),
    (["show", "policy", "P9"], "'P9'"), (["show", "state", "--size=4M"], "--size"),
]


def refuses(args, named, folder=None):
    def test():
        done = run(*args, folder=folder)
        lines = done.stderr.splitlines()
        complaints = differences(status=(done.returncode, 2), stdout=(done.stdout, ""),
                                 lines=(len(lines), 1))
        if not complaints and not lines[0].startswith("iommusim: "):
            complaints = [f"not a message of ours: {lines[0]}"]
        return complaints or ([] if named in lines[0] else [f"no {named} in: {lines[0]}"])
    return test


def refusals(folder):
    for args, named in OPTIONS:
        yield f"refuses {' '.join(args) or 'nothing'}", refuses(args, named)
    for name, (text, named) in FILES.items():
        path = pathlib.Path(folder) / name
        path.write_bytes(text.encode("latin-1"))
        title = name.replace("\n", " ")
        yield f"refuses buddyinfo: {title}", refuses(["compare", f"--buddyinfo={name}"], named,
                                                     folder)
        yield f"refuses pagetypeinfo: {title}", \
            refuses(["compare", SNAPSHOT[0], f"--pagetypeinfo={name}"],
                    name.split("\n")[0], folder)


def what_is_free_may_be_less_than_what_is_asked():
    found, done = results(*SNAPSHOT, "--size=1G", "--policy=P5")
    r = found["dma-iommu-6.4", "P5", "none", K4]
    return differences(verdict=(r["verdict"], "out of memory"), status=(done.returncode, 0))


TESTS = [(function.__name__.replace("_", " "), function) for function in (
    fragmented_memory_breaks_single_pages_on_large_granules,
    attempts_on_pinned_memory_are_those_worked_out,
    figures_of_one_run_add_up, single_pages_on_fresh_memory_are_luck,
    a_named_policy_that_is_broken_is_status_1, strict_domains_refuse_large_granules,
    the_kernel_decides_the_world, without_arguments_it_shows_this_host,
    csv_has_a_row_per_run_with_the_same_figures,
    help_is_on_stdout, every_policy_answers_to_both_names,
    what_is_free_may_be_less_than_what_is_asked, columns_are_as_wide_as_their_figures,
    what_a_snapshot_spans_is_only_known_with_pagetypeinfo, a_page_size_that_does_not_fit_is_told,
    tables_hold_what_was_mapped, without_tables_the_calls_are_the_same, a_walk_ends_at_the_page,
    the_manual_page_shows_what_is_printed, page_tables_alone_are_no_overview,
    tables_must_hold_the_addresses_of_the_memory, a_window_above_the_device_s_bits_is_reached,
    tables_of_a_large_granule_are_larger_than_the_first,
    odd_file_names_do_no_harm, an_empty_pipe_is_an_empty_file, a_pipe_is_read_to_its_end)]
TESTS += [(f"the same seed gives the same bytes: {state}",
           the_same_seed_gives_the_same_bytes(state, memory))
          for state, memory in (("random:30%,80%@9", "1G"), ("age:phone/2", "128M"))]
# The two files of arm64-512m were read at different moments and disagree: buddyinfo's counts hold.
TESTS += [(f"exports what it read: {folder}", exports_what_it_read(folder, names))
          for folder, names in (("amd64-4608m", ["buddyinfo", "pagetypeinfo"]),
                                ("arm64-16k-512m", ["buddyinfo", "pagetypeinfo"]),
                                ("arm64-512m", ["buddyinfo"]))]

with tempfile.TemporaryDirectory() as scratch:
    tap.run(TESTS + list(refusals(scratch)))

# SPDX-License-Identifier: MIT
"""iommusim check and bisect: what they find, that it can be repeated, and input that is wrong.

usage: test_check.py IOMMUSIM MAN_PAGE
"""

import pathlib
import re
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap
from program import options_not_in, refuses

PROGRAM, MAN_PAGE = (pathlib.Path(arg).resolve() for arg in sys.argv[1:3])
WORLDS = "--worlds=500"


def run(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=120)


def table_of(text):
    """Rows of the table by invariant: alias to number of worlds."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("broken in worlds"))
    aliases = lines[start].split()[3:]
    return {words[0]: dict(zip(aliases, words[1:]))
            for words in map(str.split, lines[start + 1:start + 14])}


def the_history_is_judged():
    done = run("check", WORLDS, "all")
    rows = table_of(done.stdout)
    wanted = {("bounded", "P1"): True, ("bounded", "P2"): False, ("aligned", "P1"): True,
              ("mappable", "P3"): True, ("mappable", "P4"): False, ("no-vain-order", "P4"): True,
              ("no-vain-order", "P5"): False, ("mappable", "P5"): False,
              ("last-resort", "P1"): False, ("last-resort", "P5"): False}
    return [f"{row} {alias}: {rows[row][alias]}" for (row, alias), broken in wanted.items()
            if (rows[row][alias] != "-") != broken] + \
        ([] if done.returncode == 0 else [f"status {done.returncode}"])


def what_is_printed_repeats_it():
    done = run("check", WORLDS, "P1")
    commands = re.findall(r"^    iommusim (check .*)$", done.stdout, flags=re.MULTILINE)
    names = re.findall(r"^dma-iommu-4.4, ([\w-]+): ", done.stdout, flags=re.MULTILINE)
    bad = [] if done.returncode == 1 and commands and len(commands) == len(names) else [done.stdout]
    for command, name in zip(commands, names):
        again = run(*shlex.split(command))
        if again.returncode != 1 or name not in again.stdout:
            bad.append(f"{command}: {again.stdout}")
    return bad


def a_right_policy_is_status_0():
    done = run("check", WORLDS, "P5")
    return [] if done.returncode == 0 and "No invariant is broken" in done.stdout else [done.stdout]


def tests_to_paste_name_the_policy_and_the_invariant():
    done = run("check", WORLDS, "--test", "P4")
    return [] if "static void dma_iommu_4_7_is_no_vain_order(void **state)" in done.stdout and \
        "verdict.text[IOMMUSIM_INVARIANT_NO_VAIN_ORDER]" in done.stdout else [done.stdout]


def lines_are_80_columns_wide():
    """But for commands to paste."""
    texts = [run(*args).stdout for args in (
        ("check", WORLDS, "every"), ("check", WORLDS, "--table", "every"), ("check", "--help"),
        ("bisect", "--help"), ("bisect", "--memory=4G", "--state=pin:0/2"),
        ("bisect", "--memory=4G", "--state=pin:0/2", "--pgsizes=64K", "--domain=extended", "--size=8M"),
        ("check", "P1,V1", "--world=page=4K order=0 bytes=20480 frames=7 free=0,2,4,6"))]
    return [line for text in texts for line in text.splitlines()
            if (len(line) > 80 or line.endswith(" ")) and not re.match(" +(iommusim check|--world) ", line)] + \
        ([] if all(texts) else ["nothing is printed"])


def since_when_needs_the_whole_history():
    some, all_of_it = (run("check", WORLDS, "--table", names).stdout for names in ("P1,P4,P5", "all"))
    return [] if " in the history " not in some and "holds in the history from dma-iommu-4.7" in all_of_it \
        else [some, all_of_it]


def one_world_is_told_in_words():
    done = run("check", "P1,P5", "--world=page=4K order=0 bytes=4096 frames=1 free=0")
    none = run("check", "P5", "--world=bytes=8192 order=1 frames=1 free=")
    return [text for text, good in (
        (done.stdout, "dma-iommu-6.4: success after 1 attempt\n    every invariant holds" in done.stdout),
        (none.stdout, "fails with ENOMEM (no memory) after " in none.stdout)) if not good]


def every_option_is_in_the_manual():
    return options_not_in(MAN_PAGE.read_text(), *(run(command, "--help").stdout
                                                  for command in ("check", "try", "bisect")))


def small_worlds_are_all_tried():
    done = run("check", "--exhaustive=4,2,1", "P3,P5")
    one = run("check", "--exhaustive=1,1,0", "P5")
    return [] if "all 192 within 4 frames, 2 pages, order 1\n" in done.stdout and done.returncode == 1 and \
        "all 4 within 1 frame, 1 page, order 0\n" in one.stdout else [done.stdout, one.stdout]


def the_same_seed_prints_the_same():
    texts = {run("check", "--worlds=100", "--seed=7", "every").stdout for _ in range(2)}
    other = run("check", "--worlds=100", "--seed=8", "every").stdout
    return [] if len(texts) == 1 and other not in texts else ["it does not, or any seed does"]


def history_is_bisected():
    done = run("bisect", "--memory=4G", "--size=8M", "--pgsizes=4K-1G", "--good=P4")
    broken = run("bisect", "--memory=4G", "--state=pin:4/2", "--pgsizes=64K,512M", "--bad=P3",
                 "--domain=extended", "--attrs=single-pages")
    plain = run("bisect", "--memory=64M", "--size=8M").stdout
    return [text for text, good in (
        (plain, "first changed by dma-iommu-4.7" in plain and "arm-orders" not in plain),
        (done.stdout, done.returncode == 0 and "first changed by dma-iommu-6.4" in done.stdout),
        (broken.stdout, broken.returncode == 1 and "then by single-pages-patch (never merged; posted for 4.6): "
         "mappable -> broken" in " ".join(broken.stdout.split()))) if not good]


def what_is_mended_is_bisected():
    """Single pages under pages of 64K: P3 cannot be mapped, P4 takes orders of 4."""
    done = run("bisect", "--memory=4G", "--state=pin:4/2", "--pgsizes=64K,512M", "--good=P3", "--bad=P4",
               "--domain=extended", "--attrs=single-pages")
    text = " ".join(done.stdout.split())
    wanted = ("attributes single-pages", "P3 single-pages-patch broken tried 0:1024; chunks 0:1024",
              "starts 4K past a 64K boundary", "A4 arm-orders-4.6 broken as before",
              "P4 dma-iommu-4.7 mappable tried 4:64; chunks 4:64",
              "first changed by dma-iommu-4.7 (4.7 to 5.9): broken -> mappable")
    return [f"no {part!r} in {done.stdout}" for part in wanted if part not in text] + \
        ([] if done.returncode == 0 else [f"status {done.returncode}"])


def a_change_without_figures_is_told():
    done = run("bisect", "--memory=64M", "--pgsizes=64K")
    return [] if "refused       tried none; chunks none" in done.stdout and \
        "The outcome is the same in all of them." in done.stdout and done.returncode == 0 else [done.stdout]


REFUSED = [
    (["check"], "which policy"), (["check", "P9"], "'P9'"), (["check", "P1", "--worlds"], "missing"),
    (["check", "P1", "--worlds=x"], "'x'"), (["check", "P1", "--worlds=-1"], "'-1'"),
    (["check", "P1", "--worlds=0"], "--worlds: '0' is too small"),
    (["check", "P1", "--exhaustive=0,1,1"], "'0,1,1' is not three numbers from 1,1,0 to"),
    (["check", "P1", "--exhaustive=1,0,1"], "'1,0,1'"),
    (["bisect", "--policy", "P5"], "--policy: bisect takes --good and --bad"),
    (["bisect", "--memory=1G", "--policy=P5"], "--policy: bisect takes --good and --bad"),
    (["bisect", "--format=json"], "--format: bisect prints text only"),
    (["check", "P1", "--seed=99999999999999999999"], "--seed"), (["check", "P1", "--nope"], "--nope"),
    (["check", "P1", "--exhaustive=4,4"], "'4,4'"), (["check", "P1", "--exhaustive=17,1,1"], "17"),
    (["check", "P1", "--exhaustive=4,4,4,4"], "'4,4,4,4'"), (["check", "P1", "--world=foo=1"], "'foo=1' is no field: they are page,"),
    (["check", "P1", "--world=", "--exhaustive=1,1,1"], "--world"),
    (["check", "P1", "--exhaustive=1,1,0,"], "'1,1,0,'"),
    (["check", "P1", "--exhaustive=1,1,0", "--worlds=5"], "--exhaustive: does not go with --worlds"),
    (["check", "P1", "--seed=5", "--exhaustive=1,1,0"], "does not go with --seed"),
    (["check", "P1", "--world=order=3 frames=4 order=3"], "--world: order is there twice"),
    (["check", "P1", "--table", "--test"], "--test"), (["check", "P1", "--table", "--world="], "--world"),
    (["check", "P1", "--world=page=4K order=99 frames=4"], "--world: order is 0 to 13, not '99'"),
    (["check", "P1", "--world=page=1M"], "page is 4K, 8K, 16K, 32K or 64K, not '1M'"),
    (["check", "P1", "--world=frames=8193"], "frames is 1 to 8192, not '8193'"),
    (["check", "P1", "--world=frames=8 free=0-9"], "from 0 on, as 0-3,8, not '0-9'"),
    (["check", "P1", "--world=bytes= order=1"], "bytes is 1 to 8192 times the page size, not ''"),
    (["check", "P1", "--world=order=1 page"], "page has no value; it is 4K, 8K"),
    (["bisect", "--good"], "--good"), (["bisect", "--good=P9"], "'P9'"),
    (["bisect", "--good=H1"], "'H1'"), (["bisect", "--good=P5", "--bad=P1"], "not after"),
    (["bisect", "--nope"], "--nope"),
    (["bisect", "--pgsizes=4K", "--pgsizes=64K", "--domain=extended"], "one --pgsizes"),
]

tap.run([(function.__name__.replace("_", " "), function) for function in (
    the_history_is_judged, what_is_printed_repeats_it, a_right_policy_is_status_0,
    tests_to_paste_name_the_policy_and_the_invariant, lines_are_80_columns_wide,
    every_option_is_in_the_manual, since_when_needs_the_whole_history, one_world_is_told_in_words, small_worlds_are_all_tried,
    the_same_seed_prints_the_same, history_is_bisected,
    what_is_mended_is_bisected, a_change_without_figures_is_told)]
    + [(f"refuses {' '.join(args)}", refuses(run, args, mentions)) for args, mentions in REFUSED])

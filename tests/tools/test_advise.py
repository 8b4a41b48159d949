# SPDX-License-Identifier: MIT
"""iommusim advise: its figures, what it makes of them, and whom it has no advice for.

usage: test_advise.py IOMMUSIM MAN_PAGE
"""

import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap
from program import options_not_in, refuses, unlike

PROGRAM, MAN_PAGE = (pathlib.Path(arg).resolve() for arg in sys.argv[1:3])


def run(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=120)


def shown(*args):
    """What `show` prints: id to pairs of a label and its text, wrapped lines joined."""
    found = {}
    for block in run("show", *args).stdout.rstrip("\n").split("\n\n"):
        name, *lines = re.sub(r"\n {16}", " ", block).split("\n")
        found[name.split(":")[0]] = [(line[2:16].strip(), line[16:]) for line in lines]
    return found


PLATFORMS, DRIVERS = shown("platform"), shown("driver")


def text_of(pairs, label):
    return next(text for name, text in pairs if name == label)


def refusal_of(platform, kernel):
    """The message that `show` lets expect; None: there is advice."""
    pairs = PLATFORMS[platform]
    iommu = text_of(pairs, "iommu").split(",")[0]
    for label, text in pairs:
        outcome = re.fullmatch(rf"CPU pages of \d+K in {kernel}: (.* \(E\w+\))", text)
        if label == "granule" and outcome:
            return outcome[1]
    if iommu == "none":
        return "its masters have no IOMMU; buffers are contiguous"
    backends = text_of(DRIVERS[iommu], "pages from")
    if backends == "its own":
        return "gets its pages itself, no chunk policy applies"
    return None


def every_platform_has_advice_or_says_why_not():
    wrong, nr_refused = [], 0
    for platform in PLATFORMS:
        for kernel in ("6.1", "6.12"):
            done, refusal = run("advise", f"--platform={platform}", f"--kernel={kernel}"), \
                refusal_of(platform, kernel)
            if refusal:
                nr_refused += 1
                good = done.returncode == 2 and not done.stdout and re.fullmatch(
                    f"iommusim: {platform}: .*{re.escape(refusal)}\n", done.stderr)
            else:
                good = done.returncode == 0 and not done.stderr and "\nadvice " in done.stdout
            if not good:
                wrong.append(f"{platform} {kernel}: {done.returncode} {done.stderr!r}, {refusal!r}")
    return wrong + unlike([("refused", 20 <= nr_refused <= 30, True)])


def the_kernels_own_words_come_first():
    """Not those of what a later step would have met."""
    virtio, dart = ([run("advise", f"--platform={platform}", f"--kernel={kernel}").stderr
                     for kernel in ("6.1", "6.12")]
                    for platform in ("qemu-virtio-iommu-64k-guest4k", "apple-t8103-4k"))
    return unlike([("virtio", [text.split("(")[-1] for text in virtio], ["EINVAL)\n", "ENODEV)\n"]),
                   ("words", all("virtio-iommu refuses the domain" in text for text in virtio), True),
                   ("bug", "init_iova_domain" in "".join(virtio + dart), False),
                   ("dart", all("apple-dart refuses to attach" in text for text in dart), True),
                   ("code", all(text.endswith("(EINVAL)\n") for text in dart), True)])


MEMORIES, CHOICES = ("fresh", "pin:4/1", "pin:8/2"), ("none", "single-pages")
NAMES = ("no attribute", "single pages")
ORDERS = {"sequential": ("lost", "work", "entries"), "rotate": ("lost", "entries", "work"),
          "random": ("lost", "entries", "work")}


def parts_of(text):
    """What advise prints: label to text, and (memory, attributes) to figures."""
    labels, table = {}, {}
    head, rows, tail = re.sub(r"\n {11}", " ", text).split("\n\n")
    for line in (head + "\n" + tail.rstrip("\n")).split("\n"):
        labels[line[:10].strip()] = line[11:]
    for row in rows.split("\n")[1:]:
        memory, attrs, *numbers = row.split(maxsplit=8)
        table[memory, attrs] = dict(zip(("attempts", "vain", "work", "chunks", "entries"),
                                        map(int, numbers[:5])),
                                    largest=numbers[5], lost=int(numbers[6].split(":")[0]),
                                    lacking=numbers[6].partition(": ")[2])
    return labels, table


def advise(platform, *args):
    done = run("advise", f"--platform={platform}", *args)
    return parts_of(done.stdout)


def figure(table, memory, name):
    return [table[memory, attrs][name] for attrs in CHOICES]


def reason_of(table, order, memories):
    """By the rule in the help: the figure that decides, and the memory; None: none does."""
    for name in order:
        apart = [abs(none - single) for none, single in
                 (figure(table, memory, name) for memory in memories)]
        if any(apart):
            return name, memories[apart.index(max(apart))]
    return None


def pair(table, name, memory):
    none, single = figure(table, memory, name)
    vain, tried = figure(table, memory, "vain"), figure(table, memory, "attempts")
    if name == "work" and any(vain):
        return (f"work {none} without it ({vain[0]} of {tried[0]} attempts in vain), "
                f"{single} with it ({vain[1]} of {tried[1]})")
    return f"{name.replace('work', 'attempts')} {none} without it, {single} with it"


def expected(table, access, nr_buffers):
    """The beginning of the advice, and all of "but"; "" where there is none."""
    memories = [memory for memory in MEMORIES if figure(table, memory, "lost") != [nr_buffers] * 2]
    if not memories:
        return "none: ", ""
    reason = reason_of(table, ORDERS[access], memories)
    if not reason:
        return "either: ", ""
    choice = min((0, 1), key=figure(table, reason[1], reason[0]).__getitem__)
    other = [(memory, mine[0]) for memory in memories
             if (mine := reason_of(table, ORDERS[access], [memory])) and
             min((0, 1), key=figure(table, memory, mine[0]).__getitem__) != choice]
    but = ", ".join(f"{memory} ({pair(table, name, memory)})" for memory, name in other)
    return (f"{NAMES[choice]}: {pair(table, *reason)}, in memory {reason[1]}",
            but and f"{NAMES[1 - choice]} in memory {but}")


def disagreements(platform, access, *args):
    labels, table = advise(platform, f"--access={access}", *args)
    nr_buffers = sum(int(size.split("x")[0]) if "x" in size else 1
                     for size in labels["buffers"].split(", "))
    start, but = expected(table, access, nr_buffers)
    advice = labels["advice"].replace(", if there are entries for larger pages", "")
    if advice.startswith(start) and labels.get("but", "") == but:
        return []
    return [f"{platform} {access} {args}: {advice!r} {labels.get('but')!r}, not {start!r} {but!r}"]


ADVISED = [platform for platform in PLATFORMS if not refusal_of(platform, "6.12")]


def the_advice_follows_from_the_table():
    return [wrong for platform in ADVISED for access in ORDERS
            for wrong in disagreements(platform, access)]


def the_advice_follows_where_buffers_are_lost():
    sizes = {"beagle-xm-4k": "40x20M", "mt8173-4k": "100x20M", "msm8916-4k": "1G",
             "ums512-4k": "5x100M", "rk3399-4k": "1T"}
    return [wrong for platform, size in sizes.items() for access in ORDERS
            for wrong in disagreements(platform, access, f"--size={size}")]


def memory_in_which_no_buffer_is_had_decides_nothing():
    """There single pages would save most work."""
    labels, table = advise("beagle-xm-4k", "--size=30x510M")
    saved = {memory: none - single for memory in MEMORIES
             for none, single in [figure(table, memory, "work")]}
    return unlike([("lost", [table[memory, "none"]["lost"] for memory in MEMORIES], [29, 30, 29]),
                   ("most", max(saved, key=lambda memory: abs(saved[memory])), "pin:4/1"),
                   ("saved", saved["pin:4/1"] > 0, True),
                   ("advice", labels["advice"].split(":")[0], "no attribute"),
                   ("but", "but" in labels, False)])


def the_rule_of_the_help_is_that_of_the_tests():
    text = " ".join(run("advise", "--help").stdout.split())
    return [access for access in ORDERS if ": " + ", ".join(ORDERS[access]) + "." not in text]


def work_is_attempts_and_a_thousand_for_each_in_vain():
    tables = [advise(platform)[1] for platform in ADVISED]
    return [str(row) for table in tables for row in table.values()
            if row["work"] != row["attempts"] + 1000 * row["vain"]]


def few_attempts_in_vain_do_not_outweigh_many():
    """One in vain saves 7665 attempts, two 491518."""
    one, two = advise("msm8998-4k")[0], advise("mt8173-4k", "--size=2000M")[0]
    return unlike([("one", one["advice"].split(";")[0],
                    "no attribute: attempts 435 without it, 8100 with it, in memory fresh"),
                   ("but", one["but"], "single pages in memory pin:4/1 (work 9101 without it (1 of "
                    "8101 attempts in vain), 8100 with it (0 of 8100)), pin:8/2 (work 9101 without "
                    "it (1 of 8101 attempts in vain), 8100 with it (0 of 8100))"),
                   ("two", two["advice"].split(":")[0], "no attribute")])


def advice_depends_on_the_access():
    advice = {access: advise("mt8173-4k", "--size=16x4M", f"--access={access}")[0]["advice"]
              for access in ORDERS}
    return unlike([("sequential", advice["sequential"].split(":")[0], "single pages"),
                   ("rotate", advice["rotate"].split(":")[0], "no attribute"),
                   ("random", advice["random"].split(":")[0], "no attribute")])


def single_pages_have_no_merit_where_nothing_is_in_vain():
    """Of 32K the first attempt succeeds in all three memories."""
    labels, table = advise("amd-epyc-v1", "--size=100x32K")
    tail = "; a device that reads on uses each entry once"
    return unlike([("vain", {row["vain"] for row in table.values()}, {0}),
                   ("advice", labels["advice"], "no attribute: attempts 100 without it, 800 with "
                    "it, in memory fresh" + tail), ("but", "but" in labels, False)])


def attempts_in_vain_are_those_of_the_matrix():
    labels, table = advise("mt8173-4k", "--size=3110400")
    cells = json.loads(run("matrix", "--format=json", "--drivers=mtk-v7s-4gb", "--base=P5",
                           "--policy=P5", "--memory=2G", "--domain=strict", "--page-size=4K",
                           "--state=pin:4/1", "--state=pin:8/2", "--size=3110400").stdout)["cells"]
    names = {"attempts": "attempts", "vain": "vain", "entries": "leaves"}
    got = [[table[cell["state"], cell["attrs"]][name] for name in names] for cell in cells]
    want = [[cell["figures"][name] for name in names.values()] for cell in cells]
    return unlike([("cells", len(cells), 4), ("figures", got, want),
                   ("some", table["pin:4/1", "none"]["vain"], 2),
                   ("said", "above order 0" in labels["assumed"], True)])


def lost_buffers_say_what_they_lack():
    """Ranges of 100M start at multiples of 128M, and not at 0: of 256M one is left."""
    addresses = advise("ums512-4k", "--size=10x100M")[1]
    both = advise("ums512-4k", "--size=10x100M", "--size=1T")[1]
    memory, huge = advise("beagle-xm-4k", "--size=1G")[1], advise("mt8173-4k", "--size=1T")
    return unlike([("addresses", addresses["pin:4/1", "none"]["lacking"], "IOVA"),
                   ("lost", addresses["pin:4/1", "none"]["lost"], 9),
                   ("both", both["fresh", "none"]["lacking"], "1 memory, 9 IOVA"),
                   ("memory", memory["fresh", "single-pages"]["lacking"], "memory"),
                   ("at order 0", memory["fresh", "single-pages"]["vain"], 0),
                   ("advice", huge[0]["advice"],
                    "none: no buffer of such a size is to be had, with or without it")])


def the_aperture_holds_in_every_memory():
    """256 MiB, less the page at 0."""
    table = advise("ums512-4k", "--size=64x4M")[1]
    return unlike([(key, row["lost"], 1) for key, row in table.items()])


def entries_are_those_of_the_tables():
    """Rockchip's driver takes 4M and writes 1024 words; virtio has no tables."""
    rockchip, table = advise("rk3399-4k", "--size=4M", "--access=random")
    virtio = advise("qemu-virtio-iommu-4k", "--access=random")[0]
    pi = advise("rpi5-4k", "--size=4M", "--access=random")[1]
    return unlike([("words", {(row["entries"], row["largest"]) for row in table.values()},
                    {(1024, "4K")}),
                   ("rockchip", rockchip["advice"].startswith("single pages: "), True),
                   ("virtio", virtio["advice"].startswith(
                       "no attribute, if there are entries for larger pages: "), True),
                   ("none", "no tables" in virtio["assumed"], True),
                   ("sizes", pi["fresh", "none"]["largest"], "4M")])


def sizes_are_the_platforms_or_the_users():
    own, table = advise("mt8173-4k")
    two, _ = advise("mt8173-4k", "--size=2x1M", "--size", "64K")
    pages = sum(-(-size // 4096) for size in (3110400, 3133440, 12441600, 4196352))
    return unlike([("own", own["buffers"], "3110400, 3060K, 12150K, 4098K"),
                   ("pages", table["fresh", "single-pages"]["chunks"], pages),
                   ("two", two["buffers"], "2x1M, 64K")])


def rows_of_other_releases_are_told():
    return unlike([("6.12", "mtk-v1-6.1" in advise("mt7623-4k")[0].get("beware", ""), True),
                   ("6.1", "beware" in advise("mt7623-4k", "--kernel=6.1")[0], False)])


def the_lines_fit_on_100_columns():
    texts = [run("advise", f"--platform={platform}").stdout for platform in ADVISED]
    return [line for text in texts + [run("advise", "--help").stdout]
            for line in text.splitlines() if len(line) > 100]


def every_option_is_in_the_manual():
    return options_not_in(MAN_PAGE.read_text(), run("advise", "--help").stdout)


REFUSED = [
    (["advise"], "which platform"), (["advise", "--platform=x"], "'x'"),
    (["advise", "--platform="], "''"), (["advise", "--platform"], "--platform: its value is missing"),
    (["advise", "mt8173-4k"], "'mt8173-4k'"), (["advise", "--nope=1"], "'--nope'"),
    (["advise", "--platform=mt8173-4k", "--access=slow"], "'slow'"),
    (["advise", "--platform=mt8173-4k", "--access="], "''"),
    (["advise", "--platform=mt8173-4k", "--access"], "--access: its value is missing"),
    (["advise", "--platform=mt8173-4k", "--size=0"], "'0'"),
    (["advise", "--platform=mt8173-4k", "--size=0x4M"], "0 buffers"),
    (["advise", "--platform=mt8173-4k", "--size=4Q"], "'4Q'"),
    (["advise", "--platform=mt8173-4k", "--size=65537x4K"], "more than 65536 buffers"),
    (["advise", "--platform=mt8173-4k", "--size"], "--size: its value is missing"),
    (["advise", "--platform=mt8173-4k", "--kernel=5.0"], "'5.0'"),
    (["advise", "--platform=pseries-4k"], "gets its pages itself"),
    (["advise", "--platform=none-directmap-pi4"], "no IOMMU"),
    (["advise", "--platform=qemu-virtio-iommu-64k-guest4k"], "virtio-iommu refuses the domain"),
]

tap.run([(function.__name__.replace("_", " "), function) for function in (
    every_platform_has_advice_or_says_why_not, the_kernels_own_words_come_first,
    the_advice_follows_from_the_table, the_advice_follows_where_buffers_are_lost,
    memory_in_which_no_buffer_is_had_decides_nothing,
    work_is_attempts_and_a_thousand_for_each_in_vain, few_attempts_in_vain_do_not_outweigh_many,
    the_rule_of_the_help_is_that_of_the_tests, advice_depends_on_the_access,
    single_pages_have_no_merit_where_nothing_is_in_vain, attempts_in_vain_are_those_of_the_matrix,
    lost_buffers_say_what_they_lack, the_aperture_holds_in_every_memory,
    entries_are_those_of_the_tables, sizes_are_the_platforms_or_the_users,
    rows_of_other_releases_are_told, the_lines_fit_on_100_columns, every_option_is_in_the_manual)]
    + [(f"refuses {' '.join(args)}", refuses(run, args, mentions)) for args, mentions in REFUSED])

# SPDX-License-Identifier: MIT
"""iommusim advise: its figures, what it makes of them, and whom it has no advice for.

usage: test_advise.py IOMMUSIM MAN_PAGE
"""

import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap

PROGRAM, MAN_PAGE = (pathlib.Path(arg).resolve() for arg in sys.argv[1:3])


def run(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=120)


def unlike(pairs):
    return [f"{name}: {got!r}, not {want!r}" for name, got, want in pairs if got != want]


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


def advice_depends_on_the_access():
    texts = {access: run("advise", "--platform=mt8173-4k", "--size=16x4M", f"--access={access}")
             for access in ("sequential", "rotate", "random")}
    advice = {access: re.search(r"^advice +(.*)", done.stdout, re.M)[1]
              for access, done in texts.items()}
    only = run("advise", "--platform=tegra194-4k").stdout
    none = run("advise", "--platform=mt8173-4k", "--size=1T").stdout
    return unlike([("sequential", advice["sequential"].startswith("single pages"), True),
                   ("rotate", advice["rotate"].startswith("no attribute"), True),
                   ("random", advice["random"].startswith("no attribute"), True),
                   ("one size", "changes nothing" in only, True),
                   ("nothing", "advice     none:" in none, True)])


def entries_are_those_of_the_tables():
    """Rockchip's driver takes 4M and writes 1024 words; virtio has no tables."""
    rockchip, virtio, pi = (run("advise", f"--platform={platform}", "--size=4M", "--access=random")
                            .stdout for platform in ("rk3399-4k", "qemu-virtio-iommu-4k", "rpi5-4k"))
    return unlike([("words", len(re.findall(r" 1024  4K *$", rockchip, re.M)), 6),
                   ("rockchip", "advice     single pages" in rockchip, True),
                   ("virtio", "no attribute, if its tables have entries" in virtio, True),
                   ("none", "no tables in memory" in " ".join(virtio.split()), True),
                   ("sizes", len(re.findall(r" 1  4M *$", pi, re.M)), 2)])


def the_aperture_holds_in_every_memory():
    """256 MiB, less the page at 0."""
    text = run("advise", "--platform=ums512-4k", "--size=64x4M").stdout
    return unlike([("lost", text.count(" 1 buffers not to be had"), 6)])


def every_option_is_in_the_manual():
    text = MAN_PAGE.read_text()
    options = set(re.findall(r"--([a-z-]+)", run("advise", "--help").stdout))
    return [f"--{name}" for name in sorted(options)
            if "\\-\\-" + name.replace("-", "\\-") not in text]


def refuses(args, mentions):
    def test():
        done = run(*args)
        lines = done.stderr.splitlines()
        good = done.returncode == 2 and not done.stdout and len(lines) == 1 and mentions in lines[0]
        return [] if good else [f"{done.returncode} {done.stdout[:200]!r} {done.stderr!r}"]
    return test


REFUSED = [
    (["advise"], "which platform"), (["advise", "--platform=x"], "'x'"),
    (["advise", "--platform=pseries-4k"], "gets its pages itself"),
    (["advise", "--platform=none-directmap-pi4"], "no IOMMU"),
    (["advise", "--platform=qemu-virtio-iommu-64k-guest4k"], "virtio-iommu refuses the domain"),
    (["advise", "--platform=mt8173-4k", "--access=slow"], "'slow'"),
]

tap.run([(function.__name__.replace("_", " "), function) for function in (
    every_platform_has_advice_or_says_why_not, the_kernels_own_words_come_first,
    advice_depends_on_the_access, entries_are_those_of_the_tables,
    the_aperture_holds_in_every_memory, every_option_is_in_the_manual)]
    + [(f"refuses {' '.join(args)}", refuses(args, mentions)) for args, mentions in REFUSED])

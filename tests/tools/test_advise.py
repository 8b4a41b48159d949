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


def advice_depends_on_the_access():
    texts = {access: run("advise", "--platform=mt8173-4k", "--size=16x4M", f"--access={access}")
             for access in ("sequential", "rotate", "random")}
    advice = {access: re.search(r"^advice +(.*)", done.stdout, re.M)[1]
              for access, done in texts.items()}
    only = run("advise", "--platform=tegra194-4k").stdout
    rockchip = run("advise", "--platform=rk3399-4k", "--size=4M", "--access=random").stdout
    none = run("advise", "--platform=mt8173-4k", "--size=1T").stdout
    return unlike([("sequential", advice["sequential"].startswith("single pages"), True),
                   ("rotate", advice["rotate"].startswith("no attribute"), True),
                   ("random", advice["random"].startswith("no attribute"), True),
                   ("one size", "changes nothing" in only, True),
                   ("recorded", "no attribute, if its tables have entries" in rockchip, True),
                   ("nothing", "advice     none:" in none, True)])


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
    (["advise", "--platform=qemu-virtio-iommu-64k-guest4k"], "init_iova_domain"),
    (["advise", "--platform=mt8173-4k", "--access=slow"], "'slow'"),
]

tap.run([(function.__name__.replace("_", " "), function) for function in (
    advice_depends_on_the_access, every_option_is_in_the_manual)]
    + [(f"refuses {' '.join(args)}", refuses(args, mentions)) for args, mentions in REFUSED])

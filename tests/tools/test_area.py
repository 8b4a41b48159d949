# SPDX-License-Identifier: MIT
"""Contiguous ranges: --attrs force-contiguous, and machines with an area for them (--cma).

usage: test_area.py IOMMUSIM [IDIOM_FOLDER INCLUDE_FOLDER COMPILER...]
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap
from program import refuses, unlike

PROGRAM = pathlib.Path(sys.argv[1]).resolve()
IDIOM, INCLUDE, *COMPILER = sys.argv[2:] or ("", "")


def run(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60)


def results(*args):
    """The results of a comparison by policy alias and attributes."""
    done = run("compare", "--format=json", *args)
    return {(r["alias"], r["attrs"]): r for r in json.loads(done.stdout)["results"]}


def chunks(result):
    return {item["order"]: item["count"] for item in result["chunks_by_order"]}


AREA = ["--memory=256M", "--cma=16M", "--attrs=none,force-contiguous"]
FORCED = "force-contiguous"


def arm_takes_a_range_of_the_area_if_forced_to():
    found = results(*AREA, "--policy=A2,A4", "--size=1200K", "--size=3x4M")
    complaints = []
    for alias in ("A2", "A4"):
        r = found[alias, FORCED]
        complaints += unlike([
            (alias, r["verdict"], "mappable"), (f"{alias} tried", r["tried"], 0),
            (f"{alias} chunks", chunks(r), {2: 1, 3: 1, 5: 1, 8: 1, 10: 3}),
            (f"{alias} tried without", found[alias, "none"]["tried"] > 0, True)])
    return complaints


def where_the_area_has_no_range_nothing_else_is_asked():
    complaints = []
    for args, why in ((AREA, "CMA area of 16M has no range left for 20M, aligned to 1M"),
                      (["--memory=256M", "--attrs=force-contiguous"], "there is no CMA area")):
        r = results(*args, "--policy=A4", "--size=20M")["A4", FORCED]
        done = run("compare", *args, "--policy=A4", "--size=20M")
        complaints += unlike([(why, r["verdict"], "out of memory"), ("tried", r["tried"], 0),
                              ("status", done.returncode, 0),
                              (why, why in " ".join(done.stdout.split()), True)])
    return complaints


def an_area_is_whole_whatever_the_state():
    complaints = []
    for state in ("fresh", "pin:0/2", "random:30%,100%@4"):
        found = results(*AREA, "--policy=A4", "--pgsizes=64K", "--size=16M", f"--state={state}",
                        "--domain=extended")
        complaints += unlike([
            (f"{state} none", found["A4", "none"]["verdict"],
             "mappable" if state == "fresh" else "broken"),
            (f"{state} forced", found["A4", FORCED]["verdict"], "mappable")])
    return complaints


def columns_are_as_wide_as_the_attributes():
    lines = run("compare", *AREA, "--policy=A4").stdout.splitlines()
    head = next(line for line in lines if "attributes" in line and "verdict" in line)
    rows = [line for line in lines if line.startswith("A4  arm-orders-4.6  ")]
    at = head.index("verdict")
    return [line for line in rows if line[at - 1:at + 8] != " mappable"] or \
        unlike([("rows", len(rows), 2)])


def an_area_is_part_of_the_machine():
    shown = json.loads(run("show", "state", "--memory=64M", "--cma=8M", "--format=json").stdout)
    zone = shown["zones"][0]
    walked = run("show", "pgtable", "--memory=64M", "--cma=8M", "--policy=A4", "--size=2M",
                 "--attrs=force-contiguous")
    return unlike([("CMA", zone["pageblocks"]["CMA"], 4), ("free", zone["free"], 16384),
                   ("said", "the last 8M a CMA area" in shown["state"]["source"], True),
                   ("range", "0x0000000103800000" in walked.stdout, True)])


def a_pasted_function_of_arch_arm_takes_the_range():
    forced = ["--memory=64M", "--cma=8M", "--attrs=force-contiguous", "--size=300K"]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("contiguous", "dma_5_0"):
            subprocess.run([*COMPILER, "-std=gnu11", "-w", "-shared", "-fPIC", f"-I{INCLUDE}",
                            "-DIOMMUSIM_KERNEL_VERSION=6001", "-o", f"{folder}/{name}.so",
                            f"{IDIOM}/{name}.c"], check=True)
        done = run("compare", "--format=json", *forced, f"--policy=A4,{folder}/contiguous.so")
        arm, own = json.loads(done.stdout)["results"]
        refused = run("compare", *forced, f"--policy={folder}/dma_5_0.so")
    return unlike([(key, own[key], arm[key]) for key in
                   ("verdict", "tried", "chunks_by_order", "iova_first")] +
                  [("A4", arm["verdict"], "mappable"), ("refused", refused.returncode, 2),
                   ("why", "policy get_pages: dma-iommu decides" in refused.stderr, True)])


REFUSED = [  # arguments, and what the message must name
    (["compare", "--memory=64M", "--attrs=force-contiguous"], "dma-iommu-4.4"),
    (["compare", "--memory=64M", "--policy=A4,H1", "--attrs=none,force-contiguous"], "ion-2012"),
    (["compare", "--policy=P5", "--attrs=force-contiguous"], "before its loop"),
    (["bisect", "--attrs=force-contiguous"], "dma-iommu"),
    (["show", "pgtable", "--attrs=force-contiguous"], "dma-iommu-6.4"),
    (["matrix", "--attrs=force-contiguous"], "'force-contiguous'"),
    (["compare", "--cma=16M"], "--memory or --state"), (["compare", "--cma=0"], "'0'"),
    (["compare", "--memory=64M", "--cma=3M"], "'3M'"),
    (["compare", "--memory=64M", "--cma=66M"], "'66M'"),
    (["compare", "--memory=1M", "--cma=2M"], "'2M'"),
    (["compare", "--memory=64M", "--cma=2M", "--state=age:phone"], "'age:phone'"),
    (["compare", "--buddyinfo=x", "--cma=2M"], "--buddyinfo"),
    (["compare", "--splat=x", "--cma=2M"], "--splat"),
]

TESTS = [(function.__name__.replace("_", " "), function) for function in (
    arm_takes_a_range_of_the_area_if_forced_to, where_the_area_has_no_range_nothing_else_is_asked,
    an_area_is_whole_whatever_the_state, columns_are_as_wide_as_the_attributes,
    an_area_is_part_of_the_machine)]
TESTS += [(f"refuses {' '.join(args)}", refuses(run, args, named)) for args, named in REFUSED]

if COMPILER:
    TESTS.append(("a pasted function of arch/arm takes the range",
                  a_pasted_function_of_arch_arm_takes_the_range))

tap.run(TESTS)

# SPDX-License-Identifier: MIT
"""iommusim matrix and show driver|platform: what they say, and that it can be repeated.

usage: test_matrix.py IOMMUSIM MAN_PAGE
"""

import csv
import io
import json
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap
from program import options_not_in, refuses, unlike

PROGRAM, MAN_PAGE = (pathlib.Path(arg).resolve() for arg in sys.argv[1:3])
SMALL = ["--state=fresh", "--state=pin:3/1", "--size=4K,64K,1M"]
HEADER = ("id,driver,config,first_kernel,last_kernel,pgsize_bitmap,min_granule,iova_bits,pa_bits,"
          "page_table_format,levels,contiguous_hint,cpu_archs,cpu_page_sizes,coherent_walk,"
          "uses_dma_iommu,aperture_start,aperture_end,source_file,kernel_read,verified,notes,"
          "row_kind\n")


def run(*args, **more):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=120, **more)


def matrix(*args):
    done = run("matrix", "--format=json", *args)
    return json.loads(done.stdout), done.returncode


def cells_of(report, **wanted):
    return [cell for cell in report["cells"]
            if all(cell[key] == value for key, value in wanted.items())]


def classes(report, **wanted):
    return {cell["class"] for cell in cells_of(report, **wanted)}


def the_three_cases_of_2016():
    """The patch and the loop before it, then the loop that looks, against that loop."""
    report, status = matrix("--base=P4", "--policy=P2,P3,P5", "--drivers=hyp-*",
                            "--drivers=smmuv3-s1-4k-48", *SMALL)
    case = {"size": 65536, "state": "pin:3/1", "attrs": "single-pages", "cpu_page_size": 4096}
    pairs = [("status", status, 1)]
    for row in ("hyp-smmuv3-64konly-cpu4k", "hyp-smmu-2m-common"):
        refusals = {cell["why"] for cell in cells_of(report, row=row, domain="strict")}
        want = "init_iova_domain" if "64k" in row else "leave no granule of 4K, 16K or 64K"
        pairs += [(f"{row} is refused", len(refusals) == 1 and want in refusals.pop(), True),
                  (f"{row} strict", classes(report, row=row, domain="strict"), {"refused"})]
        for policy, good in (("dma-iommu-4.5", False), ("single-pages-patch", False),
                             ("dma-iommu-6.4", True)):
            got = classes(report, row=row, domain="unmanaged", policy=policy, **case)
            pairs += [(f"{row} {policy}", got, {"both fail"} if good else {"broken"})]
    for policy in ("single-pages-patch", "dma-iommu-6.4"):
        got = classes(report, row="smmuv3-s1-4k-48", policy=policy, attrs="single-pages")
        pairs += [(f"4K granule {policy}", got, {"ok"})]
    evidence = {cell["row"]: cell["evidence"] for cell in report["cells"]}
    return unlike(pairs + [("64K", evidence["hyp-smmuv3-64konly-cpu4k"], "tables"),
                           ("2M", evidence["hyp-smmu-2m-common"], "recorded")])


def every_class_is_repeated_by_its_command():
    """Also that of rows of one's own, odd widths, small apertures, and what the kernel refuses."""
    row = "mine,my-iommu,,v6.1,,0x10000,65536,32,32,arm-lpae-s1,3,no,arm64,4096,?,dma-iommu," \
          "0x0,0x3ffff,,,no,,driver\n"
    said = {"ok": "mappable", "slower": "mappable", "broken": "broken", "no memory": "out of memory",
            "by luck": "by luck", "refused": "refused"}
    complaints, seen = [], set()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "my rows.csv"
        path.write_text(HEADER + row)
        report, _ = matrix("--kernel=6.12", f"--driver-file={path}", "--drivers=mine",
                           "--drivers=smmuv3-s1-64k-52", "--drivers=mtk-v7s-34-bank2",
                           "--drivers=sprd*", "--drivers=virtio-iommu-64k-guest4k",
                           "--drivers=tce-*", "--page-size=4K", "--page-size=64K", *SMALL)
        for cell in report["cells"][::3]:
            if cell["class"] in ("not used", "not simulated"):
                complaints += [f"a command: {cell}"] * bool(cell["command"] or "figures" in cell)
                continue
            done = run(*shlex.split(cell["command"])[1:], "--format=json")
            got = {result["alias"]: result["verdict"] for result in json.loads(done.stdout)["results"]
                   } if done.stdout else {}
            want = said.get(cell["class"])
            seen.add(cell["class"])
            if not got or (want and got["P3"] != want and cell["class"] != "ok"):
                complaints.append(f"{cell['command']}: {cell['class']}, {got} {done.stderr}")
    return complaints + unlike([("seen", {"broken", "refused", "ok"} - seen, set())])


def rows_of_other_releases_are_left_out():
    some, every = (matrix("--kernel=6.1", *more, *SMALL)[0]
                   for more in ([], ["--releases=all"]))
    rows = [{cell["row"] for cell in report["cells"]} for report in (some, every)]
    table = " ".join(run("matrix", "--kernel=6.1", *SMALL).stdout.split())
    return unlike([("6.12", {"amd-v1-6.12", "vsi-iommu"} & rows[0], set()),
                   ("6.1", "amd-v1-6.1" in rows[0], True),
                   ("all", {"amd-v1-6.12", "vsi-iommu"} - rows[1], set()),
                   ("told", f"{len(rows[1] - rows[0])} rows of other releases" in table, True)])


def the_hint_makes_a_common_granule_of_2m():
    report, _ = matrix("--drivers=hyp-smmu-2m-common", "--contiguous=yes", "--policy=P3,P5", *SMALL)
    strict = {cell["why"] for cell in cells_of(report, domain="strict")}
    command = cells_of(report, **{"class": "broken"})[0]["command"]
    done = run(*shlex.split(command)[1:])
    tables = json.loads(run(*shlex.split(command)[1:], "--format=json").stdout)["results"]
    return unlike([("evidence", {cell["evidence"] for cell in cells_of(report, domain="unmanaged")},
                    {"tables"}),
                   ("strict", len(strict) == 1 and "init_iova_domain" in strict.pop(), True),
                   ("repeated", (done.returncode, "broken" in done.stdout), (1, True)),
                   ("tables", {result.get("pgtable") for result in tables}, {"arm-lpae-s1"})])


def tables_that_cannot_hold_an_address_are_told():
    """The words of Tegra's GART have 32 bits: what lies at 4 GiB is not for it."""
    args = ["compare", "--iommu=tegra-gart", "--policy=P5", "--size=64K", "--kernel=6.1", "--memory=64M"]
    high, low = run(*args), run(*args, "--memory-start=1G")
    return unlike([("high", (high.returncode, "iommu_map() says ERANGE" in " ".join(high.stdout.split())),
                    (1, True)), ("low", (low.returncode, "mappable" in low.stdout), (0, True))])


def a_row_of_ones_own_stands_for_a_built_in_one():
    row = 'mtk-v7s-35,d,,v6.1,,0x8000,32768,32,32,none,,no,arm64,65536,?,dma-iommu,,,,,no,,driver\n'
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "mine.csv"
        path.write_text(HEADER + row)
        report, _ = matrix(f"--driver-file={path}", "--drivers=mtk-v7s-35", *SMALL)
        one = run("compare", f"--driver-file={path}", "--iommu=mtk-v7s-35", "--memory=64M").stdout
    return unlike([("matrix", {(cell["driver"], cell["cpu_page_size"]) for cell in report["cells"]},
                    {("d", 65536)}),
                   ("compare", "mtk-v7s-35 {32K}" in one and "CPU pages of 64K" in one, True)])


def a_broken_cell_is_repeated_by_its_command():
    report, _ = matrix("--drivers=hyp-*", "--drivers=tce-*", *SMALL)
    commands = {cell["command"]: cell for cell in cells_of(report, **{"class": "broken"})}
    complaints = [] if len(commands) > 10 else ["hardly any is broken"]
    for command in commands:
        done = run(*shlex.split(command)[1:], "--format=json")
        verdicts = {result["alias"]: result["verdict"]
                    for result in json.loads(done.stdout)["results"]} if done.stdout else {}
        if done.returncode != 1 or verdicts.get("P3") != "broken" or verdicts["P4"] == "broken":
            complaints.append(f"{command}: {done.returncode} {verdicts} {done.stderr}")
    return complaints


def figures_are_those_of_the_command():
    report, _ = matrix("--drivers=smmuv3-s1-4k-48", "--drivers=rockchip-v2",
                       "--drivers=amd-v1-6.12", "--state=age:phone/1", *SMALL)
    complaints = []
    for cell in report["cells"][::7]:
        done = run(*shlex.split(cell["command"])[1:], "--format=json")
        results = {result["alias"]: result for result in json.loads(done.stdout)["results"]}
        for alias, figures in (("P3", cell["figures"]), ("P4", cell["base"])):
            got = (results[alias]["tried"], results[alias]["leaf_entries"])
            if got != (figures["attempts"], figures["leaves"]):
                complaints.append(f"{cell['command']}: {alias} {got} {figures}")
    return complaints


def an_equal_policy_changes_nothing():
    report, status = matrix("--base=P4", "--policy=P4", *SMALL)
    bad = {"broken", "no memory", "by luck", "more memory", "slower"} & classes(report)
    return unlike([("status", status, 0), ("bad", bad, set())])


def workers_change_nothing():
    texts = {run("matrix", f"--jobs={jobs}", "--drivers=*smmu*", *SMALL).stdout
             for jobs in (1, 2, 7)}
    return [] if len(texts) == 1 else ["they do"]


def partial_results_are_gone_on_from():
    args = ["matrix", "--drivers=*smmu*", *SMALL]
    whole = run(*args).stdout
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "partial.json"
        first = run(*args, f"--resume={path}")
        partial = json.loads(path.read_text())
        nr = len(partial["jobs"])
        partial["jobs"] = dict(list(partial["jobs"].items())[::2])
        path.write_text(json.dumps(partial))
        second = run(*args, f"--resume={path}")
        other = run(*args, "--base=P5", f"--resume={path}")
        path.write_text(path.read_text().replace("[", "[1,", 1))
        damaged = run(*args, f"--resume={path}")
        path.write_text('{"inputs":null,"jobs":{}}')
        bare = run(*args, f"--resume={path}")
        partial["jobs"] = {job: [str(number) for number in numbers]
                           for job, numbers in partial["jobs"].items()}
        path.write_text(json.dumps(partial))
        texts = run(*args, f"--resume={path}")
        return unlike([
                       ("bare", (bare.returncode, "no partial matrix" in bare.stderr), (2, True)),
                       ("texts", (texts.returncode, "damaged" in texts.stderr), (2, True)),
                       ("first", first.stdout, whole), ("second", second.stdout, whole),
                       ("other", (other.returncode, "of another matrix" in other.stderr), (2, True)),
                       ("damaged", (damaged.returncode, "damaged" in damaged.stderr), (2, True)),
                       ("jobs", nr > 4, True), ("files", len(list(pathlib.Path(folder).iterdir())), 1)])


def partial_results_of_other_inputs_are_refused():
    """One format for another, or the last of many sizes."""
    row = "mine,d,,v6.1,,0x40201000,4096,48,48,{},4,no,arm64,4096,?,dma-iommu,,,,,no,,driver\n"
    states = [f"--state=random:{share}%,50%@9" for share in range(10, 26)]
    sizes = [str(4096 * (1 + i)) for i in range(32)]
    with tempfile.TemporaryDirectory() as folder:
        rows, partial = (pathlib.Path(folder) / name for name in ("mine.csv", "partial.json"))
        args = ["matrix", f"--driver-file={rows}", "--drivers=mine", f"--resume={partial}",
                "--memory=16M"]
        rows.write_text(HEADER + row.format("arm-lpae-s1"))
        first = run(*args, *states, "--size=" + ",".join(sizes))
        sizes[-1] = "4194304"
        size = run(*args, *states, "--size=" + ",".join(sizes))
        partial.unlink(missing_ok=True)
        run(*args, *SMALL)
        rows.write_text(HEADER + row.format("arm-lpae-s2"))
        tables = run(*args, *SMALL)
    return unlike([("first", (first.returncode, first.stderr), (0, ""))] +
                  [(name, (done.returncode, "of another matrix" in done.stderr), (2, True))
                   for name, done in (("size", size), ("tables", tables))])


def arch_arm_has_its_own_policies():
    """What serves a DMA domain of dma-iommu, and what one of arch/arm."""
    args = ["--domain=strict", "--state=fresh", "--size=4K", "--drivers=ipmmu-arm",
            "--drivers=smmuv3-s1-4k-48"]
    unused = {policy: {cell["row"] for cell in cells_of(matrix(f"--policy={policy}", *args)[0])
                       if cell["class"] == "not used"} for policy in ("A2", "A4", "P5")}
    return unlike([("A2", unused["A2"], {"smmuv3-s1-4k-48"}),
                   ("A4", unused["A4"], {"smmuv3-s1-4k-48"}),
                   ("P5", unused["P5"], {"ipmmu-arm"})])


def names_are_quoted_and_dma_domains_counted():
    """A driver of arch/arm whose granule is above the page: nothing refuses it before the map."""
    row = 'mine,"my, ""iommu""",,v6.1,,0x10000,65536,32,32,none,,no,arm,4096,?,arm-dma-mapping,' \
          ",,,,no,,driver\n"
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "mine.csv"
        path.write_text(HEADER + row)
        args = ["matrix", "--policy=A2", f"--driver-file={path}", "--drivers=mine",
                "--state=fresh", "--size=4K", "--domain=strict"]
        table = run(*args).stdout
        rows = list(csv.DictReader(io.StringIO(run(*args, "--format=csv").stdout)))
        repeated = {run(*shlex.split(cell["command"])[1:]).returncode
                    for cell in rows if cell["class"] == "broken"}
        path.write_bytes((HEADER + row.replace("iommu\"\"", "io\x01mmu\"\"")).encode())
        control = run(*args)
    broken = len([cell for cell in rows if cell["class"] == "broken"])
    return unlike([("names", {cell["driver"] for cell in rows}, {'my, "iommu"'}),
                   ("broken", broken > 0, True), ("repeated", repeated, {1}),
                   ("counted", f"of the broken, {broken} in DMA domains" in " ".join(table.split()),
                    True),
                   ("control", (control.returncode, "control character" in control.stderr),
                    (2, True))])


def an_interrupted_run_keeps_what_it_has():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "partial.json"
        process = subprocess.Popen([PROGRAM, "matrix", "--jobs=1", f"--resume={path}",
                                    "--state=random:50%,80%@9", "--state=random:6%,60%@4",
                                    "--state=random:40%,90%@9"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=100)
        jobs = json.loads(path.read_text())["jobs"]
        return unlike([("status", process.returncode, 2), ("output", out, ""), ("jobs", bool(jobs), True),
                       ("message", "goes on from there" in err, True)])


def files_appear_whole_or_not_at_all():
    args = ["matrix", "--drivers=hyp-smmu-2m-common", *SMALL]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        good = run(*args, f"--output={folder}/good.txt")
        missing = run(*args, f"--output={folder}/none/x.txt")
        (folder / "taken").mkdir()
        taken = run(*args, f"--output={folder}/taken")
        full = run(*args, "--output=/dev/full")
        with open("/dev/full", "w") as device:
            piped = subprocess.run([PROGRAM, *args], stdout=device, stderr=subprocess.PIPE, text=True)
        names = sorted(path.name for path in folder.iterdir())
        return unlike(
            [("good", (good.returncode, good.stdout), (1, "")), ("names", names, ["good.txt", "taken"]),
             ("whole", (folder / "good.txt").read_text(), run(*args).stdout),
             ("piped", (piped.returncode, "could not be written" in piped.stderr), (2, True))] +
            [(key, (done.returncode, "cannot be written" in done.stderr,
                    len(done.stderr.splitlines())), (2, True, 1))
             for key, done in (("missing", missing), ("taken", taken), ("full", full))])


def the_table_fits_on_100_columns():
    text = run("matrix", *SMALL).stdout
    long = [line for line in text.splitlines()
            if len(line) > 100 and "iommusim compare" not in line]
    return long + ([] if "cells" in text else ["no summary"])


def csv_has_a_row_for_each_cell():
    rows = list(csv.DictReader(io.StringIO(run("matrix", "--format=csv", "--drivers=hyp-*",
                                               *SMALL).stdout)))
    report, _ = matrix("--drivers=hyp-*", *SMALL)
    return unlike([("rows", len(rows), len(report["cells"])),
                   ("classes", [row["class"] for row in rows],
                    [cell["class"] for cell in report["cells"]])])


def the_page_stands_alone():
    text = run("matrix", "--format=html", "--drivers=hyp-*", "--drivers=tce-*", *SMALL).stdout
    links = set(re.findall(r'href="?#([^">]+)', text))
    targets = set(re.findall(r"id=(\w+)", text))
    cells = re.findall(r'<td class="[^"]*"><a href="#\w+" title="([^"]+)"', text)
    return unlike([("no target", links - targets, set()), ("links", len(links) > 20, True),
                   ("tooltips", len(cells) > 20 and all(cells), True),
                   ("foreign", re.findall(r"(?:https?:|src=|@import|<script|<link)", text), []),
                   ("phone", 'name=viewport content="width=device-width' in text, True),
                   ("end", text.endswith("</html>\n"), True)])


def a_driver_of_ones_own():
    row = "mine,my-iommu,,v6.1,,0x20010000,65536,48,48,arm-lpae-s1,3,no,arm64,4096,?,dma-iommu," \
          "0x0,0xffffffff,,,no,,driver\n"
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "mine.csv"
        path.write_text(HEADER + row)
        report, _ = matrix(f"--driver-file={path}", "--drivers=mine", *SMALL)
        path.write_text(HEADER + row.replace("65536", "4096"))
        bad = run("matrix", f"--driver-file={path}")
        missing = run("matrix", "--driver-file=/none.csv")
        return unlike([("rows", {cell["row"] for cell in report["cells"]}, {"mine"}),
                       ("strict", classes(report, domain="strict"), {"refused"}),
                       ("unmanaged", "broken" in classes(report, domain="unmanaged"), True),
                       ("bad", (bad.returncode, bad.stdout), (2, "")),
                       ("where", "mine.csv:2:33: min_granule: '4096' is not" in bad.stderr, True),
                       ("missing", (missing.returncode, "cannot be read" in missing.stderr), (2, True))])


def what_kernels_do_with_a_large_granule():
    texts = {kernel: run("matrix", f"--kernel={kernel}", "--domain=strict", *SMALL).stdout
             for kernel in ("6.1", "6.12")}
    return unlike([("virtio 6.1", "virtio-iommu-64k-guest4k, CPU 4K" in texts["6.1"], True),
                   ("EINVAL", texts["6.1"].count("ENODEV"), 0),
                   ("ENODEV", texts["6.12"].count("ENODEV"), 3)])


def rows_are_shown():
    driver, platform = run("show", "driver", "apple-dart-16k*"), run("show", "platform", "rk3*")
    return unlike([("driver", "apple-dart refuses to attach" in driver.stdout, True),
                   ("one", driver.stdout.count("\n\n"), 0),
                   ("platforms", platform.stdout.count("\n\n"), 4),
                   ("zones", "DMA 3G at 0x40000000" in platform.stdout, True),
                   ("wide", [line for line in run("show", "driver").stdout.splitlines()
                             if len(line) > 100], [])])


def every_option_is_in_the_manual():
    return options_not_in(MAN_PAGE.read_text(), run("matrix", "--help").stdout)


REFUSED = [
    (["matrix", "--nope"], "--nope"), (["matrix", "x"], "'x'"), (["matrix", "--base"], "missing"),
    (["matrix", "--base=P9"], "'P9'"), (["matrix", "--policy=P9"], "'P9'"),
    (["matrix", "--drivers=nothing*"], "'nothing*' matches no row"),
    (["matrix", "--drivers=apple-dart-t8103-16k", "--page-size=4K"], "no row is left"),
    (["matrix", "--drivers=fsl_pamu"], "no row is left"),
    (["matrix", "--page-size=5K"], "'5K'"), (["matrix", "--state=bent"], "'bent'"),
    (["matrix", "--state=pin:12/1", "--drivers=hyp-*"], "pin:12/1"),
    (["matrix", "--size=0"], "'0'"), (["matrix", "--size=4K,"], "''"), (["matrix", "--jobs=0"], "'0'"),
    (["matrix", "--domain=both"], "'both'"), (["matrix", "--releases=6"], "'6'"),
    (["matrix", "--contiguous=1"], "'1'"),
    (["matrix", "--kernel=6.1", "--drivers=vsi-iommu"], "1 of other releases"),
    (["compare", "--iommu=nothing"], "'nothing' is no row"), (["compare", "--iommu=none"], "no paging"),
    (["compare", "--iommu=tce-ddw-16g"], "above 4G"),
    (["compare", "--iommu=omap-iommu", "--pgtable=omap"], "does not go with --iommu"),
    (["compare", "--driver-file=/none.csv"], "cannot be read"),
    (["compare", "--pgsizes=8K", "--contiguous=yes"], "not those of"), (["matrix", "--format=xml"], "'xml'"),
    (["matrix", "--kernel=5.0"], "'5.0'"), (["matrix", "--attrs=all"], "'all'"),
    (["matrix", "--drivers=hyp-*", "--resume=/none/x"], "cannot be written"),
    (["matrix", "--drivers=hyp-*", "--resume=/dev/full"], "no regular file"),
    (["matrix", "--output=x", "--resume=x"], "is where --resume"),
    (["matrix", "--memory=5000", "--drivers=hyp-*"], "--memory"),
    (["show", "driver", "nothing*"], "'nothing*'"), (["show", "platform", "a", "b"], "'b'"),
    (["show", "driver", "--nope"], "--nope"),
]

tap.run([(function.__name__.replace("_", " "), function) for function in (
    the_three_cases_of_2016, every_class_is_repeated_by_its_command,
    rows_of_other_releases_are_left_out, the_hint_makes_a_common_granule_of_2m,
    tables_that_cannot_hold_an_address_are_told, a_row_of_ones_own_stands_for_a_built_in_one, a_broken_cell_is_repeated_by_its_command,
    figures_are_those_of_the_command, an_equal_policy_changes_nothing, workers_change_nothing,
    partial_results_are_gone_on_from, partial_results_of_other_inputs_are_refused,
    arch_arm_has_its_own_policies, names_are_quoted_and_dma_domains_counted, an_interrupted_run_keeps_what_it_has,
    files_appear_whole_or_not_at_all, the_table_fits_on_100_columns, csv_has_a_row_for_each_cell,
    the_page_stands_alone, a_driver_of_ones_own, what_kernels_do_with_a_large_granule,
    rows_are_shown, every_option_is_in_the_manual)]
    + [(f"refuses {' '.join(args)}", refuses(run, args, mentions)) for args, mentions in REFUSED])

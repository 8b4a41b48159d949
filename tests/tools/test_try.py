# SPDX-License-Identifier: MIT
"""iommusim try: what is compiled, found, compared and refused. workshop.py has its usage."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap
from workshop import ENVIRONMENT, FOLDER, IDIOM, MORE, PROGRAM, QUICK, WORLDS, one_line, run, shows, write

# ---- Pasted functions ----

# file, --version, the built-in policy that it is compared with
IDIOMS = [("dma_4_4", "4.4", "P1"), ("dma_4_5", "4.6", "P2"), ("dma_patch", "4.6", "P3"),
          ("dma_4_7", "4.9", "P4"), ("dma_5_0", "5.4", "P4"), ("dma_5_0", "5.10", "P4b"), ("dma_5_0", "6.6", "P5"),
          ("noncontiguous", "6.12", "P5"), ("arm_3_9", "3.9", "A2"), ("arm_3_9", "4.0", "A2"),
          ("arm_4_6", "4.7", "A4"), ("arm_4_8", "4.11", "A4"), ("arm_4_8", "5.4", "A4"), ("whole_4_4", "4.4", "P1"),
          ("remap", "5.10", "P4b"), ("unmap", "6.1", "P4b"), ("camera", "6.12", "N1"), ("vb2", "6.12", "V1"), ("ttm", "6.1", "T1a"),
          ("ttm", "6.12", "T1b"), ("ttm_arrays", "5.11", "T1a"), ("ttm_arrays", "6.6", "T1a"), ("heap", "5.11", "H3a"), ("heap", "5.15", "H3a"), ("heap", "6.12", "H3b")]


def is_the_same(name, version, alias):
    def test():
        done = run("try", str(IDIOM / f"{name}.c"), f"--version={version}", WORLDS)
        return shows(done, 0, f"({alias})", "the same attempts and results as", "Nothing is worse") + \
            done.stderr.splitlines()
    return test


def changed(old, new, name="dma_5_0"):
    text = (IDIOM / f"{name}.c").read_text()
    assert old in text
    return str(write("changed.c", text.replace(old, new)))


def a_difference_is_explained():
    done = run("try", changed("mask - size", "0"), WORLDS)
    parts = shows(done, 1, "different from dma-iommu-6.4 in", "first at attempt 0", "opportunistic")
    world = re.search(r"^  world +(page=.*)$", done.stdout, flags=re.MULTILINE)
    lines = re.findall(r"^  (?:yours|Linux's) +order (\d+), (\S+), ", done.stdout, flags=re.MULTILINE)
    if not world or len(lines) != 2:
        return parts + done.stdout.splitlines()
    if lines[0][0] != lines[1][0] or "NORETRY" in lines[0][1] or "NORETRY" not in lines[1][1]:
        parts.append(str(lines))
    return parts


def an_equal_figure_is_not_worse():
    """The loop of 3.5 forgets a page, here as there; one that also forgets another is worse."""
    text = (IDIOM / "arm_3_9.c").read_text().replace("__fls(count)", "__ffs(count)")
    text = text.replace("while (i--)", "while (--i)")
    path = str(write("forgets.c", text))
    done = run("try", path, "--version=3.5", MORE)
    row = re.search(r"^no-finding +(\d+) +(\d+)(.*)$", done.stdout, flags=re.MULTILINE)
    bad = shows(done, 0, "(A1)", "Nothing is worse.") + \
        ([] if row and row[1] == row[2] and not row[3] else [done.stdout])
    write("more.c", text.replace("\treturn pages;\nerror:", "\tif (i == 2)\n\t\tpages[1] = NULL;\n\treturn pages;\nerror:"))
    done = run("try", "more.c", "--version=3.5", MORE)
    row = re.search(r"^no-finding +(\d+) +(\d+)  worse in (\d+)$", done.stdout, flags=re.MULTILINE)
    return bad + shows(done, 1, "(A1)") + \
        ([] if row and int(row[1]) - int(row[2]) == int(row[3]) > 0 else [done.stdout])


def who_gives_up_where_linux_does_not_is_worse():
    """Single pages whatever the granule: what it gets it cannot use, and gives back."""
    path = changed("\tif (!mask)\n\t\treturn NULL;\n", "\tif (!(mask & 1))\n\t\treturn NULL;\n")
    done = run("try", path, MORE)
    bad = shows(done, 1, "gives up: it fails where dma-iommu-6.4 is served with what can be mapped", "(ENOMEM)")
    row = re.search(r"^gives up +(\d+) +-  worse$", done.stdout, flags=re.MULTILINE)
    world = re.search(r"^gives up: .*?^  world +(.*?)^  yours", done.stdout, flags=re.MULTILINE | re.DOTALL)
    document = json.loads(run("try", path, MORE, "--format=json").stdout)["gives_up"]
    if not row or not world or str(document["worlds"]) != row[1] or \
            " ".join(world[1].split()) != document["world"]:
        return bad + [done.stdout, str(document)]
    served = run("check", "P5", "--world", document["world"])
    return bad + shows(served, 0, "every invariant holds")


def a_memory_error_is_told_with_its_attempt():
    done = run("try", changed("while (count--)\n\t\t__free_page", "while (--count > 0)\n\t\t__free_page"),
               WORLDS)
    return shows(done, 1, "no-finding", "after attempt", "has not given back 1 page,",
                 "different from" if "different from" in done.stdout else "the same attempts")


HELPER = ("__iommu_dma_free_pages(struct page **pages, int count)", "\n{\n\twhile (count--)\n"
          "\t\t__free_page(pages[count]);\n\tkvfree(pages);\n}\n\n")
TAKE = "static struct page *ttm_pool_type_take(struct ttm_pool_type *pt)"


def what_the_headers_have_may_be_pasted_too():
    """However it is written; and a mention is no definition."""
    text = (IDIOM / "remap.c").read_text().replace('"dma_5_0.c"', f'"{IDIOM}/dma_5_0.c"')
    head, bad = "".join(HELPER), []
    for own in (f"static void {head}", f"static void\n{head}", f"static __always_inline void\n  {head}",
                f"static void /* {{ */ {head.replace('(struct', ' ( struct', 1)}",
                f"static int brace = '{{';\nstatic void {head}",
                f"static int f(int x)\n{{\n#if 1\n\tif (x) {{\n#else\n\tif (!x) {{\n#endif\n"
                f"\t}}\n\treturn x;\n}}\nstatic void {head}",
                f"static void {HELPER[0]};\n", f"/* static void {head} */\n", f"// {HELPER[0]} {{\n",
                f'static const char *const words = "{HELPER[0]} {{";\n',
                f"#define UNUSED \\\n\tvoid {HELPER[0]} {{\n"):
        path = write("own.c", text.replace("static void *get_address", own + "static void *get_address"))
        bad += shows(run("try", str(path), WORLDS), 0, "the same attempts")
    own = TAKE + "\n{\n\treturn pt && pt->order > 99 ? alloc_page(0) : NULL;\n}\n"
    path = write("take.c", (IDIOM / "ttm.c").read_text().replace("#include <iommusim/kernel.h>\n",
                                                                "#include <iommusim/kernel.h>\n" + own))
    return bad + shows(run("try", str(path), WORLDS), 0, "the same attempts")


def a_remapping_that_fails_is_undone():
    """By the headers' function, or by the text's own."""
    bad = []
    for name, release in (("remap", "5.10"), ("remap", "6.12"), ("unmap", "5.15"), ("unmap", "6.1")):
        text = (IDIOM / f"{name}.c").read_text().replace("#define IOMMUSIM_KERNEL_OWN_UNMAP\n", "")
        text = text.replace('#include "', f'#include "{IDIOM}/')
        for failing, status, says in (("", 0, "the same attempts"),
                                      ("#define dma_common_pages_remap(...) NULL\n", 1, "different from")):
            path = write("fails.c", "#include <iommusim/kernel.h>\n" + failing + text)
            done = run("try", str(path), f"--version={release}", WORLDS)
            bad += shows(done, status, says) + done.stderr.splitlines()
            bad += [done.stdout] if "no-finding" in done.stdout or "keeps-pages" in done.stdout else []
    return bad


def arrays_of_max_order_are_of_one_largest_order():
    """Wherever a constant is needed, and nowhere else; or what the text says."""
    text, bad = (IDIOM / "ttm.c").read_text(), []
    for version, own, order in (
            ("6.1", "static int of[MAX_ORDER];", 10), ("6.1", "static int of[3][2 * (MAX_ORDER + 1)];", 10),
            ("6.1", "struct of {\n\tint of[MAX_ORDER];\n};", 10),
            ("6.1", "static const int of[] = {\n\t[MAX_ORDER - 1] = 3,\n};", 10),
            ("6.1", "static int f(int x)\n{\n\treturn x;\n}\nstatic int of[MAX_ORDER];", 10),
            ("6.12", "static int of[MAX_PAGE_ORDER + 1];", 10), ("6.12", "static int of[NR_PAGE_ORDERS];", 0),
            ("6.1", "static int of(const int x[MAX_ORDER])\n{\n\tint y[MAX_ORDER];\n\n\ty[0] = x[0];\n"
                    "\treturn y[MAX_ORDER - 1] + y[0];\n}", 0),
            ("6.1", '/* int of[MAX_ORDER]; */\nstatic const char *const of[1] = { "[MAX_ORDER]" };', 0)):
        path = write("of.c", text.replace("static struct page *get", own + "\n\nstatic struct page *get", 1))
        done = run("try", str(path), f"--version={version}", WORLDS, "--format=json")
        document = json.loads(done.stdout or "{}")
        if done.returncode or document.get("largest_order", 0) != order or document["difference"]["worlds"]:
            bad += [own, done.stdout, done.stderr]
    text = "#define IOMMUSIM_KERNEL_LARGEST_ORDER 13\n" + (IDIOM / "ttm_arrays.c").read_text()
    bad += shows(run("try", str(write("of.c", text)), "--version=6.1", MORE), 0,
                 "seed 1, all of largest order 13", "the same attempts")
    text = text.replace("ORDER 13", "ORDER 14")
    return bad + shows(run("try", str(write("of.c", text)), "--version=6.1"), 2,
                       "IOMMUSIM_KERNEL_LARGEST_ORDER is not 1 to 13")


def an_order_too_many_is_found_in_arrays_of_max_order():
    path = changed("order = LARGEST;", "order = LARGEST + 1;", "ttm_arrays")
    done = run("try", path, "--version=6.1", MORE, "--memory=1G")
    bad = shows(done, 1, "no-vain-order", "is at order 11, the largest is 10", "own fill")
    done = run("try", str(IDIOM / "ttm_arrays.c"), "--version=6.1", WORLDS, "--memory=1G", "--page-size=64K")
    return bad + shows(done, 2, "policy fill is for machines with a largest order of 10 only, not 13")


def another_release_is_another_policy():
    done = run("try", str(IDIOM / "dma_5_0.c"), "--version=6.1", "--against=P5", WORLDS)
    return shows(done, 1, "dma-iommu-6.4 (P5)", "different from dma-iommu-6.4", "no-vain-order")


def code_that_does_not_compile_is_shown():
    done = run("try", changed("__fls(mask)", "__flz(mask)"), WORLDS)
    return shows(done, 2, "__flz", "does not compile as code of Linux 6.12", "--version") + \
        done.stdout.splitlines()


def a_type_that_is_not_known_is_told():
    path = write("type.c", "#include <iommusim/kernel.h>\nstatic int f(int x)\n{\n\treturn x;\n}\n"
                           "IOMMUSIM_KERNEL_POLICY(f)\n")
    return shows(run("try", str(path)), 2, "no calling convention for a function of this type")


def names_of_another_release_do_not_compile():
    return shows(run("try", str(IDIOM / "dma_4_7.c"), "--version=6.12"), 2, "MAX_ORDER")


def code_that_does_not_end_ends():  # after two seconds, and that more than once
    done = run("try", changed("while (count) {", "while (1) {\n\t\tif (count == 3) continue;"), WORLDS)
    return shows(done, 1, "no-finding", "too long")


def it_is_compared_on_a_machine_too():
    done = run("try", str(IDIOM / "dma_5_0.c"), WORLDS, "--memory=1G", "--state=pin:0/2")
    return shows(done, 0, "the same attempts", "memory     made up", "P5  dma-iommu-6.4",
                 "own get_pages")


def compare_tells_what_is_found():
    path = changed("kvcalloc(count,", "kvcalloc(count / 2,")
    text = "after attempt 1 it touches memory behind an array of 4096 bytes"
    bad = shows(run("try", path, WORLDS, "--memory=1G"), 1, "broken", "the policy ends with EBUG",
                text)
    document = json.loads(run("try", path, WORLDS, "--memory=1G", "--format=json").stdout)
    findings = [result.get("finding") for result in document["comparison"]["results"]]
    return bad + ([] if text in findings else [str(findings)])


def json_is_one_document():
    """Alone, with a comparison, with nothing worse, and of a file whose name is no UTF-8."""
    worse = run("try", changed("mask - size", "0"), WORLDS, "--format=json")
    document, bad = json.loads(worse.stdout), []
    broken = {item["invariant"]: item for item in document["broken"]}
    text = run("try", str(FOLDER / "changed.c"), WORLDS)
    for part in ("worlds", "attempt", "world", "yours", "reference"):
        value = str(document["difference"][part])
        bad += [] if value in " ".join(text.stdout.split()) else [f"{part}: {value}"]
    if document["verdict"] != "worse" or not broken["opportunistic"]["worse"] or worse.returncode != 1:
        bad.append(worse.stdout)
    again = run("check", "P5", "--world", broken["opportunistic"]["world"])
    bad += shows(again, 0, "every invariant holds")
    if "comparison" in document or document["reference"]["alias"] != "P5":
        bad.append(worse.stdout)
    both = run("try", str(IDIOM / "dma_5_0.c"), WORLDS, "--format", "json", "--memory=1G")
    document = json.loads(both.stdout)
    if document["verdict"] != "fine" or document["difference"] != {"worlds": 0} or both.returncode:
        bad.append(both.stdout)
    alone = json.loads(run("compare", "--format=json", "--memory=1G", "--policy=P5").stdout)
    results = [result for result in document["comparison"]["results"] if result["alias"] == "P5"]
    bad += [] if results == alone["results"] else [str(results)]
    name = os.fsencode(FOLDER) + b"/\xff\n.c"
    with open(name, "wb") as out:
        out.write((IDIOM / "vb2.c").read_bytes())
    strange = json.loads(run("try", name, WORLDS, "--format=json").stdout)
    return bad + ([] if strange["yours"]["file"].endswith("/?\n.c") else [str(strange["yours"])])


def nothing_is_left_in_the_temporary_folder():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([PROGRAM, "try", IDIOM / "vb2.c", WORLDS], capture_output=True,
                       env={**ENVIRONMENT, "TMPDIR": folder}, check=True)
        return os.listdir(folder)


def nothing_is_left_after(number):
    """The binary is away as soon as it runs: no signal leaves it behind."""
    def test():
        with tempfile.TemporaryDirectory() as folder:
            with subprocess.Popen([PROGRAM, "try", IDIOM / "vb2.c", "--worlds=100000000"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env={**ENVIRONMENT, "TMPDIR": folder}) as running:
                end, seen = time.monotonic() + 20, False
                while time.monotonic() < end and not (seen and not os.listdir(folder)):
                    seen = seen or bool(os.listdir(folder))
                    time.sleep(0.002)
                bad = [] if running.poll() is None else [f"it ended with {running.returncode}"]
                running.send_signal(number)
            return bad + ([] if seen else ["nothing was made"]) + os.listdir(folder)
    return test


def nothing_is_left_of_a_compiler_that_is_stopped():
    script = write("slow", "#!/bin/sh\nwhile [ \"$1\" != -o ]; do shift; done\n: >\"$2\"\nexec sleep 60\n")
    script.chmod(0o700)
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen([PROGRAM, "try", IDIOM / "vb2.c"], stdout=subprocess.DEVNULL,
                              env={**ENVIRONMENT, "TMPDIR": folder, "CC": str(script)}) as running:
            end = time.monotonic() + 20
            while time.monotonic() < end and not list(pathlib.Path(folder).glob("*/policy.so")):
                time.sleep(0.002)
            running.send_signal(signal.SIGTERM)
            status, waited = running.wait(), time.monotonic() - end + 20
        return os.listdir(folder) + ([] if status == -signal.SIGTERM and waited < 20 else
                                     [f"status {status} after {waited} s"])


def a_name_is_no_command():
    name = "$(touch broken);`touch broken` x.c"
    write(name, (IDIOM / "vb2.c").read_text())
    done = run("try", name, WORLDS)
    return shows(done, 0, "Nothing is worse") + (["it ran"] if (FOLDER / "broken").exists() else [])


def a_name_is_no_option():
    name = "-x.c"
    write(name, (IDIOM / "vb2.c").read_text())
    bad = []
    for args in (["--", name], [name], ["--memory=1G", WORLDS, "--", name]):
        bad += shows(run("try", *args, *([] if WORLDS in args or "--" in args else [WORLDS])), 0,
                     "Nothing is worse", name)
    return bad


def headers_are_found_where_one_says():
    write("extra.h", "#define ORDERS { 9, 8, 4, 0 }\n")
    text = (IDIOM / "arm_4_8.c").read_text().replace("{ 9, 8, 4, 0 }", "ORDERS")
    folder = FOLDER / "sub"
    folder.mkdir(exist_ok=True)
    path = folder / "arm.c"
    path.write_text('#include "extra.h"\n' + text)
    return shows(run("try", str(path), "--include", str(FOLDER), WORLDS), 0, "(A4)", "Nothing is worse")


write("empty.c", "")
write("lost.c", "void *lost(void);\nvoid *found(void)\n{\n\treturn lost();\n}\n")
(FOLDER / "folder.c").mkdir()
REFUSED = [
    (["try", "a.c", "--policy", "P5"], "--policy: try has its own"),
    (["try", "a.c", "--policy=P5"], "--against names another"),
    (["try", "a.c", "--worlds=0"], "--worlds: '0' is too small"), (["try", "--"], "which file"),
    (["try", "--", "--help"], "'--help' cannot be opened"), (["try", "a.c", "--", "b.c"], "'b.c'"),
    (["try"], "which file"), (["try", "missing.c"], "'missing.c' cannot be opened"),
    (["try", "empty.c"], "try: 'empty.c' has no IOMMUSIM_KERNEL_POLICY(function)"),
    (["try", "lost.c"], "try: 'lost.c' cannot be loaded: "), (["try", "folder.c"], "'folder.c' is a folder"),
    (["try", "a.c", "b.c"], "'b.c'"), (["try", "a.c", "--format=csv"], "'csv' is neither table nor json"),
    *((["try", "a.c", f"--version={version}"], f"'{version}' is no release") for version in (
        "six", "", "6", "6.", ".12", "6.12.3", "6.1x", "-6.1", "6.-1", "6.012", "06.1", " 6.1", "0x6.1",
        "6.1000", "99999999999999999999.1")),
    *((["try", "a.c", f"--version={version}"], f"'{version}' is none of the releases 3.0 to 6.19")
      for version in ("99.1", "2.6", "0.0", "3.20", "4.21", "5.20", "6.20", "7.0", "999.999")),
    (["try", "a.c", "--version"], "missing"), (["try", "a.c", "--worlds=x"], "'x'"),
    (["try", "a.c", "--nope=1"], "unknown option '--nope'"),
    (["try", str(IDIOM / "vb2.c"), "--against=P9"], "'P9' is no policy"),
]


def a_compiler_that_does_not_do_is_told():
    file = str(IDIOM / "vb2.c")
    return shows(run("try", file, cc="no-such-compiler"), 2, "'no-such-compiler' cannot be run") + \
        shows(run("try", file, cc="true x"), 2, "try: the compiler 'true' made no file")


def any_temporary_folder_will_do():
    bad = []
    for name in ("a,b", "with space", "long" * 60):
        (FOLDER / name).mkdir(exist_ok=True)
        done = run("try", str(IDIOM / "vb2.c"), WORLDS, "--memory=1G", TMPDIR=str(FOLDER / name))
        bad += shows(done, 0, "own get_compacted", "Nothing is worse") + os.listdir(FOLDER / name)
    done = run("try", str(IDIOM / "vb2.c"), TMPDIR="/nowhere/at/all")
    return bad + shows(done, 2, "try: no folder can be made in '/nowhere/at/all' (the environment's TMPDIR")


def help_is_on_stdout():
    return shows(run("try", "--help"), 0, "usage: iommusim try [OPTION]", "GPL-2.0")


tap.run([(f"{name} of {version} is {alias}", is_the_same(name, version, alias))
         for name, version, alias in (IDIOMS[::5] if QUICK else IDIOMS)]
        + [(function.__name__.replace("_", " "), function) for function in (
            a_difference_is_explained, an_equal_figure_is_not_worse, who_gives_up_where_linux_does_not_is_worse,
            a_memory_error_is_told_with_its_attempt, a_remapping_that_fails_is_undone,
            another_release_is_another_policy, what_the_headers_have_may_be_pasted_too,
            arrays_of_max_order_are_of_one_largest_order, an_order_too_many_is_found_in_arrays_of_max_order,
            code_that_does_not_compile_is_shown,
            a_type_that_is_not_known_is_told, names_of_another_release_do_not_compile,
            it_is_compared_on_a_machine_too, compare_tells_what_is_found, json_is_one_document,
            nothing_is_left_in_the_temporary_folder, nothing_is_left_of_a_compiler_that_is_stopped,
            a_name_is_no_command, a_name_is_no_option, headers_are_found_where_one_says,
            a_compiler_that_does_not_do_is_told, any_temporary_folder_will_do,
            help_is_on_stdout)]
        + [(f"nothing is left after {number.name}", nothing_is_left_after(number))
           for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)]
        + ([] if QUICK else [("code that does not end ends", code_that_does_not_end_ends)])
        + [(f"refuses {' '.join(args)}", one_line(args, mentions)) for args, mentions in REFUSED])

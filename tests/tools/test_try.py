# SPDX-License-Identifier: MIT
"""iommusim try, and policies from shared objects: what is compiled, found, compared and refused.

usage: test_try.py quick|all IOMMUSIM IDIOM_FOLDER INCLUDE_FOLDER COMPILER...
"""

import json
import os
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

PROGRAM, IDIOM, INCLUDE = (pathlib.Path(arg).resolve() for arg in sys.argv[2:5])
COMPILER = sys.argv[5:]
ENVIRONMENT = {**os.environ, "CC": " ".join(COMPILER)}
QUICK = sys.argv[1] == "quick"
WORLDS, MORE = "--worlds=60", "--worlds=400"
SCRATCH = tempfile.TemporaryDirectory()
FOLDER = pathlib.Path(SCRATCH.name)


def run(*args, cc=None, **more):
    environment = {**ENVIRONMENT, **({"CC": cc} if cc is not None else {}), **more}
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=120, cwd=FOLDER,
                          env=environment)


def write(name, text):
    path = FOLDER / name
    path.write_text(text)
    return path


def build(name, text):
    """A shared object of that C text; the text of what went wrong."""
    path = write(name + ".c", text)
    done = subprocess.run([*COMPILER, "-std=c11", "-shared", "-fPIC", f"-I{INCLUDE}", "-o",
                           FOLDER / (name + ".so"), path], capture_output=True, text=True)
    return done.stderr if done.returncode else ""


def shows(done, status, *parts):
    """Complaints, if the output does not contain every part or the status is another."""
    text = done.stdout + done.stderr
    bad = [f"no {part!r}" for part in parts if part not in text and part not in " ".join(text.split())]
    if done.returncode != status:
        bad.append(f"status {done.returncode}, not {status}")
    return bad + ((done.stdout + done.stderr).splitlines() if bad else [])


# ---- Pasted functions ----

# file, --version, the built-in policy that it is compared with
IDIOMS = [("dma_4_4", "4.4", "P1"), ("dma_4_5", "4.6", "P2"), ("dma_patch", "4.6", "P3"),
          ("dma_4_7", "4.9", "P4"), ("dma_5_0", "5.4", "P4"), ("dma_5_0", "5.10", "P4b"), ("dma_5_0", "6.6", "P5"),
          ("noncontiguous", "6.12", "P5"), ("arm_3_9", "3.9", "A2"), ("arm_3_9", "4.0", "A2"),
          ("arm_4_6", "4.7", "A4"), ("arm_4_8", "4.11", "A4"), ("arm_4_8", "5.4", "A4"), ("whole_4_4", "4.4", "P1"),
          ("remap", "5.10", "P4b"), ("camera", "6.12", "N1"), ("vb2", "6.12", "V1"), ("ttm", "6.1", "T1a"),
          ("ttm", "6.12", "T1b"), ("heap", "5.15", "H3a"), ("heap", "6.12", "H3b")]


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


def lines_are_80_columns_wide():
    write("short.c", (IDIOM / "dma_5_0.c").read_text().replace("mask - size", "0"))
    texts = [run(*args).stdout for args in (
        ("try", "--help"), ("try", "short.c", MORE), ("try", "short.c", "--version=6.1", MORE),
        ("try", "mine.c", MORE))]
    return [line for text in texts for line in text.splitlines() if len(line) > 80 or line.endswith(" ")] + \
        ([] if all(texts) else texts)


def a_policy_without_kin_has_no_reference():
    mine("mine")
    done = run("try", "mine.c", MORE)
    return shows(done, 1, "Linux's    none is known that it is a version of; --against names one",
                 "broken in worlds     yours\n") + (["worse"] if "worse" in done.stdout else [])


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


# ---- Policies of one's own ----

MINE = """#include <iommusim/chunk.h>
static int singles(const struct iommusim_policy *policy, const struct iommusim_chunk_request *req,
                   const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	int err = 0;

	for (uint64_t got = 0; !err && got < plan->count; got++)
		err = iommusim_chunk_get(run, 0, req->gfp);
	return policy->size ? err : -IOMMUSIM_EINVAL;
}
static const struct iommusim_policy mine = { .size = sizeof(mine)SIZE, .name = "mine",
                                             .summary = "one by one", .alloc = singles };
"""
NEWER = """static const struct { struct iommusim_policy policy; unsigned long more; } newer = {
	{ .size = sizeof(newer), .alloc = singles }, 1
};
"""
EXPORT = "IOMMUSIM_EXPORT_POLICY(mine);\n"


def mine(name, size="", export=EXPORT):
    return build(name, MINE.replace("SIZE", size) + export)


def every_command_takes_a_shared_object():
    wrong = mine("mine")
    bad = [wrong] if wrong else []
    bad += shows(run("check", MORE, "mine.so"), 1, "iommusim check mine.so --world")
    bad += shows(run("check", MORE, "--test", "./mine.so"), 1, "static void mine_is_mappable",
                 'policy_in("./mine.so")')
    bad += shows(run("compare", "--memory=1G", "--policy=P5,./mine.so"), 0, "own mine")
    bad += shows(run("show", "policy", "./mine.so"), 0, "mine (own)", "one by one")
    bad += shows(run("show", "pgtable", "--memory=1G", "--policy=mine.so"), 0, "by mine")
    bad += shows(run("bisect", "--memory=1G", "--good=P5", "--bad=./mine.so"), 0,
                 "first changed by mine (./mine.so)")
    return bad + shows(run("try", "mine.c", MORE, "--against=P5"), 1, "different from dma-iommu-6.4")


def shared_objects_are_told_apart():
    wrong = mine("mine") + mine("mine 2")
    done = run("check", MORE, "./mine.so,./mine 2.so", "P5")
    command = re.search(r"^    iommusim (check './mine 2.so' --world .*)$", done.stdout, flags=re.MULTILINE)
    bad = shows(done, 1, "  own1   own2     P5", "own1   is mine, ./mine.so", "own2   is mine, ./mine 2.so")
    return bad + ([wrong] if wrong else []) + \
        (shows(run(*shlex.split(command[1])), 1, "mappable") if command else ["no command of mine 2.so"])


def what_is_not_deterministic_is_told():
    text = MINE.replace("SIZE", "").replace("\tint err = 0;\n", "\tstatic unsigned calls;\n\tint err = 0;\n")
    wrong = build("static", text.replace("run, 0, req->gfp)", "run, 0, req->gfp | (++calls % 3 ? 0 : 0x2000))")
                  + EXPORT)
    bad = [wrong] if wrong else []
    bad += shows(run("check", MORE, "static.so"), 1, "mine, deterministic", "the second time")
    done = run("try", "static.c", MORE, "--against=P5")
    bad += shows(done, 1, "deterministic: the same world", "the second time")
    empty = re.search(r"^  (what|world|yours|Linux's) *$", done.stdout, flags=re.MULTILINE)
    return bad + ([done.stdout] if empty else [])


def what_the_library_says_of_a_policy_is_told():
    """One page too few; and pages that no attempt got, which are not the policy's own."""
    text = MINE.replace("SIZE", "")
    wrong = build("short", text.replace("got < plan", "got + 1 < plan") + EXPORT)
    wrong += build("thief", text.replace("iommusim_chunk_get(run, 0, req->gfp)", "iommusim_chunk_append(run, "
                   "&(struct iommusim_chunk){ .pfn = 0x100000 + got, .is_split = 1 })") + EXPORT)
    bad = [wrong] if wrong else []
    bad += shows(run("compare", "--memory=1G", "--policy=./short.so", "--size=8K"), 1, "the policy ends with EINVAL",
                 "(an invalid argument) after 1 attempt:", "policy mine got 1 of 2 pages")
    done = run("compare", "--memory=1G", "--policy=./thief.so")
    said = done.stdout + done.stderr
    return bad + ([] if done.returncode in (1, 2) and "internal error" not in said and "mine" in said and
                  "pfn 0x100" in " ".join(said.split()) else [said])


def what_check_prints_repeats_it():
    mine("mine")
    done = run("check", MORE, "mine.so")
    command = re.search(r"^    iommusim (check .*)$", done.stdout, flags=re.MULTILINE)
    return shows(run(*shlex.split(command[1])), 1, "mappable") if command else done.stdout.splitlines()


def one_line(args, *parts):
    def test():
        done = run(*args)
        bad = shows(done, 2, *parts)
        return bad + (done.stderr.splitlines() if len(done.stderr.splitlines()) != 1 or done.stdout else [])
    return test


def prepare():
    by_hand = ("const struct iommusim_policy_export iommusim_exported_policy = "
               "{ %s, %s, %s, NULL, 0 };\n")
    for name, size, export in (
            ("silent", "", ""), ("abi", "", by_hand % ("7", "sizeof(mine)", "&mine")),
            ("newer", "", NEWER + by_hand % ("1", "sizeof(newer)", "&newer.policy")),
            ("unlike", " + 8", by_hand % ("1", "sizeof(mine)", "&mine")),
            ("small", "", by_hand % ("1", "16", "&mine")),
            ("null", "", by_hand % ("1", "sizeof(mine)", "NULL"))):
        wrong = mine(name, size, export)
        if wrong:
            raise RuntimeError(wrong)
    write("text.so", "no object\n")
    write("empty.c", "")
    write("lost.c", "void *lost(void);\nvoid *found(void)\n{\n\treturn lost();\n}\n")
    (FOLDER / "folder.c").mkdir()


def size_of_policy():
    path = write("size.c", "#include <iommusim/chunk.h>\n#include <stdio.h>\nint main(void)\n{\n"
                           "\treturn !printf(\"%zu\", sizeof(struct iommusim_policy));\n}\n")
    subprocess.run([*COMPILER, "-std=c11", f"-I{INCLUDE}", "-o", FOLDER / "size", path], check=True)
    return int(subprocess.run([FOLDER / "size"], capture_output=True, text=True, check=True).stdout)


prepare()
SIZE = size_of_policy()
REFUSED = [
    (["check", "./missing.so"], "'./missing.so' cannot be opened"),
    (["compare", "--policy=text.so"], "'text.so' is no shared object"),
    (["check", "./silent.so"], "'./silent.so' has no symbol iommusim_exported_policy"),
    (["show", "policy", "./abi.so"], "'./abi.so' has policy ABI 7, this program has 1: rebuild it"),
    (["check", "./small.so"], f"'./small.so' has a struct iommusim_policy of 16 bytes, this program one of {SIZE}: "
     f"rebuild it against this program's headers"),
    (["check", "./newer.so"], f"'./newer.so' uses members of a newer struct iommusim_policy, of {SIZE + 8} "
     f"bytes, this program has one of {SIZE}: rebuild it"),
    (["check", "./unlike.so"], f"of {SIZE} bytes that says .size = {SIZE + 8}"),
    (["check", "./null.so"], "policy './null.so' exports no policy"),
    (["compare", "--policy=./missing.so"], "policy './missing.so' cannot be opened"),
    (["try", "a.c", "--policy", "P5"], "--policy: try has its own"),
    (["try", "a.c", "--policy=P5"], "--against names another"),
    (["try", "a.c", "--worlds=0"], "--worlds: '0' is too small"), (["try", "--"], "which file"),
    (["try", "--", "--help"], "'--help' cannot be opened"), (["try", "a.c", "--", "b.c"], "'b.c'"),
    (["bisect", "--good=./mine.so"], "'./mine.so' is no policy of the history"),
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


def a_shared_object_is_one_to_compare_against():
    mine("mine")
    done = run("try", str(IDIOM / "vb2.c"), "--against=./mine.so", WORLDS, "--memory=1G")
    return shows(done, 1, "other      mine, ./mine.so\n", "broken in worlds     yours   other\n",
                 "own mine", "own get_compacted")


def help_is_on_stdout():
    return shows(run("try", "--help"), 0, "usage: iommusim try [OPTION]", "GPL-2.0")


tap.run([(f"{name} of {version} is {alias}", is_the_same(name, version, alias))
         for name, version, alias in (IDIOMS[::5] if QUICK else IDIOMS)]
        + [(function.__name__.replace("_", " "), function) for function in (
            a_difference_is_explained, an_equal_figure_is_not_worse, a_memory_error_is_told_with_its_attempt,
            another_release_is_another_policy, what_the_headers_have_may_be_pasted_too,
            code_that_does_not_compile_is_shown,
            a_type_that_is_not_known_is_told, names_of_another_release_do_not_compile,
            it_is_compared_on_a_machine_too, compare_tells_what_is_found, json_is_one_document,
            nothing_is_left_in_the_temporary_folder, nothing_is_left_of_a_compiler_that_is_stopped,
            a_name_is_no_command, a_name_is_no_option, headers_are_found_where_one_says,
            every_command_takes_a_shared_object, a_policy_without_kin_has_no_reference,
            lines_are_80_columns_wide, shared_objects_are_told_apart, what_is_not_deterministic_is_told,
            what_check_prints_repeats_it, what_the_library_says_of_a_policy_is_told,
            a_compiler_that_does_not_do_is_told, any_temporary_folder_will_do,
            a_shared_object_is_one_to_compare_against, help_is_on_stdout)]
        + [(f"nothing is left after {number.name}", nothing_is_left_after(number))
           for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)]
        + ([] if QUICK else [("code that does not end ends", code_that_does_not_end_ends)])
        + [(f"refuses {' '.join(args)}", one_line(args, mentions)) for args, mentions in REFUSED])

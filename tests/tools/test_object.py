# SPDX-License-Identifier: MIT
"""Policies from shared objects: what is loaded, told apart, found and refused. workshop.py has the
usage."""

import pathlib
import re
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap
from workshop import COMPILER, FOLDER, IDIOM, INCLUDE, MORE, QUICK, WORLDS, build, one_line, run, shows, write

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


DEEP = """static int deep(int n)
{
	volatile char room[65536];

	room[n % 65536] = 1;
	return n ? deep(n + 1) + room[0] : 0;
}
"""


def last_words(name, statement, said):
    """A policy that takes the program down with it: it is said which, and with what request."""
    def test():
        text = MINE.replace("SIZE", "").replace("\tint err = 0;\n", f"\tint err = 0;\n\n\t{statement}\n")
        wrong = build(name, "#include <stdlib.h>\n" + DEEP + text + EXPORT)
        bad = [wrong] if wrong else []
        told = ["policy mine", said, "in the world 'page="]
        done = run("check", WORLDS, f"./{name}.so")
        bad += shows(done, 1, f"(./{name}.so)", *told)
        world = re.search(r"the world '(.*)'", done.stderr)
        again = run("check", f"./{name}.so", "--world", world.group(1) if world else "")
        bad += [] if again.stderr == done.stderr else [again.stderr]
        bad += shows(run("try", f"{name}.c", WORLDS), 1, *told)
        return bad + shows(run("compare", "--memory=1G", f"--policy=P5,./{name}.so"), 1, said,
                           "when it is asked for 4194304 bytes")
    return test


DEATHS = [("crash", "*(volatile int *)0 = 1;", "crashes ("), ("abort", "abort();", "crashes ("),
          ("leave", "exit(0);", "ends the program"), ("recurse", "err = deep(1);", "crashes (")]
SPIN = ("spin", "for (volatile int on = 1; on;) ;", "does not come to an end")


def several_workers_end_the_program():
    """Which of them comes first is up to the host: once is not enough. The object is that of a death above."""
    ends = [run("matrix", "--policy=./leave.so", "--jobs=2").returncode for _ in range(20)]
    return [] if ends == [1] * 20 else [str(ends)]


def a_policy_for_one_largest_order_is_asked_for_no_other():
    """It would be an error of the library; what shows what is wrong is of that order, too."""
    bad = shows(run("compare", "--memory=1G", "--policy=./ten.so"), 0, "own mine")
    bad += shows(run("try", "mine.c", "--against=./eleven.so", MORE), 0, "the same attempts and results as mine")
    text = MINE.replace("SIZE", ", .only_order = 11").replace("int err = 0;", "int err = plan->count > 3 ? -12 : 0;")
    write("quits.c", text + EXPORT)
    for args in (("check", MORE, "./eleven.so"), ("check", "--exhaustive=6,3,1", "./eleven.so"),
                 ("try", "eleven.c", MORE), ("try", "eleven.c", "--against=P5", MORE),
                 ("try", "quits.c", "--against=P5", MORE)):
        done = run(*args)
        worlds = re.findall(r"page=4K order=(\d+)", done.stdout)
        if done.returncode != 1 or not worlds or set(worlds) != {"11"} or done.stderr:
            bad += [f"{args}", done.stdout, done.stderr]
    done = run("check", MORE, "eleven.so")
    command = re.search(r"^    iommusim (check .*)$", done.stdout, flags=re.MULTILINE)
    return bad + shows(run(*shlex.split(command[1])), 1, "mappable")


def what_check_prints_repeats_it():
    mine("mine")
    done = run("check", MORE, "mine.so")
    command = re.search(r"^    iommusim (check .*)$", done.stdout, flags=re.MULTILINE)
    return shows(run(*shlex.split(command[1])), 1, "mappable") if command else done.stdout.splitlines()


def lines_are_80_columns_wide():
    mine("mine")
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


def a_shared_object_is_one_to_compare_against():
    mine("mine")
    done = run("try", str(IDIOM / "vb2.c"), "--against=./mine.so", WORLDS, "--memory=1G")
    return shows(done, 1, "other      mine, ./mine.so\n", "broken in worlds     yours   other\n",
                 "own mine", "own get_compacted")


def prepare():
    by_hand = ("const struct iommusim_policy_export iommusim_exported_policy = "
               "{ %s, %s, %s, NULL, 0 };\n")
    for name, size, export in (
            ("silent", "", ""), ("abi", "", by_hand % ("7", "sizeof(mine)", "&mine")),
            ("newer", "", NEWER + by_hand % ("1", "sizeof(newer)", "&newer.policy")),
            ("unlike", " + 8", by_hand % ("1", "sizeof(mine)", "&mine")),
            ("small", "", by_hand % ("1", "16", "&mine")),
            ("null", "", by_hand % ("1", "sizeof(mine)", "NULL")),
            *((name, f", .only_order = {order}", EXPORT) for name, order in (("ten", 10), ("eleven", 11), ("high", 14)))):
        wrong = mine(name, size, export)
        if wrong:
            raise RuntimeError(wrong)
    write("text.so", "no object\n")


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
    (["check", "./high.so"], "'./high.so': its policy's only_order, 14, is above 13"),
    (["check", "P5,./ten.so", "--world", "order=9"],
     "--world: order is 9, and policy mine is for a largest order of 10 only"),
    (["try", "ten.c", "--against=./eleven.so"], "'./eleven.so' is for a largest order of 11 only, mine for one of 10"),
    *((args, "policy mine is for machines with a largest order of 10 only, not 11") for args in (
        ["compare", "--memory=1G", "--page-size=16K", "--policy=P5,./ten.so"],
        ["bisect", "--memory=1G", "--page-size=16K", "--good=P5", "--bad=./ten.so"],
        ["show", "pgtable", "--memory=1G", "--page-size=16K", "--policy=./ten.so"],
        ["matrix", "--page-size=16K", "--policy=./ten.so"])),
    (["bisect", "--good=./mine.so"], "'./mine.so' is no policy of the history"),
]

tap.run([(function.__name__.replace("_", " "), function) for function in (
            every_command_takes_a_shared_object, a_policy_without_kin_has_no_reference,
            lines_are_80_columns_wide, shared_objects_are_told_apart, what_is_not_deterministic_is_told,
            a_policy_for_one_largest_order_is_asked_for_no_other, what_check_prints_repeats_it, what_the_library_says_of_a_policy_is_told,
            a_shared_object_is_one_to_compare_against)]
        + [(f"last words of a policy: {death[0]}", last_words(*death))
           for death in DEATHS + ([] if QUICK else [SPIN])]
        + [("several workers end the program", several_workers_end_the_program)]
        + [(f"refuses {' '.join(args)}", one_line(args, mentions)) for args, mentions in REFUSED])

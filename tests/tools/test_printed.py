# SPDX-License-Identifier: MIT
"""The C file that iommusim check --test prints: it compiles, and its tests find what check found.

usage: test_printed.py IOMMUSIM INCLUDE_FOLDER LIBRARY COMPILER...
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap
from program import refuses, unlike

PROGRAM, INCLUDE, LIBRARY = (pathlib.Path(arg).resolve() for arg in sys.argv[1:4])
COMPILER = [*sys.argv[4:], "-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{INCLUDE}"]
IS_SHARED = LIBRARY.suffix != ".a"
WORLDS = "--worlds=500"
SCRATCH = tempfile.TemporaryDirectory()
FOLDER = pathlib.Path(SCRATCH.name)
MINE = """#include <iommusim/chunk.h>
static int singles(const struct iommusim_policy *policy, const struct iommusim_chunk_request *req,
                   const struct iommusim_chunk_plan *plan, struct iommusim_chunk_run *run)
{
	int err = 0;

	for (uint64_t got = 0; !err && got < plan->count; got++)
		err = iommusim_chunk_get(run, 0, req->gfp);
	return policy->size ? err : -IOMMUSIM_EINVAL;
}
static const struct iommusim_policy mine = { .size = sizeof(mine), .name = NAME, .alloc = singles };
IOMMUSIM_EXPORT_POLICY(mine);
"""
# files and the names of their policies: a name may hold anything, and be another's
ODD = [("same.so", '"dma-iommu-4.7"'), ("alike.so", '"dma_iommu+4 7"'), ("none.so", '""'),
       ('q"uo\\te??! \u00e4*.so', r'"7 \"x\\\n*/ \303\244\?\?/"'), ("long.so", '"' + "n" * 300 + '"')]


def run(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=120, cwd=FOLDER)


def flags_of(what, otherwise):
    try:
        done = subprocess.run(["pkg-config", what, "cmocka"], capture_output=True, text=True)
    except OSError:
        return otherwise
    return done.stdout.split() if not done.returncode else otherwise


def compiled(text, name="tests"):
    """The program made of @text; the compiler's words are an error."""
    path = FOLDER / f"{name}.c"
    path.write_text(text)
    done = subprocess.run([*COMPILER, *flags_of("--cflags", []), "-o", FOLDER / name, path, LIBRARY,
                           f"-Wl,-rpath,{LIBRARY.parent}", *flags_of("--libs", ["-lcmocka"]), "-ldl"],
                          capture_output=True, text=True)
    if done.returncode or done.stderr:
        raise RuntimeError(done.stderr + text)
    return FOLDER / name


def verdicts(program):
    """Exit status, and of each test that fails what it is told."""
    done = subprocess.run([program], capture_output=True, text=True, cwd=FOLDER,
                          env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"})
    failed = re.findall(r'^not ok \d+ - (\w+)\n# "(.*)" != ""$', done.stdout, flags=re.M)
    return done.returncode, dict(failed)


def it_has_a_test_for_each_that_is_broken():
    found, printed = run("check", WORLDS, "P1,A1,P5"), run("check", WORLDS, "--test", "P1,A1,P5")
    wanted = {f"{policy}_is_{name}".replace("-", "_").replace(".", "_"): " ".join(text.split()) for policy, name, text in
              re.findall(r"^([\w.-]+), ([\w-]+): .*\n(?: .*\n)*?    here:(.*(?:\n          .*)*)$", found.stdout,
                         flags=re.MULTILINE)}
    status, failed = verdicts(compiled(printed.stdout))
    return unlike([("status", printed.returncode, 1), ("stderr", printed.stderr, ""),
                   ("tests", failed, wanted), ("failed", status, len(wanted))]) + \
        ([] if len(wanted) > 8 else [str(wanted)])


def a_test_passes_once_the_policy_is_right():
    text = run("check", WORLDS, "--test", "P4").stdout
    return unlike([("before", verdicts(compiled(text))[0] > 0, True),
                   ("after", verdicts(compiled(text.replace("dma-iommu-4.7", "dma-iommu-6.4"))), (0, {}))])


def names_of_policies_may_be_odd():
    for file, name in ODD:
        (FOLDER / "mine.c").write_text(MINE.replace("NAME", name))
        subprocess.run([*COMPILER, "-shared", "-fPIC", "-o", FOLDER / file, FOLDER / "mine.c"], check=True)
    done = run("check", WORLDS, "--test", "P4", *(file for file, _ in ODD))
    tests = re.findall(r"^static void (\w+)\(void", done.stdout, flags=re.MULTILINE)
    status, failed = verdicts(compiled(done.stdout))
    return unlike([("status", done.returncode, 1), ("names", len(set(tests)), len(tests)),
                   ("failed", sorted(failed), sorted(tests)), ("status of the tests", status, len(tests))]) + \
        [f"too long: {name}" for name in tests if len(name) > 63] + \
        ([] if len(tests) > len(ODD) and "dma_iommu_4_7_2_is_mappable" in tests else tests)


def nothing_broken_is_no_test():
    done = run("check", WORLDS, "--test", "P5")
    return unlike([("stdout", done.stdout, ""), ("status", done.returncode, 0),
                   ("stderr", done.stderr, "iommusim: no invariant is broken: there is no test to print\n")])


def every_invariant_has_its_constant():
    names = re.findall(r"^  ([a-z-]+) +\S", run("check", "--help").stdout.split("\ninvariants\n")[1],
                       flags=re.MULTILINE)
    header = (INCLUDE / "iommusim/check.h").read_text()
    wanted = ["IOMMUSIM_INVARIANT_" + name.upper().replace("-", "_") for name in names]
    return [name for name in wanted if not re.search(rf"\b{name},", header)] + \
        ([] if len(names) > 12 else names)


tap.run([(function.__name__.replace("_", " "), function) for function in (
    it_has_a_test_for_each_that_is_broken, a_test_passes_once_the_policy_is_right,
    nothing_broken_is_no_test, every_invariant_has_its_constant,
    *([names_of_policies_may_be_odd] if IS_SHARED else []))]
    + [("refuses one world", refuses(run, ["check", "P1", "--test", "--world="], "--world"))])

# SPDX-License-Identifier: MIT
"""What the tests of pasted functions and of shared objects have in common: the program, its folder,
and a compiler.

usage of the tests: quick|all IOMMUSIM IDIOM_FOLDER INCLUDE_FOLDER COMPILER...
"""

import os
import pathlib
import subprocess
import sys
import tempfile

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


def one_line(args, *parts):
    def test():
        done = run(*args)
        bad = shows(done, 2, *parts)
        return bad + (done.stderr.splitlines() if len(done.stderr.splitlines()) != 1 or done.stdout else [])
    return test

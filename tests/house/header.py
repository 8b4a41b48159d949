# SPDX-License-Identifier: MIT
"""Compile each public header alone, first and twice: with -std=gnu11 those of kernel names, which
are GNU C, else all others.

usage: header.py INCLUDE_DIR COMPILER [OPTION]...
"""

import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap

INCLUDE, COMPILER = pathlib.Path(sys.argv[1]), sys.argv[2:]


def compiles(header, suffix):
    def test():
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / f"alone{suffix}"
            path.write_text(f'#include "{header}"\n#include "{header}"\nint main(void) {{ return 0; }}\n')
            done = subprocess.run([*COMPILER, f"-I{INCLUDE}", "-fsyntax-only", str(path)],
                                  capture_output=True, text=True)
        return done.stderr.splitlines() if done.returncode or done.stderr else []
    return test


SUFFIX = ".cpp" if any("c++" in word for word in COMPILER) else ".c"
KERNEL = "-std=gnu11" in COMPILER


def is_kernel(header):
    return header.relative_to(INCLUDE).as_posix().startswith("iommusim/kernel")


tap.run([(str(header.relative_to(INCLUDE)), compiles(header.relative_to(INCLUDE), SUFFIX))
         for header in sorted(INCLUDE.rglob("*.h")) if is_kernel(header) == KERNEL])

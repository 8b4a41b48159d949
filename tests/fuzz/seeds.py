# SPDX-License-Identifier: MIT
"""Join texts into one input of a fuzzer, with a 0 between them.

usage: seeds.py OUTPUT TEXT...
"""

import pathlib
import sys

pathlib.Path(sys.argv[1]).write_bytes(b"\0".join(pathlib.Path(path).read_bytes()
                                                 for path in sys.argv[2:]))

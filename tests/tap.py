# SPDX-License-Identifier: MIT
"""Tests in Python, reported as TAP: one line per test, and why it failed."""

import sys
import traceback


def complaints_of(function):
    try:
        return function()
    except Exception:  # a crash fails its own test, not those behind it
        return traceback.format_exc().splitlines()


def printable(text):
    """Control characters would spoil the report, which becomes XML."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def run(tests):
    """Run (name, function) pairs. A function returns complaints: a list of lines, empty if all is
    well."""
    print(f"1..{len(tests)}")
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        complaints = complaints_of(function)
        failed += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {number} - {printable(name)}")
        for complaint in complaints:
            print(f"# {printable(complaint)}")
    sys.exit(1 if failed else 0)

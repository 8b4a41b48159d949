# SPDX-License-Identifier: MIT
"""What the tests of the program have in common."""

import re


def unlike(pairs):
    """A complaint for each (name, what is there, what is wanted) that differ."""
    return [f"{name}: {got!r}, not {want!r}" for name, got, want in pairs if got != want]


def refuses(run, args, mentions):
    """A test that the program ends with status 2 and one line on stderr that mentions that."""
    def test():
        done = run(*args)
        lines = done.stderr.splitlines()
        good = done.returncode == 2 and not done.stdout and len(lines) == 1 and mentions in lines[0]
        return [] if good else [f"{done.returncode} {done.stdout[:200]!r} {done.stderr!r}"]
    return test


def options_not_in(manual, *helps):
    """The options that a help names and the manual page does not."""
    options = set(re.findall(r"--([a-z-]+)", "".join(helps)))
    return [f"--{name}" for name in sorted(options)
            if "\\-\\-" + name.replace("-", "\\-") not in manual]

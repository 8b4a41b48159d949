# SPDX-License-Identifier: MIT
"""The manual's table of invariants and policies is what `iommusim check every --table` finds.

usage: test_table.py quick|all|write IOMMUSIM MAN_PAGE

quick proves each "no" by its command, and each "yes" in a thousand worlds; all compares the whole;
write puts what is found into the manual.
"""

import pathlib
import re
import shlex
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap

MODE, PROGRAM, MAN_PAGE = sys.argv[1], *(pathlib.Path(arg).resolve() for arg in sys.argv[2:4])
BEGIN, END = '.\\" The table begins.\n', '.\\" The table ends.\n'
# What history is known for: policy, invariant, what its smallest world shows.
KNOWN = [("P1", "bounded", "attempts for"), ("P1", "no-finding", "a block that it has freed"), ("P3", "mappable", "off the granule"),
         ("V1", "opportunistic", "reclaims and retries, though"), ("A1", "aligned", "cannot map it"),
         ("P4", "no-vain-order", "the largest is")]


def run(*args):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=300)


def roff(text):
    """Lines between .EX and .EE that print as @text."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").splitlines()
    return "".join((line or "\\&") + "\n" for line in lines)


def plain(text):
    """The opposite."""
    return text.replace("\\&", "").replace("\\(aq", "'").replace("\\-", "-").replace("\\e", "\\")


def parts_of_manual():
    head, rest = MAN_PAGE.read_text().split(BEGIN)
    return (head, *rest.split(END))


def cells_of(text):
    """(policy, invariant) to "yes" or "no"."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("     "))
    names = lines[start].split()
    rows = [line.split() for line in lines[start + 1:lines.index("", start)]]
    return {(row[0], name): word for row in rows for name, word in zip(names, row[1:])}


def worlds_of(text):
    """(policy, invariant) to the command that shows it and what that says."""
    found = {}
    for name, body in re.findall(r"^([a-z-]+): .*\n((?:  .*\n)+)", text, flags=re.MULTILINE):
        body = re.split(r"^  (?:holds|does not hold) in .*\n", body, flags=re.MULTILINE)[-1]
        shown = re.findall(r"^  (\S.*\n(?:  \S.*\n)*?)    iommusim (check (\S+) \\\n +--world .*)$", body,
                           flags=re.MULTILINE)
        for what, command, policies in shown:
            for policy in policies.split(","):
                found[policy, name] = (command.replace("\\\n", " "), " ".join(what.split()))
    return found


MANUAL = plain(parts_of_manual()[1])


def the_manual_has_what_is_found():
    found = run("check", "every", "--table").stdout
    return [f"the manual: {old!r}, found: {new!r}" for old, new in
            zip(MANUAL.splitlines(), found.splitlines()) if old != new] + \
        ([] if MANUAL == found else ["rewrite it: test_table.py write IOMMUSIM MAN_PAGE"])


def what_a_thousand_worlds_break_is_in_the_manual():
    few, manual = cells_of(run("check", "every", "--table", "--worlds=1000").stdout), cells_of(MANUAL)
    return [str(cell) for cell, word in few.items() if word == "no" and manual.get(cell) != "no"] + \
        ([] if few.keys() == manual.keys() and len(few) > 100 else ["other policies or invariants"])


def each_no_has_a_world_that_shows_it():
    noes = {cell for cell, word in cells_of(MANUAL).items() if word == "no"}
    worlds = worlds_of(MANUAL)
    bad = [f"without a world or not in the table: {cell}" for cell in noes ^ worlds.keys()]
    for command in {command for command, _ in worlds.values()}:
        done = run(*shlex.split(command))
        verdicts = re.split(r"^\S+: ", done.stdout, flags=re.MULTILINE)[1:]
        policies = shlex.split(command)[1].split(",")
        bad += [] if done.returncode == 1 and len(verdicts) == len(policies) else [command]
        for policy, verdict in zip(policies, verdicts):
            for cell, (other, what) in worlds.items():
                said = " ".join(verdict.split())
                if other == command and cell[0] == policy and f"{cell[1]} {what}" not in said:
                    bad.append(f"{cell}: {command}: {verdict}")
    return bad


def what_history_is_known_for_is_found():
    cells, worlds = cells_of(MANUAL), worlds_of(MANUAL)
    return [f"{policy} {name}" for policy, name, what in KNOWN
            if cells[policy, name] != "no" or what not in worlds[policy, name][1]]


def the_table_says_since_when():
    since = dict(re.findall(r"^([a-z-]+): .*\n  holds in the history from \S+ \((\w+)\) on$", MANUAL,
                            flags=re.MULTILINE))
    wanted = {"mappable": "P4", "aligned": "P2", "no-vain-order": "P5", "bounded": "P2",
              "no-finding": "P4b"}
    return [] if since == wanted else [str(since)]


def roff_and_back_is_the_same():
    text = "a -b 'c'\n\n  d \\\n"
    return [] if plain(roff(text)) == text else [roff(text)]


def write():
    head, _, tail = parts_of_manual()
    MAN_PAGE.write_text(head + BEGIN + roff(run("check", "every", "--table").stdout) + END + tail)


if MODE == "write":
    write()
else:
    tap.run([(function.__name__.replace("_", " "), function) for function in (
        [the_manual_has_what_is_found] if MODE == "all" else
        [what_a_thousand_worlds_break_is_in_the_manual, each_no_has_a_world_that_shows_it,
         what_history_is_known_for_is_found, the_table_says_since_when, roff_and_back_is_the_same])])

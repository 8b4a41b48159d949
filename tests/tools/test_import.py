# SPDX-License-Identifier: MIT
"""Memory of real kernels in the program: /proc files, reports of failed allocations, the picture.

usage: test_import.py IOMMUSIM DATA_DIR
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import tap

PROGRAM, DATA = (pathlib.Path(arg).resolve() for arg in sys.argv[1:3])
MACHINES = {"amd64-4608m": "4K", "arm64-512m": "4K", "arm64-16k-512m": "16K"}
REPORTS = {  # file: order, gfp, release, world
    "6.1-amd64-512m-order8": (8, "GFP_KERNEL", "6.1.0-56-amd64", "6.1"),
    "6.12-amd64-4608m-order9": (9, "GFP_KERNEL", "6.12.117+deb12-amd64", "6.12"),
    "6.12-amd64-512m-order5-noretry": (5, "GFP_KERNEL|__GFP_NORETRY", "6.12.117+deb12-amd64",
                                       "6.12"),
    "6.12-amd64-512m-order9": (9, "GFP_KERNEL", "6.12.117+deb12-amd64", "6.12"),
}


def run(*args, **more):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, errors="replace",
                          timeout=60, **more)


def differences(**pairs):
    """name=(got, wanted)"""
    return [f"{name}: {got!r}, not {want!r}" for name, (got, want) in pairs.items() if got != want]


def refusal(args, named, folder=None):
    done = run(*args, cwd=folder)
    lines = done.stderr.splitlines()
    complaints = differences(status=(done.returncode, 2), stdout=(done.stdout, ""),
                             lines=(len(lines), 1))
    if not complaints and not lines[0].startswith("iommusim: "):
        complaints = [f"not a message of ours: {lines[0]}"]
    return complaints or ([] if named in lines[0] else [f"no {named} in: {lines[0]}"])


# ---- /proc files ----

def files_of(machine):
    return [f"--{name}={DATA}/{machine}/{name}" for name in ("buddyinfo", "pagetypeinfo",
                                                             "zoneinfo")] + \
        [f"--page-size={MACHINES[machine]}"]


def zones_of(text):
    """What zoneinfo says of each zone with memory, read in another way."""
    zones = {}
    for part in re.split(r"^(?=Node )", text, flags=re.M)[1:]:
        node, name = re.match(r"Node (\d+), zone +(\w+)", part).groups()
        number = {key: int(value) for key, value in
                  reversed(re.findall(r"^ +(?:pages )?(\w+):? +(\d+)$", part, re.M))}
        protection = [int(n) for n in re.search(r"protection: \((.*)\)", part)[1].split(", ")]
        if number["present"]:
            zones[int(node), name] = number, protection
    return zones


def shows_what_zoneinfo_says(machine):
    def test():
        report = json.loads(run("show", "state", "--format=json", *files_of(machine)).stdout)
        zones = {(zone["node"], zone["zone"]): zone for zone in report["zones"]}
        want = zones_of((DATA / machine / "zoneinfo").read_text())
        complaints = differences(zones=(list(zones), list(want)))
        for key, (number, protection) in want.items() if not complaints else ():
            zone = zones[key]
            for mark in ("min", "low", "high", "promo"):
                complaints += differences(**{mark: (zone[mark], number[mark] - number["boost"])})
            for name in ("boost", "spanned", "present", "managed", "start_pfn"):
                complaints += differences(**{name: (zone[name], number[name])})
            for name in ("count", "batch"):
                complaints += differences(**{name: (zone["cpus"][0][name], number[name])})
            reserve = zone["lowmem_reserve"]
            complaints += differences(reserve=([reserve[name] for name in (
                "DMA", "DMA32", "Normal", "Movable", "Device")], protection))
        return complaints
    return test


def exports_what_it_read(machine):
    """The two files of arm64-512m were read at different moments: buddyinfo's counts hold."""
    def test():
        report = json.loads(run("show", "state", "--format=json", *files_of(machine)).stdout)
        names = ["buddyinfo"] + (["pagetypeinfo"] if machine != "arm64-512m" else [])
        blocks = [line.split()[4:] for line in report["state"]["pagetypeinfo"].splitlines()
                  if re.match(r"Node \d+, zone +\w+ +\d", line)]
        want = [line.split()[4:] for line in
                (DATA / machine / "pagetypeinfo").read_text().splitlines()
                if re.match(r"Node \d+, zone +\w+ +\d", line)]
        return differences(pageblocks=(blocks, want), added=(report["state"]["notes"]["nr_added"], 0),
                           **{name: (report["state"][name], (DATA / machine / name).read_text())
                              for name in names})
    return test


def compares_on(machine):
    def test():
        done = run("compare", *files_of(machine))
        return differences(status=(done.returncode, 0), stderr=(done.stderr, "")) + \
            ([] if "zoneinfo" in done.stdout else ["zoneinfo is not named"])
    return test


def this_host_is_read_with_zoneinfo():
    if not os.access("/proc/zoneinfo", os.R_OK) or not os.access("/proc/buddyinfo", os.R_OK):
        return []
    done = run("show", "state", "--format=json")
    zones = json.loads(done.stdout)["zones"]
    want = zones_of(pathlib.Path("/proc/zoneinfo").read_text())
    return differences(spans=([(z["start_pfn"], z["spanned"]) for z in zones],
                              [(n["start_pfn"], n["spanned"]) for n, _ in want.values()]))


def a_zone_below_its_marks_is_left_alone():
    """Normal has five free pages, less than its min: with zoneinfo the first page is DMA32's."""
    args = ["compare", "--format=json", "--policy=P3", "--attrs=single-pages", "--pgsizes=64K",
            "--domain=extended", *files_of("amd64-4608m")]
    first = [json.loads(run(*[arg for arg in args if arg.split("=")[0] not in left_out]).stdout)
             ["results"][0]["misfit"]["pa"] for left_out in ([], ["--zoneinfo"])]
    return differences(pa=([pa >> 32 for pa in first], [0, 1]))


def zoneinfo_without_pagetypeinfo_tells_the_size():
    done = run("show", "state", *files_of("amd64-4608m")[::2])
    return [] if re.search(r"^free +\S+ of 4.5G", done.stdout, re.M) else [done.stdout[:300]]


# ---- Reports ----

def free_of(text):
    """Blocks by order of each zone, read in another way."""
    return {(int(node), zone): [int(n) for n in re.findall(r"(\d+)\*\d+kB", rest)]
            for node, zone, rest in re.findall(r"Node (\d+) (\w+): (\d+\*.*)", text)}


def rebuilds_report(name):
    order, gfp, release, kernel = REPORTS[name]

    def test():
        path = DATA / f"reports/{name}.txt"
        done = run("compare", f"--splat={path}", "--format=json")
        inputs = json.loads(done.stdout)["inputs"]
        told = inputs["state"]["report"]
        blocks = {(int(node), zone): [int(n) for n in rest.split()] for node, zone, rest in
                  re.findall(r"Node (\d+), zone +(\w+) +(.*)", inputs["state"]["buddyinfo"])}
        return differences(
            status=(done.returncode, 0), order=(told["order"], order), gfp=(told["gfp"], gfp),
            release=(told["release"], release), task=(told["task"], "busybox"),
            world=(inputs["kernel"], kernel), request=(inputs["gfp"], gfp),
            size=(inputs["sizes"], [{"count": 1, "bytes": 4096 << order}]),
            blocks=(blocks, free_of(path.read_text()))) + \
            ([] if "fails here too" in told["again"] else [told["again"]])
    return test


def numbers_of_report(name):
    def test():
        path = DATA / f"reports/{name}.txt"
        zones = json.loads(run("show", "state", f"--splat={path}",
                               "--format=json").stdout)["zones"]
        complaints = []
        for zone in zones:
            line = re.search(rf"Node {zone['node']} {zone['zone']} free:.*", path.read_text())[0]
            want = {key: int(kb) // 4 for key, kb in re.findall(r"(\w+):(\d+)kB", line)}
            for mark in ("min", "low", "high"):
                complaints += differences(**{mark: (zone[mark], want[mark] - want["boost"])})
            for key in ("boost", "present", "managed"):
                complaints += differences(**{key: (zone[key], want[key])})
        return complaints + differences(zones=(len(zones) > 1, True))
    return test


def text_of_report():
    return (DATA / "reports/6.12-amd64-4608m-order9.txt").read_text()


def a_report_in_a_log_is_the_same():
    """Syslog headers, callers, and other lines between."""
    def figures(path):
        return json.loads(run("compare", f"--splat={path}", "--format=json").stdout)["results"]

    plain = figures(DATA / "reports/6.12-amd64-4608m-order9.txt")
    with tempfile.TemporaryDirectory() as folder:
        for title, prefix in (("syslog", "Nov  3 10:00:00 host kernel: "), ("level", "<4>"),
                              ("caller", "[  T123] ")):
            path = pathlib.Path(folder) / title
            path.write_text("".join(f"{prefix}{line}\n{prefix}usb 1-1: new device\n"
                                    for line in text_of_report().splitlines()))
            if figures(path) != plain:
                return [title]
    return differences(runs=(len(plain), 42))


def what_is_given_is_not_the_reports():
    args = ["compare", f"--splat={DATA}/reports/6.1-amd64-512m-order8.txt", "--format=json"]
    inputs = json.loads(run(*args, "--size=64K", "--kernel=6.12", "--policy=P5").stdout)["inputs"]
    return differences(size=(inputs["sizes"], [{"count": 1, "bytes": 65536}]),
                       kernel=(inputs["kernel"], "6.12"), gfp=(inputs["gfp"], "GFP_KERNEL"))


def a_report_cut_in_half_is_refused():
    text = text_of_report()
    cuts = {  # where it ends: what is named
        "Mem-Info": "'Mem-Info:' is missing", "Node 0 DMA free:": "every zone is missing",
        "lowmem_reserve[]: 0 0 2474": "zone DMA: the free blocks are missing",
        "Node 0 DMA:": "zone DMA: the free blocks are missing",
        "Node 0 Normal:": "zone Normal: the free blocks are missing",
        "0*128kB 0*256kB": "zone DMA: the end of the free blocks, '= ...kB', is missing",
        "present:2621440": "zone Normal: 'present:' is missing",
        "page allocation": "no line of the file has 'page allocation failure",
    }
    complaints = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "cut"
        for end, named in cuts.items():
            path.write_text(text[:text.index(end)])
            complaints += refusal(["compare", "--splat=cut"], named, folder)
        path.write_text(text[text.index("Mem-Info"):])
        complaints += refusal(["compare", "--splat=cut"], "no line of the file has", folder)
    return complaints


# ---- The picture ----

def maps_of(stdout):
    return re.findall(r"^0x[0-9a-f]{11}  (.*)$", stdout, re.M)


def the_picture_fits_80_columns():
    """2048 pageblocks in 1024 characters; a hole is blank; 38 blocks of order 5 are part free."""
    done = run("show", "state", *files_of("amd64-4608m"))
    rows = maps_of(done.stdout)
    return differences(wide=([row for row in rows if len(row) > 64], []), rows=(len(rows), 27),
                       hole=("".join(rows[9:16]).strip(" "), ""),
                       letters=(set("".join(rows)), set("uUM ")))


def made_up_memory_is_drawn():
    """Every second page in use: all pageblocks are part free. Fresh: all are free."""
    pinned = maps_of(run("show", "state", "--memory=256M", "--state=pin:0/2").stdout)
    fresh = maps_of(run("show", "state", "--memory=256M").stdout)
    return differences(pinned=(pinned, ["m" * 64] * 2), fresh=(fresh, ["." * 64] * 2))


def cells_need_not_be_aligned():
    """All is free, from the second pageblock on, 8192 pageblocks and a half: 16 to a character."""
    frames = 512 + 4096 * 1024 + 256
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "b").write_text("Node 0, zone Normal 0 0 0 0 0 0 0 0 1 1 4096\n")
        (path / "z").write_text(ZONE.replace("30000", str(frames)).replace("25000", str(frames))
                                .replace("  4096\n", "  512\n"))
        rows = maps_of(run("show", "state", "--buddyinfo=b", "--zoneinfo=z", cwd=folder).stdout)
    return differences(rows=(rows, ["." * 64] * 8 + ["."]))


def in_a_terminal(env):
    """What is printed where the standard output is a terminal."""
    try:
        import pty
    except ImportError:
        return None
    leader, follower = pty.openpty()
    done = subprocess.Popen([PROGRAM, "show", "state", "--memory=64M"], stdout=follower,
                            env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **env})
    os.close(follower)
    text = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(leader)
    done.wait(timeout=60)
    return text


def colours_are_for_terminals():
    seen = {title: in_a_terminal(env) for title, env in (
        ("colour", {}), ("NO_COLOR", {"NO_COLOR": "1"}), ("dumb", {"TERM": "dumb"}))}
    if None in seen.values():
        return []
    return differences(**{title: (b"\033[" in text, title == "colour")
                          for title, text in seen.items()}) + \
        (["in a file, too"] if "\033" in run("show", "state", "--memory=64M").stdout else [])


# ---- Wrong input ----

BUDDY = "Node 0, zone Normal 1 2 3 4 5 6 7 8 9 10 11\n"
ZONE = """Node 0, zone   Normal
  pages free     1
        min      3
        low      4
        high     5
        spanned  30000
        present  25000
        managed  25000
        protection: (0, 0, 0, 0, 0)
  start_pfn:           4096
"""

WRONG = {  # zoneinfo: contents, and what the message must name
    "empty": ("", "empty"), "binary": ("\x7fELF\0\0", "binary:1: byte 0"),
    "another": ("MemTotal: 1 kB\n", "'MemTotal:'"),
    "foreign": ("Knoten 0, Zone Normal\n", "'Knoten'"),
    "truncated": (ZONE[:60], ":1: node 0, zone Normal: "),
    "negative": (ZONE.replace("   4\n", "  -4\n"), ":4: node 0, zone Normal, low: '-4'"),
    "huge": (ZONE.replace("30000", "9" * 30), ":6: node 0, zone Normal, spanned: '9999"),
    "reordered": (ZONE.replace("min ", "low ", 1), ":4: node 0, zone Normal, low: '4'"),
    "small": (ZONE.replace("25000", "2000"), "more than the 2000 present (small:7)"),
    "descending": (ZONE.replace("high     5", "high     2"), ":5: node 0, zone Normal, high: '2'"),
    "another-zone": (ZONE.replace("Normal", "DMA32"), "buddyinfo has no such zone"),
}

OPTIONS = [  # arguments, and what the message must name
    (["compare", "--zoneinfo=x"], "--zoneinfo: needs the --buddyinfo"),
    (["compare", "--splat=x", "--buddyinfo=y"], "--splat: does not go with --buddyinfo"),
    (["compare", "--splat=x", "--memory=1G"], "--memory"),
    (["compare", "--splat=x", "--state=fresh"], "--state"),
    (["compare", "--splat=x", "--zoneinfo=y"], "--zoneinfo"),
    (["compare", "--splat=/nonexistent"], "--splat: '/nonexistent' cannot be read"),
    (["compare", f"--splat={DATA}/reports/6.1-amd64-512m-order8.txt", "--page-size=16K"],
     "--page-size: '16K' is not that of the report, 4K"),
    (["compare", f"--splat={DATA}/amd64-4608m/zoneinfo"], "page allocation failure"),
    (["show", "state", "--format=csv"], "csv"), (["show", "state", "--format=xml"], "'xml'"),
    (["compare", f"--buddyinfo={DATA}/arm64-512m/buddyinfo",
      f"--zoneinfo={DATA}/amd64-4608m/zoneinfo"], "zoneinfo:"),
]


def wrong_zoneinfo_is_refused(folder):
    complaints = []
    (pathlib.Path(folder) / "buddyinfo").write_text(BUDDY)
    for name, (text, named) in WRONG.items():
        (pathlib.Path(folder) / name).write_bytes(text.encode("latin-1"))
        complaints += [f"{name}: {c}" for c in refusal(
            ["compare", "--buddyinfo=buddyinfo", f"--zoneinfo={name}"], named, folder)]
    (pathlib.Path(folder) / "good").write_text(ZONE)
    done = run("compare", "--buddyinfo=buddyinfo", "--zoneinfo=good", cwd=folder)
    return complaints + differences(good=(done.returncode, 0))


with tempfile.TemporaryDirectory() as scratch:
    TESTS = [(function.__name__.replace("_", " "), function) for function in (
        this_host_is_read_with_zoneinfo, a_zone_below_its_marks_is_left_alone,
        zoneinfo_without_pagetypeinfo_tells_the_size,
        a_report_in_a_log_is_the_same, what_is_given_is_not_the_reports,
        a_report_cut_in_half_is_refused, the_picture_fits_80_columns, cells_need_not_be_aligned, made_up_memory_is_drawn,
        colours_are_for_terminals)]
    TESTS += [(f"{title}: {name}", test(name)) for names, title, test in (
        (MACHINES, "shows what zoneinfo says", shows_what_zoneinfo_says),
        (MACHINES, "exports what it read", exports_what_it_read),
        (MACHINES, "compares on", compares_on),
        (REPORTS, "rebuilds the report", rebuilds_report),
        (REPORTS, "has the numbers of the report", numbers_of_report)) for name in names]
    TESTS += [("refuses wrong zoneinfo", lambda: wrong_zoneinfo_is_refused(scratch))]
    TESTS += [(f"refuses {' '.join(args)}".replace(str(DATA), ""),
               lambda args=args, named=named: refusal(args, named)) for args, named in OPTIONS]
    tap.run(TESTS)

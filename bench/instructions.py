"""Counts the instructions of the work that each request costs, beside those of bench/baseline.

Called by bench.py as `./dev bench instructions [--update]`. bench/hot_path.cc does the work under
valgrind's callgrind; what a shorter run counts is taken from a longer one's count, so that the
program's start is not in it. Counts differ little between runs, where times do: what changes by
more than 5 % was changed by the code, the compiler or a library.
"""

import json
import pathlib
import re
import subprocess
import tempfile
from collections.abc import Callable

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE.parent / "build/release/bench/gatehouse_hot_path"
BASELINE = HERE / "baseline/instructions.json"
WORKS = {
    "parse": "the head of a request and of its answer",
    "route": "the look-up among 100 routes",
    "check": "the verdict on a session that is known",
    "rewrite": "the headers for the service, written",
}
FEW, MANY = 1_200, 12_000
TOLERATED_PERCENT = 5


def count_of(callgrind_file: str) -> int:
    """The instructions of a whole run, as callgrind writes them into its file."""
    return int(re.search(r"^totals: (\d+)", callgrind_file, re.MULTILINE).group(1))


def count_run(program: pathlib.Path, work: str, times: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "callgrind"
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", str(program), work,
             str(times)], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: {work} under valgrind:\n{done.stdout}{done.stderr}")
        return count_of(out.read_text())


def each_time(count: Callable[[int], int]) -> int:
    """Instructions of one time, by runs of which `count` tells what so many times cost in all."""
    return round((count(MANY) - count(FEW)) / (MANY - FEW))


def measure() -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        # Debian's valgrind stops at debug information of DWARF 5.
        program = pathlib.Path(folder) / PROGRAM.name
        subprocess.run(["strip", "-g", "-o", program, PROGRAM], check=True)
        return {work: each_time(lambda times: count_run(program, work, times)) for work in WORKS}


def report(measured: dict[str, int], baseline: dict[str, int]) -> str:
    """A table, and what changed by more than is tolerated."""
    lines = ["\nInstructions each time, and those of the baseline"]
    changed = []
    for work, count in measured.items():
        before = baseline.get(work)
        beside = "         -"
        if before:
            change = f"{count / before - 1:+.1%}"
            beside = f"{before:10,}  {change:>7}"
            if 100 * abs(count - before) > TOLERATED_PERCENT * before:
                changed.append(f"{work} ({change})")
        lines.append(f"  {work:8} {count:10,}  {beside}   {WORKS[work]}")
    if changed:
        lines.append(f"  CHANGED by more than {TOLERATED_PERCENT} %: {', '.join(changed)}")
    else:
        lines.append(f"  (nothing changed by more than {TOLERATED_PERCENT} %)")
    return "\n".join(lines)


def run(options) -> None:
    measured = measure()
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    print(report(measured, baseline))
    if options.update:
        BASELINE.parent.mkdir(exist_ok=True)
        BASELINE.write_text(json.dumps(measured, indent=2) + "\n")
        print(f"  written to {BASELINE.relative_to(HERE.parent)}")

"""Says where the CPU time of a request goes: in the kernel, in the program's own code, in libraries.

Called by bench/gateway.py for `./dev bench gateway where`. perf samples by the clock, so it
needs no counters of the processor. A share of the samples times the CPU that was used is the time.
"""

import collections
import pathlib
import re
import subprocess
import tempfile
import time

from processes import cpu_seconds

SAMPLES_A_SECOND = 5_000


def parts_of(report: str) -> dict[str, float]:
    """Shares by the part of the program, of what `perf report --sort dso` says."""
    parts: dict[str, float] = collections.defaultdict(float)
    for line in report.splitlines():
        if found := re.match(r"\s*([\d.]+)%\s+(\S+)", line):
            name = found[2].split(".so")[0]
            parts["kernel" if name.startswith("[kernel") else name] += float(found[1]) / 100
    return parts


def sample(pids: list[int], load) -> dict[str, float]:
    """µs by part of what `load()` does once; it gives how many times it did it."""
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "perf.data"
        perf = subprocess.Popen(
            ["perf", "record", "-e", "cpu-clock", "-F", str(SAMPLES_A_SECOND), "-o", data, "-p",
             ",".join(map(str, pids))], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        before = cpu_seconds(pids)
        count = load()
        used = (cpu_seconds(pids) - before) / count * 1e6
        perf.terminate()
        perf.wait()
        report = subprocess.run(["perf", "report", "-i", data, "--sort", "dso"],
                                capture_output=True, text=True).stdout
    return {part: share * used for part, share in parts_of(report).items()}


def print_parts(name: str, parts: dict[str, float]) -> None:
    shown = sorted(parts.items(), key=lambda pair: -pair[1])
    total = sum(parts.values())
    print(f"  {name:12} {total:7.1f}: " +
          ", ".join(f"{part} {us:.1f}" for part, us in shown if us >= total / 100))

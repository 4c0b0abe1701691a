"""Keeps what of the program is run often, for the compiler of the release to lay it out by.

Called by bench.py as `./dev bench profile`. The preset `profile` builds a gatehouse that counts; it
gets each kind of work of bench/gateway.py in turn, and what it counted becomes
bench/baseline/gatehouse.profdata, which the preset `release` compiles with. A function that changes
afterwards is compiled as without a profile: do this again when the path of a request has changed.
"""

import os
import pathlib
import subprocess
import tempfile

import gateway
import processes

ROOT = processes.ROOT
PROFILE = ROOT / "bench/baseline/gatehouse.profdata"


def train(counts: pathlib.Path, seconds: float) -> None:
    processes.BINARY = str(ROOT / "build/profile/gatehouse")
    os.environ["LLVM_PROFILE_FILE"] = f"{counts}/%p.profraw"  # written when the program ends
    with tempfile.TemporaryDirectory() as folder, \
            gateway.Candidates(pathlib.Path(folder), beside=[]) as candidates:
        for row in gateway.ROWS.values():
            gateway.load(candidates, candidates.of(row)["gatehouse"], row, seconds)
        gateway.wrk(f"http://127.0.0.1:{candidates.door.http}/x", seconds, "Accept: text/html",
                    redirects=True)


def run(options) -> None:
    with tempfile.TemporaryDirectory() as folder:
        counts = pathlib.Path(folder)
        train(counts, options.seconds)
        subprocess.run(["llvm-profdata-19", "merge", "-sparse", "-o", PROFILE,
                        *counts.glob("*.profraw")], check=True)
    print(f"kept in {PROFILE.relative_to(ROOT)}; build the release again")

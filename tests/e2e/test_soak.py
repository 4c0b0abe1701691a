"""That the long run of ./dev soak works, by a short one."""

import os
import pathlib
import re
import subprocess
import sys

from deployment import BINARY

SOAK = pathlib.Path(__file__).resolve().parents[2] / "bench/soak.py"
MINUTES = 8 / 60


def test_a_short_soak_loses_nothing():
    done = subprocess.run([sys.executable, SOAK, str(MINUTES)], capture_output=True, text=True,
                          env=os.environ | {"GATEHOUSE_BINARY": str(pathlib.Path(BINARY).resolve())})
    said = done.stdout + done.stderr
    assert done.returncode == 0 and done.stdout.endswith("PASS\n"), said
    right = {kind: int(count)
             for kind, count in re.findall(r"^  (.+): (\d+) of \d+ right", said, re.M)}
    for kind in ("keep-alive", "HTTP/2", "HTTPS, one request", "WebSocket messages", "uploads",
                 "downloads", "slow heads", "slow bodies", "slow readers", "killed upstream"):
        assert right[kind] > 0, said
    assert int(re.search(r"^reloads (\d+)", said, re.M)[1]) >= 4, said

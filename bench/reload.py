"""How long a change among 10,000 Mappings takes until requests see it."""

import pathlib
import statistics
import tempfile
import time
import urllib.error
import urllib.request

from processes import BINARY, Process, cpu_seconds, free_port, resident_kib

MAPPINGS, FILES = 10_000, 100
MAPPING = """---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {{name: {name}}}
spec: {{hostname: "*", prefix: {prefix}, service: "{service}"}}
"""


def status(url: str) -> int:
    try:
        return urllib.request.urlopen(url, timeout=10).status
    except urllib.error.HTTPError as answer:
        return answer.code


def write(folder: pathlib.Path, name: str, text: str) -> None:
    (folder / "fresh").write_text(text)
    (folder / "fresh").rename(folder / name)


def reload(candidates, options) -> None:
    """The gateway with two loops; the time from the write to the first answer by the new route."""
    service = f"127.0.0.1:{candidates.upstream.port}"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for file in range(FILES):
            write(folder, f"{file:03}.yaml", "".join(
                MAPPING.format(name=f"m-{i}", prefix=f"/user-{i % 500}/notebook-{i}/",
                               service=f"notebook-{i}.user-{i % 500}:80")
                for i in range(file, MAPPINGS, FILES)))
        port = free_port()
        gateway = Process([BINARY, "gateway", "serve", "--manifests", folder, "--listen",
                           f"127.0.0.1:{port}", "--operations", ""], [port], processor="0-1")
        try:
            took, cpu = [], []
            for i in range(max(5, options.rounds)):
                before, begin = cpu_seconds(gateway.pids()), time.monotonic()
                write(folder, "new.yaml", MAPPING.format(name="new", prefix=f"/new-{i}/",
                                                         service=service))
                while status(f"http://127.0.0.1:{port}/new-{i}/") != 200:
                    time.sleep(0.002)
                took.append(time.monotonic() - begin)
                cpu.append(cpu_seconds(gateway.pids()) - before)
            memory = resident_kib(gateway.pids()) / 1024
        finally:
            gateway.stop()
    print(f"\nreload with {MAPPINGS} Mappings, from the write to the first request by the new route")
    print(f"  s {statistics.median(took):8.2f}  ({min(took):.2f} to {max(took):.2f}; bar 1)")
    print(f"  CPU s {statistics.median(cpu):4.2f}")
    print(f"  resident afterwards, MiB {memory:8.0f}")

"""Measures Gatehouse beside its peers and prints tables.

    bench/bench.py [--rounds N] [--seconds S] [NAME...]
    bench/bench.py [--rounds N] [--seconds S] gateway [ROW...]
    bench/bench.py instructions [--update]
    bench/bench.py profile

Names: requests, flows, footprint; all by default. `gateway` measures the gateway by itself, beside
nginx, HAProxy and Envoy (bench/gateway.py). `instructions` counts them on the path of a request,
and with --update keeps the counts (bench/instructions.py). `profile` keeps, for the release's
compiler, how often what is run (bench/training.py).

Of the others: the proxy under measurement has processor 0 to
itself; client and upstream share processor 1. Figures are CPU (user and system) of the proxy's own
processes a request, from /proc, medians of rounds that alternate between the candidates.
"""

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import flows  # noqa: E402
import gateway  # noqa: E402
import instructions  # noqa: E402
import training  # noqa: E402
from processes import Gatehouse, Nginx, cpu_seconds, resident_kib, start_ms  # noqa: E402

CONNECTIONS = 32


def wrk(url: str, seconds: int, *headers: str) -> int:
    """Loads `url`; gives the number of answers. Any that is not the expected one ends the bench."""
    words = ["taskset", "-c", "1", "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s"]
    for header in headers:
        words += ["-H", header]
    out = subprocess.run([*words, url], capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        if "Non-2xx" in line and not url.endswith("/stranger"):
            raise SystemExit(f"bench: {url}: {line.strip()}")
        if "Socket errors" in line:
            print(f"  note: {url}: {line.strip()}")
        if " requests in " in line:
            return int(line.split()[0])
    raise SystemExit(f"bench: wrk said nothing of {url}:\n{out}")


def cost(pids: list[int], load) -> float:
    """CPU in µs a request while `load()` runs, which gives how many there were."""
    before = cpu_seconds(pids)
    count = load()
    return (cpu_seconds(pids) - before) / count * 1e6


def median(values: list[float]) -> str:
    return f"{statistics.median(values):8.1f}  ({min(values):.1f} to {max(values):.1f})"


def bench_requests(options) -> None:
    with tempfile.TemporaryDirectory() as folder, Nginx(pathlib.Path(folder)) as nginx, \
            Gatehouse(services={"/": nginx.upstream_url}) as door:
        cookie = f"Cookie: {door.log_in()}"
        candidates = {
            "gatehouse, session checked": lambda: cost(
                door.pids(), lambda: wrk(door.address + "/pipeline/", options.seconds, cookie)),
            "nginx, plain proxy": lambda: cost(
                nginx.pids("plain"), lambda: wrk(nginx.plain_url, options.seconds, cookie)),
            "nginx + auth_request": lambda: cost(
                nginx.pids("auth"), lambda: wrk(nginx.auth_url, options.seconds, cookie)),
        }
        for measure in candidates.values():
            measure()
        rounds: dict[str, list[float]] = {name: [] for name in candidates}
        for _ in range(options.rounds):
            for name, measure in candidates.items():
                rounds[name].append(measure())
        print(f"\nRequests: 1 KB answer, {CONNECTIONS} keep-alive connections; CPU µs a request, "
              "median (min to max)")
        for name, values in rounds.items():
            print(f"  {name:32} {median(values)}")
        own, plain, auth = (statistics.median(v) for v in rounds.values())
        print(f"  gatehouse / nginx + auth_request {own / auth:8.2f}   (to reach: 0.80)")
        print(f"  gatehouse / nginx, plain proxy   {own / plain:8.2f}")
        redirect = [cost(door.pids(), lambda: wrk(door.address + "/stranger", options.seconds))
                    for _ in range(options.rounds)]
        print(f"  redirect of a stranger           {median(redirect)}")
        print(f"  redirect / authenticated request {statistics.median(redirect) / own:8.2f}")


def bench_flows(options) -> None:
    print("\nFlows: CPU µs of the whole process each, median (min to max)")
    with Gatehouse() as door:
        measures = {
            "full login, less its password hash": lambda: cost(door.pids(), lambda: flows.logins(door, 100)),
            "token refresh": lambda: cost(door.pids(), lambda: flows.refreshes(door, 300)),
            "discovery": lambda: cost(door.pids(), lambda: wrk(
                door.address + "/dex/.well-known/openid-configuration", options.seconds)),
            "keys": lambda: cost(door.pids(), lambda: wrk(door.address + "/dex/keys", options.seconds)),
            "userinfo": lambda: cost(door.pids(), lambda: wrk(
                door.address + "/dex/userinfo", options.seconds,
                f"Authorization: Bearer {flows.access_token(door)}")),
        }
        for name, measure in measures.items():
            measure()
            print(f"  {name:36} {median([measure() for _ in range(options.rounds)])}")


def bench_footprint(options) -> None:
    with Gatehouse() as door:
        idle = resident_kib(door.pids())
        starts = [start_ms(door) for _ in range(max(5, options.rounds))]
    print("\nFootprint")
    print(f"  resident when idle, MiB              {idle / 1024:8.1f}   (to reach: 40, aim 20)")
    print(f"  start to ready, ms                   {median(starts)}   (to reach: 60, aim 20)")


def machine() -> str:
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), platform.machine())
    version = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.strip()
    return (f"{model}, {os.cpu_count()} processors, Linux {platform.release()}; "
            f"{version.removeprefix('nginx version: ')}")


def main() -> None:
    benches = {"requests": bench_requests, "flows": bench_flows, "footprint": bench_footprint}
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    print(machine())
    if options.names[:1] == ["gateway"]:
        options.rows = options.names[1:]
        gateway.run(options)
        return
    if options.names == ["instructions"]:
        instructions.run(options)
        return
    if options.names == ["profile"]:
        training.run(options)
        return
    unknown = set(options.names) - set(benches)
    if unknown:
        parser.error(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(benches)} "
                     "gateway, instructions and profile")
    for name, bench in benches.items():
        if not options.names or name in options.names:
            bench(options)


if __name__ == "__main__":
    main()

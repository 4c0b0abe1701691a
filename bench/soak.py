"""Loads the gateway with all kinds of clients at once for a long time, and says whether it bore it.

    soak.py [MINUTES]            60 by default

The gateway serves Mappings that are rewritten every second: one is added, changed, made wrong and
removed in turn, and those under load change too. Beside steady clients there are hundreds that
send or read slowly, and some that go away in the middle. One upstream, on a route of its own, is
killed every few seconds: requests to it may be answered 502, 503 or 504, or be cut in their body;
any other request that is not answered right is a loss. The load is paced, not the most there can be.
"""

import asyncio
import collections
import contextlib
import json
import os
import pathlib
import random
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from peers import KILOBYTE, certificate
from processes import BINARY, NGINX, Process, free_port, resident_kib, wait_for
from reload import write
from soak_clients import FILE, NOISE, Client, Http2, Killed, Wrong, expect

HERE = pathlib.Path(__file__).resolve().parent
WEBSOCKETS = 16
PATIENCE = 60  # seconds until an answer counts as lost
MAPPING = """---
apiVersion: getambassador.io/v3alpha1
kind: Mapping
metadata: {{name: {name}}}
spec: {{hostname: "*", prefix: /{prefix}/, service: "127.0.0.1:{port}", timeout_ms: {timeout},
  cluster_idle_timeout_ms: 2000, allow_upgrade: [websocket],
  add_response_headers: {{x-round: "{round}"}}}}
"""


class Over(Exception):
    """A client that cannot go on with its connection."""


class Soak:
    def __init__(self, folder: pathlib.Path, seconds: float) -> None:
        self.folder, self.seconds = folder, seconds
        self.on = True
        self.spell = min(5, seconds / 4)  # how long a slow client takes for a request
        self.sent, self.right, self.lost, self.killed = (collections.Counter() for _ in range(4))
        self.gone = self.rounds = self.kills = self.level = 0
        self.samples: list[int] = []
        self.stack = contextlib.ExitStack()
        cert, key = certificate(folder)
        self.tls, self.tls_h2 = (ssl.create_default_context(cafile=str(cert)) for _ in range(2))
        self.tls_h2.set_alpn_protocols(["h2"])
        self.ports = {name: free_port() for name in ("plain", "echo", "data", "killed")}
        self.start_nginx()
        for name, words in (("echo", [HERE / "websocket.py", "serve"]),
                            ("data", [HERE / "soak_clients.py", "upstream"])):
            upstream = Process([sys.executable, *words, self.ports[name]], [self.ports[name]], "0-1")
            self.stack.callback(upstream.stop)
        self.victim = None
        self.stack.callback(lambda: self.victim and self.victim.kill())
        self.manifests = folder / "manifests"
        self.manifests.mkdir()
        self.write_routes(0)
        self.port, self.operations = free_port(), free_port()
        settings, self.log = folder / "gatehouse.yaml", folder / "gateway.log"
        settings.write_text(json.dumps({
            "log": {"level": "error"},
            "operations": {"listen": f"127.0.0.1:{self.operations}"},
            "gateway": {"authorizer": {"kind": "none"}, "access_log": {"path": "/dev/null"}}}))
        with open(self.log, "wb") as log:
            self.gateway = subprocess.Popen(
                [BINARY, "gateway", "serve", "-c", settings, "--manifests", self.manifests,
                 "--listen", f"127.0.0.1:{self.port}", "--tls-cert", cert, "--tls-key", key],
                stderr=log)
        self.stack.callback(self.gateway.kill)
        wait_for(self.port)

    def start_nginx(self) -> None:
        (self.folder / "file").write_bytes(FILE)
        body = f"""server {{ listen 127.0.0.1:{self.ports["plain"]} backlog=1024;
default_type text/plain; location / {{ return 200 "{KILOBYTE}"; }}
location = /file {{ root {self.folder}; }} }}"""
        path = self.folder / "plain.conf"
        path.write_text(NGINX.format(folder=self.folder, name="plain", body=body))
        nginx = Process(["nginx", "-c", path, "-p", self.folder], [self.ports["plain"]], "0-1")
        self.stack.callback(nginx.stop)

    def mapping(self, name: str, prefix: str, upstream: str, timeout="30000") -> str:
        return MAPPING.format(name=name, prefix=prefix, port=self.ports[upstream],
                              timeout=timeout, round=self.rounds)

    def write_routes(self, count: int) -> None:
        self.rounds = count
        write(self.manifests, "routes.yaml", "".join(self.mapping(n, n, n) for n in self.ports))

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.gateway.pid}/fd"))

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds * random.uniform(0.5, 1.5))

    async def attempt(self, kind: str, exchange, count: int = 1):
        """Counts requests. Whatever goes wrong with them is a loss, and their client is over."""
        self.sent[kind] += count
        try:
            result = await asyncio.wait_for(exchange, PATIENCE)
        except Killed as killed:
            self.killed[str(killed)] += 1
            raise Over from None
        except Exception as failure:
            self.lost[f"{kind}: {type(failure).__name__} {failure}"] += count
            raise Over from None
        self.right[kind] += count
        return result

    async def open(self, tls: ssl.SSLContext | None = None, slow: bool = False) -> Client:
        return await self.attempt("connections", Client.open(self.port, tls, slow))

    async def keep(self, load, *arguments) -> None:
        """Runs a client to the end; one that is over is followed by the next."""
        await asyncio.sleep(random.uniform(0, min(2, self.spell)))
        while self.on:
            with contextlib.suppress(Over):
                await load(self, *arguments)
            await asyncio.sleep(0.1)

    def line(self) -> str:
        return (f"sent {sum(self.sent.values())}, lost {sum(self.lost.values())}, broken by "
                f"{self.kills} kills {sum(self.killed.values())}, gone {self.gone}, reloads "
                f"{self.rounds}, memory {self.samples[-1] / 1024:.1f} MiB, "
                f"descriptors {self.descriptors()}")


# --- the clients ---

async def keep_alive(soak: Soak, tls) -> None:
    with contextlib.closing(await soak.open(tls)) as client:
        while soak.on:
            await soak.attempt("keep-alive", client.kilobyte())
            await soak.pause(0.06)


async def new_connections(soak: Soak) -> None:
    with contextlib.closing(await soak.open(soak.tls)) as client:
        await soak.attempt("HTTPS, one request", client.kilobyte("Connection: close\r\n"))
    await soak.pause(0.4)


async def http2(soak: Soak, tls) -> None:
    with contextlib.closing(await soak.open(tls)) as client:
        state = Http2(client)
        while soak.on:
            await soak.attempt("HTTP/2", state.burst(), count=16)
            await soak.pause(0.8)


async def websocket(soak: Soak, tls) -> None:
    with contextlib.closing(await soak.open(tls)) as client:
        await soak.attempt("WebSockets", client.greet())
        while soak.on:
            await soak.attempt("WebSocket messages", client.echo())
            await soak.pause(1)


async def transfers(soak: Soak, tls) -> None:
    with contextlib.closing(await soak.open(tls)) as client:
        while soak.on:
            size = random.randint(1, len(NOISE) // 2)
            await soak.attempt("uploads", client.upload("/data/", NOISE[-size:]))
            await soak.attempt("downloads", client.download(random.randint(1, 64)))
            await soak.attempt("downloads of a file", client.download_file())
            await soak.pause(1.5)


async def slow_head(soak: Soak) -> None:
    with contextlib.closing(await soak.open()) as client:
        while soak.on:
            await soak.attempt("slow heads", client.drip_head(soak.spell))


async def slow_body(soak: Soak, tls) -> None:
    with contextlib.closing(await soak.open(tls)) as client:
        while soak.on:
            upload = client.upload("/data/", NOISE[:40_000], soak.spell / 20)
            await soak.attempt("slow bodies", upload)


async def slow_reader(soak: Soak, tls) -> None:
    with contextlib.closing(await soak.open(tls, slow=True)) as client:
        while soak.on:
            await soak.attempt("slow readers", client.download(8, soak.spell / 8))


async def killed(soak: Soak) -> None:
    with contextlib.closing(await soak.open()) as client:
        while soak.on:
            await soak.attempt("killed upstream", client.ask_killed())
            await soak.pause(0.1)


HOST = b" HTTP/1.1\r\nHost: localhost\r\n"
BEGINNINGS = (b"\x16\x03\x01\x02", b"GET /plain/ HT", b"GET /plain/" + HOST + b"\r\n",
              b"GET /data/60" + HOST + b"\r\n",
              b"POST /data/" + HOST + b"Content-Length: 9\r\n\r\nbegun")


async def leaver(soak: Soak) -> None:
    """Goes away within a head, a body or an answer, with an end or a reset."""
    tls = random.choice((None, soak.tls, soak.tls_h2))
    client = await soak.open(tls)
    if random.random() < 0.5:
        client.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if tls is soak.tls_h2:
        state = Http2(client)
        for path in ("/plain/", "/data/60", "/data/60"):
            state.ask(path)
        client.writer.write(state.data())
    else:
        client.writer.write(random.choice(BEGINNINGS))
    await soak.pause(0.05)
    client.writer.transport.abort()
    soak.gone += 1
    await soak.pause(0.2)


def loads(soak: Soak) -> list[tuple]:
    return [load for many, *kinds in (
        (6, (keep_alive, None)),
        (3, (keep_alive, soak.tls)),
        (4, (new_connections,)),
        (2, (http2, None), (http2, soak.tls_h2)),
        (WEBSOCKETS // 2, (websocket, None), (websocket, soak.tls)),
        (1, (transfers, None), (transfers, soak.tls)),
        (150, (slow_head,)),
        (25, (slow_body, None), (slow_body, soak.tls)),
        (75, (slow_reader, None), (slow_reader, soak.tls)),
        (8, (killed,)),
        (4, (leaver,)),
    ) for load in kinds * many]


# --- what happens to the gateway meanwhile ---

async def kills(soak: Soak) -> None:
    words = [sys.executable, HERE / "soak_clients.py", "upstream", str(soak.ports["killed"])]
    while soak.on:
        soak.victim = subprocess.Popen(words)
        await soak.pause(min(3, soak.spell))
        soak.victim.kill()
        soak.victim.wait()
        soak.kills += 1
        await soak.pause(0.3)


async def reloads(soak: Soak) -> None:
    """One each second: a Mapping is added, changed, made wrong and removed."""
    prefix = ""
    while soak.on:
        began, count, gone = time.monotonic(), soak.rounds + 1, prefix
        match count % 4:
            case 0 | 1:
                prefix = f"new-{count}"
                write(soak.manifests, "new.yaml", soak.mapping("new", prefix, "plain"))
            case 2:
                gone = ""
                write(soak.manifests, "new.yaml", random.choice(
                    ("kind: [torn", soak.mapping("new", "other", "plain", timeout="soon"))))
            case 3:
                prefix = ""
                (soak.manifests / "new.yaml").unlink()
        soak.write_routes(count)
        with contextlib.suppress(Over):
            await soak.attempt("reloads", in_force(soak, count, prefix, gone))
        await asyncio.sleep(max(0, began + 1 - time.monotonic()))


async def in_force(soak: Soak, count: int, there: str, gone: str) -> None:
    with contextlib.closing(await soak.open()) as client:
        end = time.monotonic() + 10
        await client.kilobyte()
        while client.fields["x-round"] != str(count):
            if time.monotonic() > end:
                raise Wrong(f"round {client.fields['x-round']} is in force, {count} is not")
            await asyncio.sleep(0.02)
            await client.kilobyte()
        for prefix, status in ((there, 200), (gone, 404)):
            if prefix:
                expect((await client.get(f"/{prefix}/"))[0], status)


async def ask_metrics(soak: Soak) -> None:
    with contextlib.closing(await Client.open(soak.operations)) as client:
        status, text = await client.get("/metrics")
        expect((status, b"gatehouse" in text), (200, True))


async def watch(soak: Soak) -> None:
    """Samples memory, asks for the metrics, and prints a line a minute."""
    began, minutes = time.monotonic(), 0
    while time.monotonic() < began + soak.seconds and soak.gateway.poll() is None:
        await asyncio.sleep(min(10, soak.seconds / 40))
        soak.samples.append(resident_kib([soak.gateway.pid]))
        with contextlib.suppress(Over):
            await soak.attempt("metrics", ask_metrics(soak))
        if time.monotonic() >= began + 60 * (minutes + 1):
            minutes += 1
            print(f"{minutes:4} min  {soak.line()}", flush=True)
    soak.on = False


async def run(soak: Soak) -> None:
    # By a reload the process shows that it is up as a whole.
    soak.write_routes(1)
    await soak.attempt("reloads", in_force(soak, 1, "plain", ""))
    soak.level = soak.descriptors()
    await asyncio.gather(watch(soak), reloads(soak), kills(soak),
                         *(soak.keep(*load) for load in loads(soak)))
    end = time.monotonic() + 40
    while (soak.gateway.poll() is None and soak.descriptors() > soak.level
           and time.monotonic() < end):
        await asyncio.sleep(0.1)


# --- the outcome ---

MEMORY_IS_JUDGED = 120  # seconds; before, caches are being filled


def verdicts(soak: Soak):
    """Pairs of what was found, and whether it is good."""
    yield (f"requests {sum(soak.sent.values())}, lost or wrong, but for what the kills broke: "
           f"{sum(soak.lost.values())}", not soak.lost)
    for kind in soak.sent:
        yield f"  {kind}: {soak.right[kind]} of {soak.sent[kind]} right", soak.right[kind] > 0
    for what, count in soak.lost.most_common(20):
        yield f"  LOST {count}: {what}", False
    yield f"  broken by {soak.kills} kills: {dict(soak.killed)}", soak.kills > 0
    opened = soak.right["WebSockets"]  # one that breaks is followed by the next
    yield f"WebSockets opened to have {WEBSOCKETS} all the time: {opened}", opened == WEBSOCKETS
    yield f"reloads {soak.rounds}", soak.rounds > 0
    quarter = len(soak.samples) // 4
    second, last = (statistics.median(part) / 1024 for part in (
        soak.samples[quarter:2 * quarter], soak.samples[-quarter:]))
    yield (f"memory, MiB: {second:.1f} in the second quarter, {last:.1f} in the last, at most "
           f"{max(soak.samples) / 1024:.1f}",
           last - second <= max(2, second * 0.05) or soak.seconds < MEMORY_IS_JUDGED)
    left = soak.descriptors()
    yield f"descriptors: {soak.level} before the load, {left} after it", left <= soak.level
    soak.gateway.terminate()
    code = soak.gateway.wait(60)
    yield f"exit code on SIGTERM: {code}", code == 0


def main(minutes: float) -> int:
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(pathlib.Path(folder), minutes * 60)
        with soak.stack:
            asyncio.run(run(soak))
            if soak.gateway.poll() is not None:
                print(f"FAIL: the gateway ended with {soak.gateway.returncode}:\n"
                      + soak.log.read_text()[-8000:])
                return 1
            good = True
            for text, is_good in verdicts(soak):
                print(text if is_good else f"{text}   <- not good", flush=True)
                good = good and is_good
        print("PASS" if good else soak.log.read_text()[-4000:] + "FAIL")
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60))

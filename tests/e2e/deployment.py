"""Starts the real binary, in one process or as three that talk over sockets."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import requests
import yaml_text
from ports import free_port

BINARY = os.environ.get("GATEHOUSE_BINARY", "build/dev/gatehouse")
USER = "alice@example.com"
PASSWORD = "only Alice knows this one"
GROUPS = ["team-a", "kubeflow-users"]
CLIENT_ID = "authservice-oidc"
CLIENT_SECRET = "a client secret that only the tests know"
START_SECONDS = 60  # a sanitizer's build on a busy machine


@dataclasses.dataclass
class Role:
    """One process of a deployment."""
    name: str
    arguments: list[str]
    port: int
    log: pathlib.Path
    process: subprocess.Popen | None = None
    before: list[str] = dataclasses.field(default_factory=list)  # words before the command

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*self.before, BINARY, *self.arguments],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=log)
        wait_for_port(self.port, self)

    def stop(self, sig=signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(sig)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        self.process = None
        return code


def wait_for_port(port: int, role: Role) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if role.process.poll() is not None:
            raise AssertionError(f"{role.name} ended with {role.process.returncode}:\n"
                                 + role.log.read_text()[-4000:])
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError(f"{role.name} does not listen on {port}:\n" + role.log.read_text()[-4000:])


class Deployment:
    """`form` is "one" or "three". `routes` come before the one to the sample services."""

    def __init__(self, form: str, routes: list[dict] | None = None, tls=None,
                 clients: list[dict] | None = None, **settings) -> None:
        self.form = form
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-test-"))
        self.port = free_port()
        self.operations_port = free_port()
        self.tls = tls
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self.routes = (routes or []) + [
            {"name": "samples", "prefix": "/", "service": "demo", "idle_timeout": "0s"}]
        self.clients = clients or []
        self.extra = settings
        self.roles = self._one() if form == "one" else self._three()

    # --- what is served ---

    def _role(self, name: str, words: list[str], port: int, settings: dict) -> Role:
        path = self.folder / f"{name}.yaml"
        path.write_text(yaml_text.dump(merge(settings, self.extra.get(name, {}))))
        return Role(name, [*words, "serve", "-c", str(path)], port, self.folder / f"{name}.log")

    def _gateway(self) -> dict:
        listen = {"address": f"127.0.0.1:{self.port}"}
        if self.tls:
            listen["tls"] = self.tls.settings()
        return {"listen": [listen], "routes": self.routes}

    def _one(self) -> list[Role]:
        return [self._role("all", [], self.port, {
            "store": {"path": str(self.folder / "gatehouse.db")},
            "operations": {"listen": f"127.0.0.1:{self.operations_port}"},
            "gateway": self._gateway(),
            "identity": {"issuer": f"{self.url}/dex", "clients": self.clients},
            "threads": 2,
        })]

    def _three(self) -> list[Role]:
        gatekeeper, identity = free_port(), free_port()
        gateway = self._gateway()
        gateway["routes"] = [
            {"name": "identity", "prefix": "/dex", "service": f"http://127.0.0.1:{identity}",
             "authenticate": False},
            {"name": "gatekeeper", "prefix": "/authservice",
             "service": f"http://127.0.0.1:{gatekeeper}", "authenticate": False},
        ] + gateway["routes"]
        gateway["authorizer"] = {"kind": "http", "url": f"http://127.0.0.1:{gatekeeper}"}
        return [
            self._role("identity", ["identity"], identity, {
                "store": {"path": str(self.folder / "identity.db")},
                "operations": {"listen": ""},
                "threads": 1,
                "identity": {
                    "listen": [{"address": f"127.0.0.1:{identity}"}],
                    "issuer": f"{self.url}/dex",
                    "trusted_proxies": ["127.0.0.1"],
                    "clients": [{"id": CLIENT_ID, "name": "Gatekeeper", "secret": CLIENT_SECRET,
                                 "redirect_uris": ["/authservice/oidc/callback"]},
                                *self.clients],
                },
            }),
            self._role("gatekeeper", ["gatekeeper"], gatekeeper, {
                "store": {"path": str(self.folder / "gatekeeper.db")},
                "operations": {"listen": ""},
                "threads": 1,
                "gatekeeper": {
                    "listen": [{"address": f"127.0.0.1:{gatekeeper}"}],
                    "issuer": f"{self.url}/dex",
                    "provider_url": f"http://127.0.0.1:{identity}",
                    "client_id": CLIENT_ID,
                    "client_secret": CLIENT_SECRET,
                    "trusted_proxies": ["127.0.0.1"],
                },
            }),
            self._role("gateway", ["gateway"], self.port, {
                "operations": {"listen": f"127.0.0.1:{self.operations_port}"},
                "threads": 2,
                "gateway": gateway,
            }),
        ]

    # --- life ---

    def start(self) -> "Deployment":
        self.add_user(USER, PASSWORD, GROUPS)
        for role in self.roles:
            role.start()
        self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(requests.RequestException):
                answers = [requests.get(self.url + path, allow_redirects=False, timeout=5,
                                        verify=str(self.tls) if self.tls else True)
                           for path in ("/dex/.well-known/openid-configuration", "/")]
                if [a.status_code for a in answers] == [200, 301]:
                    return
            time.sleep(0.02)
        raise AssertionError("the front door does not get ready:\n" + self.logs()[-4000:])

    def stop(self, sig=signal.SIGTERM) -> list[int]:
        return [role.stop(sig) for role in reversed(self.roles) if role.process]

    def restart(self, sig=signal.SIGTERM) -> None:
        self.stop(sig)
        for role in self.roles:
            role.start()
        self.wait_until_ready()

    def close(self) -> None:
        codes = self.stop()
        logs = self.logs()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert all(code == 0 for code in codes), f"ended with {codes}:\n{logs[-8000:]}"
        assert "ERROR: " not in logs, logs[-8000:]  # a sanitizer's report

    def logs(self) -> str:
        return "".join(role.log.read_text() for role in self.roles if role.log.exists())

    def config_of_identity(self) -> str:
        return next(r.arguments[-1] for r in self.roles if r.name in ("all", "identity"))

    def add_user(self, email: str, password: str, groups: list[str]) -> None:
        words = [BINARY, "user", "-c", self.config_of_identity(), "add", email]
        for group in groups:
            words += ["--group", group]
        subprocess.run(words, input=password + "\n", text=True, check=True, capture_output=True)


def merge(base: dict, over: dict) -> dict:
    out = dict(base)
    for key, value in over.items():
        out[key] = merge(out[key], value) if isinstance(out.get(key), dict) else value
    return out

"""HAProxy in front of gateways: it sends requests to those that say that they are ready."""

import pathlib
import subprocess

from gateway_alone import GatewayAlone, eventually
from ports import free_port
from wire import Client

RETRIES = """  option redispatch 1
  retry-on conn-failure empty-response
"""
# The first of the gateways that is ready is sent all. Only a GET is sent again to another.
CONFIG = """global
  maxconn 1000
defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
  timeout tunnel 1m
{retries}  option httpchk GET /healthz/ready
frontend front
  bind 127.0.0.1:{port}
  http-request disable-l7-retry unless METH_GET
  default_backend gateways
backend gateways
  balance {balance}
  default-server check inter 20ms fall 1 rise 1
{servers}"""


class Haproxy:
    """Of the gateways, which are all ready. Without `retries` nothing is sent twice."""

    def __init__(self, folder: pathlib.Path, gateways: list[GatewayAlone], balance: str,
                 retries: bool = True) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "haproxy.cfg"
        servers = "".join(f"  server {i} 127.0.0.1:{one.port} port {one.operations_port}\n"
                          for i, one in enumerate(gateways))
        self.config.write_text(CONFIG.format(
            port=self.port, balance=balance, servers=servers,
            retries=RETRIES if retries else "  retries 0\n"))

    def __enter__(self) -> "Haproxy":
        self.process = subprocess.Popen(["haproxy", "-db", "-q", "-f", self.config])
        eventually(self._serves)
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()

    def _serves(self) -> bool:
        with Client(self.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") as client:
            return client.answer().status == 200

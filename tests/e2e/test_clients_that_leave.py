"""Clients that have said all, and clients that have left: the one looks much like the other."""

import collections
import concurrent.futures
import socket
import struct
import threading
import time

import pytest
from gateway_alone import GatewayAlone, answer, eventually
from wire import Client


@pytest.mark.parametrize("after", [0, 0.05])
@pytest.mark.parametrize("takes", [0, 0.2])
def test_who_has_said_all_still_hears_the_answer(service, tmp_path, takes, after):
    """As `nc -N` does: the end of what it sends comes right behind the request."""
    def reply(_) -> bytes:
        time.sleep(takes)
        return answer("ok", Connection="close")

    service.answer = reply

    def ask(_) -> int:
        with Client(gateway.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") as client:
            time.sleep(after)
            client.socket.shutdown(socket.SHUT_WR)
            return client.answer().status

    with GatewayAlone(tmp_path, [{"service": service.url}]) as gateway, \
            concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert collections.Counter(pool.map(ask, range(16))) == {200: 16}


def test_a_client_that_leaves_is_no_failure_of_the_service_s(service, tmp_path):
    let = threading.Event()
    service.answer = lambda _: let.wait(10) and answer()
    with GatewayAlone(tmp_path, [{"service": service.url}]) as gateway:
        client = Client(gateway.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        eventually(lambda: service.seen)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()
        eventually(lambda: gateway.metric("gatehouse_requests_total"))
        let.set()
        assert gateway.metric("gatehouse_requests_total", status="5xx") == 0

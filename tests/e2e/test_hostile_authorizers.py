"""Authorizers that answer slowly, or end their connections when they like."""

import socket
import time

import pytest
from gateway_alone import GatewayAlone, Service, answer, asking, eventually
from upstreams import RawUpstream

PERMITS = b"HTTP/1.1 200 OK\r\nKubeflow-Userid: alice\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def service():
    with Service(answer("ok")) as running:
        yield running


@pytest.mark.parametrize("status", [b"200 OK", b"401 Unauthorized"])
def test_an_answer_that_comes_byte_by_byte_is_none_when_its_time_is_over(service, tmp_path, status):
    """Each byte is in time for itself."""
    def drip(connection: socket.socket, _) -> None:
        connection.sendall(b"HTTP/1.1 %s\r\nContent-Length: 5000\r\n\r\n" % status)
        for _ in range(5000):
            connection.sendall(b"x")
            time.sleep(0.02)

    with RawUpstream() as judge:
        judge.answer = drip
        with GatewayAlone(tmp_path, [{"service": service.url}],
                          authorizer={**asking(judge), "timeout": "300ms"}) as gateway:
            assert gateway.get("/").status_code == 503
            assert gateway.metric("gatehouse_authorizer_verdicts_total", verdict="failed") == 1
            eventually(lambda: gateway.metric("gatehouse_authorizer_under_way") == 0)
    assert service.seen == []


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_a_question_on_a_connection_that_ends_is_put_again(service, tmp_path, method):
    """It changes nothing, whatever the method that it asks about."""
    connections = []

    def permit_once(connection: socket.socket, head: bytes) -> None:
        connections.append(head)
        connection.sendall(PERMITS)
        if len(connections) == 1:
            connection.recv(65536)  # the next question, to which it says nothing

    with RawUpstream() as judge:
        judge.answer = permit_once
        with GatewayAlone(tmp_path, [{"service": service.url}], authorizer=asking(judge)) as gateway:
            for _ in range(2):
                assert gateway.request(method, "/").status_code == 200
    assert len(connections) == 2 and len(service.seen) == 2

"""Fixtures: the front door in both forms, people who use it, and services behind it."""

import concurrent.futures

import pytest
from certificates import make_certificate
from deployment import PASSWORD, USER, Deployment
from gateway_alone import Service
from person import Person
from upstreams import RawUpstream


@pytest.fixture(scope="session")
def raw_upstream():
    """An upstream that answers with whatever bytes a test gives it."""
    with RawUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="session", params=["one", "three"])
def door(request, raw_upstream):
    """The front door, once as one process and once as three; shared by the tests of a form."""
    deployment = Deployment(request.param, routes=[
        {"name": "raw", "prefix": "/raw", "service": raw_upstream.url, "timeout": "2s"},
        {"name": "nobody", "prefix": "/nobody", "service": "http://127.0.0.1:9"},
    ]).start()
    yield deployment
    deployment.close()


@pytest.fixture(params=["one", "three"])
def own_door(request):
    """A front door of the test's own, which it may stop and break."""
    deployment = Deployment(request.param).start()
    yield deployment
    deployment.close()


@pytest.fixture
def stranger(door):
    return Person(door.url)


@pytest.fixture
def alice(door):
    person = Person(door.url)
    person.log_in(USER, PASSWORD)
    return person


@pytest.fixture(scope="session", params=["one", "three"])
def tls_door(request, tmp_path_factory):
    """The front door behind https, with a certificate of its own."""
    tls = make_certificate(tmp_path_factory.mktemp("tls"), "localhost")
    deployment = Deployment(request.param, tls=tls).start()
    yield deployment
    deployment.close()


@pytest.fixture
def service():
    """A service of the test's own, for a gateway to forward to."""
    with Service() as one:
        yield one


@pytest.fixture
def pool():
    """Threads for clients that ask at the same time."""
    with concurrent.futures.ThreadPoolExecutor(64) as threads:
        yield threads

"""Ports for the programs that tests and the bench start."""

import contextlib
import fcntl
import itertools
import pathlib
import random
import socket
import tempfile

# Below those that the kernel gives to outgoing connections. Who tries to connect, until a program
# listens, to one of those can be given that same port for its own end, and so meets itself: the
# program seems to listen, and its own attempt to may then fail. Chromium refuses some below 11,000.
_FIRST = 11_000
_BEHIND = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
_SHARES = 16


def _take_share():
    """A share of the ports that no other process has, and the lock that holds it."""
    size = (_BEHIND - _FIRST) // _SHARES
    for number in range(_SHARES):
        with contextlib.suppress(OSError):
            lock = open(pathlib.Path(tempfile.gettempdir()) / f"gatehouse-ports-{number}", "w")
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            first = _FIRST + number * size
            return lock, range(first, first + size)
    raise AssertionError("every share of the ports is taken")


_lock, _share = _take_share()
_ports = itertools.cycle(random.sample(_share, len(_share)))


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nobody listens, and which is not given again for long."""
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("unreachable: the ports never end")

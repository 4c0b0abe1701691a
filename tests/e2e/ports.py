"""Ports for the programs that tests and the bench start."""

import contextlib
import itertools
import pathlib
import random
import socket

# Below those that the kernel gives to outgoing connections. Who tries to connect, until a program
# listens, to one of those can be given that same port for its own end, and so meets itself: the
# program seems to listen, and its own attempt to may then fail.
_FIRST = 11_000
_BEHIND = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
assert _BEHIND - _FIRST > 1000, "too few ports below the ephemeral ones"
# Each is given once in a round; processes that run side by side begin at different places.
_start = random.randrange(_FIRST, _BEHIND)
_ports = itertools.cycle([*range(_start, _BEHIND), *range(_FIRST, _start)])


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nobody listens, and which is not given again for long."""
    for port in _ports:
        with socket.socket() as probe:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise AssertionError("unreachable: the ports never end")

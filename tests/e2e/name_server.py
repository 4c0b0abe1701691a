"""A name server, and a program that asks it and no other."""

import contextlib
import os
import pathlib
import random
import socket
import struct
import threading

A, NAME_ERROR = 1, 3


class NameServer:
    """Over UDP (RFC 1035, section 4), at an address of its own: a resolv.conf can name no port but 53.
    `names` are those that it knows, with an IPv4 address each; they have no other, and the rest is
    not there. PermissionError if this user may not have port 53."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names
        self.asked: list[str] = []
        self.seconds = 60  # for which an answer may be kept
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        self.socket.bind((self.address, 53))
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "NameServer":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # ends what waits for it
        self.thread.join()
        self.socket.close()

    def _serve(self) -> None:
        while True:
            query, peer = self.socket.recvfrom(512)
            if not query:
                return
            self.socket.sendto(self._answer(query), peer)

    def _answer(self, query: bytes) -> bytes:
        labels, at = [], 12
        while size := query[at]:
            labels.append(query[at + 1:at + 1 + size].decode())
            at += 1 + size
        name = ".".join(labels).lower()
        question = query[12:at + 5]
        asks_for_a = struct.unpack(">H", question[-4:-2])[0] == A
        self.asked.append(name)
        address = self.names.get(name) if asks_for_a else None
        flags = 0x8180 if name in self.names else 0x8180 | NAME_ERROR
        head = query[:2] + struct.pack(">HHHHH", flags, 1, bool(address), 0, 0)
        if not address:
            return head + question
        record = struct.pack(">HHHIH", 0xc00c, A, 1, self.seconds, 4) + socket.inet_aton(address)
        return head + question + record

    def before(self, folder: pathlib.Path, *search: str) -> list[str]:
        """Words before a command by which it asks this server, as in a pod: a name of fewer than
        five dots below each of `search` first."""
        file = folder / "resolv.conf"
        file.write_text(f"nameserver {self.address}\nsearch {' '.join(search)}\n"
                        "options ndots:5\n")
        own = ["--mount"] if os.getuid() == 0 else ["--user", "--map-root-user", "--mount"]
        return ["unshare", *own, "sh", "-c",
                'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(file)]

"""SIGHUP: certificates change without a restart; a bad one is not taken."""

import shutil
import signal
import ssl
import time

import yaml_text
from certificates import make_certificate
from deployment import Deployment, Role
from ports import free_port


def presented(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port))


def hang_up(door) -> None:
    for role in door.roles:
        if role.name in ("all", "gateway"):
            role.process.send_signal(signal.SIGHUP)


def wait_for(condition) -> bool:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_certificates_are_read_again_on_sighup(tmp_path):
    (tmp_path / "new").mkdir()
    current = make_certificate(tmp_path, "localhost")
    fresh = make_certificate(tmp_path / "new", "localhost")
    door = Deployment("one", tls=current).start()
    try:
        first = presented(door.port)
        shutil.copy(fresh.certificate, current.certificate)
        shutil.copy(fresh.key, current.key)
        hang_up(door)
        assert wait_for(lambda: presented(door.port) != first)
        second = presented(door.port)
        current.key.write_text("no key at all")
        hang_up(door)
        assert wait_for(lambda: "not reloaded" in door.logs())
        assert presented(door.port) == second
    finally:
        door.close()


def test_a_role_without_a_gateway_takes_another_certificate_too(tmp_path):
    port, config = free_port(), tmp_path / "identity.yaml"
    first, second = (make_certificate(tmp_path, name) for name in ("localhost", "other.test"))

    def write(certificate) -> None:
        config.write_text(yaml_text.dump({
            "store": {"kind": "memory"}, "operations": {"listen": ""}, "threads": 2,
            "identity": {"issuer": f"https://localhost:{port}/dex", "listen": [
                {"address": f"127.0.0.1:{port}", "tls": certificate.settings()}]}}))

    write(first)
    role = Role("identity", ["identity", "serve", "-c", str(config)], port, tmp_path / "log")
    role.start()
    try:
        assert presented(port) == first.certificate.read_text()
        write(second)
        role.process.send_signal(signal.SIGHUP)
        assert wait_for(lambda: presented(port) == second.certificate.read_text())
    finally:
        assert role.stop() == 0

"""What keeps the process from serving: a clear message, an exit code, nothing lost."""

import os
import re
import socket
import sqlite3
import subprocess

import pytest
import requests
from deployment import BINARY, PASSWORD, USER, Deployment
from person import Person
from ports import free_port

CONFIGURATION, ADDRESS_IN_USE, STORE = 3, 4, 5


def run(*words, timeout=60, **more):
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True,
                          timeout=timeout, **more)


def demo(folder, port=None):
    return run("demo", "--listen", f"127.0.0.1:{port or free_port()}", "--data", folder)


def test_a_port_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = demo(tmp_path / "data", port)
    assert done.returncode == ADDRESS_IN_USE
    assert str(port) in done.stderr and "in use" in done.stderr
    assert done.stdout == ""


def test_a_port_that_another_gatehouse_uses(own_door, tmp_path):
    done = demo(tmp_path / "data", own_door.port)
    assert done.returncode == ADDRESS_IN_USE


@pytest.mark.parametrize("content", [b"this is no database, but a letter to somebody" * 40, b"\0" * 8192],
                         ids=["text", "zeros"])
def test_a_file_that_is_no_database_is_left_alone(tmp_path, content):
    (tmp_path / "gatehouse.db").write_bytes(content)
    done = demo(tmp_path)
    assert done.returncode == STORE
    assert "gatehouse.db" in done.stderr
    assert (tmp_path / "gatehouse.db").read_bytes() == content


def test_a_corrupt_database_is_named(tmp_path):
    first_start(tmp_path)
    path = tmp_path / "gatehouse.db"
    for extra in ("-wal", "-shm"):
        (tmp_path / f"gatehouse.db{extra}").unlink(missing_ok=True)
    pages = bytearray(path.read_bytes())
    pages[100:] = os.urandom(len(pages) - 100)
    path.write_bytes(pages)
    done = demo(tmp_path)
    assert done.returncode == STORE
    assert "gatehouse.db" in done.stderr


def first_start(folder) -> str:
    """Starts a demo once, stops it, and gives the password it printed."""
    process = subprocess.Popen(
        [BINARY, "demo", "--listen", f"127.0.0.1:{free_port()}", "--data", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = [process.stdout.readline() for _ in range(3)]
    process.terminate()
    assert process.wait(60) == 0
    rest = process.stdout.read()
    process.stdout.close()
    assert rest == ""
    assert re.fullmatch(r"url: http://localhost:\d+\n", lines[0])
    assert re.fullmatch(r"user: [^@\s]+@[^@\s]+\n", lines[1])
    assert re.fullmatch(r"password: \S+\n", lines[2])
    return lines[2].removeprefix("password: ").strip()


def test_a_newer_database_is_refused(tmp_path):
    first_start(tmp_path)
    database = sqlite3.connect(tmp_path / "gatehouse.db")
    tables = [name for (name,) in database.execute("select name from sqlite_master where type='table'")]
    versions = [t for t in tables if "migration" in t or "schema" in t]
    assert versions, tables
    columns = [row[1] for row in database.execute(f"pragma table_info({versions[0]})")]
    database.execute(f"insert into {versions[0]} ({columns[0]}, {columns[1]}) values (9999, 0)")
    database.execute("pragma user_version = 9999")
    database.commit()
    database.close()
    done = demo(tmp_path)
    assert done.returncode == STORE
    assert "9999" in done.stderr


def test_a_database_that_another_program_locks(tmp_path):
    first_start(tmp_path)
    database = sqlite3.connect(tmp_path / "gatehouse.db", isolation_level=None)
    database.execute("begin exclusive")
    done = demo(tmp_path)
    database.close()
    assert done.returncode == STORE
    assert "lock" in done.stderr


def test_a_lost_sealing_key_is_not_replaced_in_silence(tmp_path):
    first_start(tmp_path)
    (tmp_path / "gatehouse.db.key").unlink()
    done = demo(tmp_path)
    assert done.returncode == STORE
    assert "key" in done.stderr


def test_a_sealing_key_that_others_may_read_is_refused(tmp_path):
    first_start(tmp_path)
    (tmp_path / "gatehouse.db.key").chmod(0o644)
    done = demo(tmp_path)
    assert done.returncode == STORE
    assert "chmod 600" in done.stderr


def test_a_full_disk_denies_logins_and_keeps_sessions(tmp_path):
    """The database may grow no further: a limit on the size of files stands in for the disk."""
    door = Deployment("one")
    door.add_user(USER, PASSWORD, [])
    process = door.roles[0]
    process.start()
    door.wait_until_ready()
    try:
        person = Person(door.url)
        person.log_in(USER, PASSWORD)
        import resource
        resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE,
                         (4096, resource.RLIM_INFINITY))
        other = Person(door.url)
        answer = other.submit_login(other.login_page(), USER, PASSWORD)
        assert answer.status_code in (500, 503), answer.status_code
        assert not other.cookie()
        assert person.get("/pipeline/").status_code == 200
        resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert Person(door.url).log_in(USER, PASSWORD).status_code == 200
    finally:
        door.close()


def test_wrong_configuration_lists_every_problem_with_its_place(tmp_path):
    path = tmp_path / "gatehouse.yaml"
    path.write_text("gatekeeper:\n  sesion_max_age: 1h\n  redirect_status: 307\nthreads: many\n")
    done = run("config", "check", path)
    assert done.returncode == CONFIGURATION
    assert f"{path}:2:" in done.stderr and "session_max_age" in done.stderr
    assert f"{path}:3:" in done.stderr and f"{path}:4:" in done.stderr
    assert run("serve", "-c", path).returncode == CONFIGURATION


def test_a_missing_configuration_file(tmp_path):
    done = run("serve", "-c", tmp_path / "none.yaml")
    assert done.returncode == CONFIGURATION
    assert "none.yaml" in done.stderr


def test_a_certificate_that_is_not_there(tmp_path):
    path = tmp_path / "gatehouse.yaml"
    path.write_text('{"gateway": {"listen": [{"address": "127.0.0.1:%d", "tls": '
                    '{"certificate": "/nowhere/cert.pem", "key": "/nowhere/key.pem"}}]}, '
                    '"operations": {"listen": ""}, "store": {"path": "%s/x.db"}}'
                    % (free_port(), tmp_path))
    done = run("serve", "-c", path)
    assert done.returncode == CONFIGURATION
    assert "/nowhere/cert.pem" in done.stderr


def test_a_second_start_keeps_user_and_password(tmp_path):
    password = first_start(tmp_path)
    port = free_port()
    process = subprocess.Popen([BINARY, "demo", "--listen", f"127.0.0.1:{port}", "--data", tmp_path],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines = [process.stdout.readline() for _ in range(3)]
    try:
        assert [line.split(": ")[0] for line in lines] == ["url", "user", "password"]
        assert password not in "".join(lines)
        Person(f"http://localhost:{port}").log_in("user@example.com", password)
    finally:
        process.terminate()
        assert process.wait(60) == 0
        process.stdout.close()


def test_the_password_stands_nowhere_but_on_stdout(tmp_path):
    log = tmp_path / "log"
    with open(log, "wb") as stderr:
        process = subprocess.Popen(
            [BINARY, "demo", "--listen", f"127.0.0.1:{free_port()}", "--data", tmp_path / "data"],
            stdout=subprocess.PIPE, stderr=stderr, text=True)
        url, user, password = (process.stdout.readline().split(": ")[1].strip() for _ in range(3))
        person = Person(url)
        person.log_in(user, password)
        cookie = person.cookie()
        requests.get(url + "/pipeline/?token=seen-in-a-query", cookies={"gatehouse_session": cookie})
        process.terminate()
        assert process.wait(60) == 0
        process.stdout.close()
    secrets = [password.encode(), cookie.encode(), b"seen-in-a-query"]
    for path in [log, *(p for p in (tmp_path / "data").iterdir())]:
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets), path

"""A real browser: JupyterLab behind the front door, and every page in every look."""

import filecmp
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

import pytest
from deployment import PASSWORD, USER, Deployment
from person import Person
from ports import free_port

SCRIPTS = pathlib.Path(__file__).parent / "browser"
DOWNLOAD_BYTES = 200 * 1024 * 1024
UPLOAD_BYTES = 40 * 1024 * 1024
MEMORY_GROWTH_BYTES = 64 * 1024 * 1024  # both transfers together: far less than either is long
CLOSE_MS = 5000  # about one second by design; the machine may be busy
PAGES = {"client-unknown", "link-damaged", "nothing-here", "bad-request", "other-site", "login",
         "login-refused", "login-slowed", "dashboard", "service-away", "diagnostics", "home",
         "logout-question", "signed-out"}
LOOKS = 6  # light and dark, at 320, 360 and 1280 px
NOTEBOOK = {"cells": [{"cell_type": "code", "id": "a", "execution_count": None, "metadata": {},
                       "outputs": [], "source": ["print('the answer is', 6 * 7)"]}],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3",
                                        "language": "python"}},
            "nbformat": 4, "nbformat_minor": 5}


def browse(script: str, options: dict) -> dict:
    done = subprocess.run(["node", SCRIPTS / script, json.dumps(options)], capture_output=True,
                          text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


@pytest.fixture
def jupyter(tmp_path):
    """A real JupyterLab below /notebook/team-a/lab/, and its folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "work.ipynb").write_text(json.dumps(NOTEBOOK))
    (folder / "big.bin").write_bytes(os.urandom(DOWNLOAD_BYTES))
    port = free_port()
    environment = os.environ | {"HOME": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "1",
                                "IPYTHONDIR": str(tmp_path / "ipython")}
    with open(tmp_path / "jupyter.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
             "--ServerApp.base_url=/notebook/team-a/lab/", "--IdentityProvider.token=",
             "--ServerApp.password=", "--ServerApp.allow_remote_access=True",
             f"--ServerApp.root_dir={folder}"],
            cwd=folder, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{url}/notebook/team-a/lab/api", timeout=2)
            break
        except OSError:
            assert process.poll() is None, (tmp_path / "jupyter.log").read_text()
            time.sleep(0.1)
    yield url, folder
    process.terminate()
    process.wait()


def peak_memory(door: Deployment) -> int:
    """The most memory that the deployment's processes have had, in bytes."""
    total = 0
    for role in door.roles:
        status = pathlib.Path(f"/proc/{role.process.pid}/status").read_text()
        total += int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024
    return total


@pytest.mark.parametrize("form", ["one", "three"])
def test_jupyterlab_from_login_to_logout(form, jupyter, tmp_path, monkeypatch):
    # What a sanitizer keeps after it was freed is not the program's.
    monkeypatch.setenv("ASAN_OPTIONS",
                       os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4")
    service, folder = jupyter
    upload, download = tmp_path / "upload.bin", tmp_path / "downloaded.bin"
    upload.write_bytes(os.urandom(UPLOAD_BYTES))
    door = Deployment(form, routes=[
        {"name": "lab", "prefix": "/notebook/team-a/lab", "service": service}]).start()
    try:
        Person(door.url).log_in(USER, PASSWORD)  # the hash of a password needs memory of its own
        memory_before = peak_memory(door)
        seen = browse("jupyter.js", {
            "url": door.url, "lab": f"{door.url}/notebook/team-a/lab", "user": USER,
            "password": PASSWORD, "upload": str(upload), "download": str(download),
            "uploaded": str(folder / "upload.bin")})
        growth = peak_memory(door) - memory_before
    finally:
        door.close()
    print(f"socket closed after {seen['closedAfterMs']} ms, memory grew by {growth >> 10} KiB")
    assert seen["landed"].startswith(f"{door.url}/notebook/team-a/lab/lab/tree/work.ipynb")
    assert filecmp.cmp(download, folder / "big.bin", shallow=False)
    assert filecmp.cmp(upload, folder / "upload.bin", shallow=False)
    assert growth < MEMORY_GROWTH_BYTES
    assert seen["openSockets"] >= 1
    assert seen["closedAfterMs"] < CLOSE_MS
    assert seen["statusAfter"] == 401


@pytest.mark.parametrize("form", ["one", "three"])
def test_every_page_in_light_and_dark_wide_and_narrow_without_scripts(form, tmp_path):
    slow = {"identity": {"passwords": {"slow_down": "1m"}}}  # however slow the browser is
    door = Deployment(form, routes=[
        {"name": "away", "prefix": "/away", "service": "http://127.0.0.1:9"}],
        **{"all" if form == "one" else "identity": slow}).start()
    try:
        seen = browse("pages.js", {
            "url": door.url, "operations": f"http://127.0.0.1:{door.operations_port}",
            "user": USER, "password": PASSWORD,
            "folder": os.environ.get("GATEHOUSE_SCREENSHOTS", str(tmp_path))})
    finally:
        door.close()
    assert {page["name"] for page in seen} == PAGES
    assert len(seen) == len(PAGES) * LOOKS
    assert {page["shot"]: page["problems"] for page in seen if page["problems"]} == {}

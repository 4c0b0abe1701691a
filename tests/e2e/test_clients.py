"""Clients that others wrote: the script of Kubeflow's users, and an independent OpenID library."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from deployment import PASSWORD, USER, Deployment
from ports import free_port

CLIENTS = pathlib.Path(__file__).parent / "clients"


def run(script: str, *words: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, CLIENTS / script, *words], capture_output=True,
                          text=True, timeout=120, env=os.environ | environment)


def test_the_script_of_kubeflow_s_users_works_unchanged(door):
    done = run("kfp_login.py", door.url, KUBEFLOW_USERNAME=USER, KUBEFLOW_PASSWORD=PASSWORD)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["headers"]["kubeflow-userid"] == USER


@pytest.mark.parametrize("form", ["one", "three"])
def test_an_independent_relying_party(form):
    redirect_uri = f"http://127.0.0.1:{free_port()}/callback"
    client = {"id": "independent", "name": "Independent", "secret": "a secret of the relying party",
              "redirect_uris": [redirect_uri]}
    door = Deployment(form, clients=[client]).start()
    try:
        done = run("oidc_client.py", f"{door.url}/dex", "--client-id", client["id"],
                   "--redirect-uri", redirect_uri, OIDC_USERNAME=USER, OIDC_PASSWORD=PASSWORD,
                   OIDC_CLIENT_SECRET=client["secret"])
    finally:
        door.close()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") >= 10

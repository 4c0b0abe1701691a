"""The verdict as other gateways ask for it: nginx's auth_request, and ext_authz on any path."""

import subprocess
import time

import pytest
import requests
from deployment import GROUPS, PASSWORD, USER, Deployment
from person import SESSION_COOKIE, Person
from ports import free_port

NGINX = """daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid;
error_log {folder}/nginx.log; events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; scgi_temp_path {folder}/s; uwsgi_temp_path {folder}/u;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      auth_request /verify;
      auth_request_set $user $upstream_http_kubeflow_userid;
      return 200 "$user";
    }}
    location = /verify {{
      internal;
      proxy_pass http://127.0.0.1:{gatekeeper}/authservice/verify;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Requested-With nginx;
    }}
  }}
}}
"""


@pytest.fixture(scope="module")
def apart():
    deployment = Deployment("three").start()
    deployment.gatekeeper_port = next(r.port for r in deployment.roles if r.name == "gatekeeper")
    yield deployment
    deployment.close()


@pytest.fixture(scope="module")
def cookie(apart):
    person = Person(apart.url)
    person.log_in(USER, PASSWORD)
    return {SESSION_COOKIE: person.cookie()}


@pytest.fixture
def nginx(apart, tmp_path):
    port = free_port()
    # return is answered before auth_request is asked; a file is not.
    (tmp_path / "page").write_text("the page")
    config = NGINX.format(folder=tmp_path, port=port, gatekeeper=apart.gatekeeper_port).replace(
        'return 200 "$user";', f'add_header X-User $user; root {tmp_path};')
    (tmp_path / "nginx.conf").write_text(config)
    process = subprocess.Popen(["nginx", "-c", tmp_path / "nginx.conf", "-p", tmp_path])
    for _ in range(200):
        try:
            requests.get(f"http://127.0.0.1:{port}/page", timeout=1)
            break
        except requests.ConnectionError:
            time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/page"
    process.terminate()
    process.wait()


def test_nginx_lets_a_session_pass_and_learns_the_user(nginx, cookie):
    answer = requests.get(nginx, cookies=cookie)
    assert (answer.status_code, answer.text) == (200, "the page")
    assert answer.headers["X-User"] == USER


def test_nginx_refuses_strangers_and_forged_headers(nginx):
    assert requests.get(nginx).status_code == 401
    assert requests.get(nginx, headers={"kubeflow-userid": USER}).status_code == 401
    assert requests.get(nginx, cookies={SESSION_COOKIE: "a.b.c"}).status_code == 401


@pytest.mark.parametrize("path", ["/", "/pipeline/", "/notebook/team-a/lab/?x=1", "/kfam/v1/bindings"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_ext_authz_judges_any_method_and_path(apart, cookie, method, path):
    url = f"http://127.0.0.1:{apart.gatekeeper_port}{path}"
    allowed = requests.request(method, url, cookies=cookie, allow_redirects=False)
    assert allowed.status_code == 200
    assert allowed.headers["kubeflow-userid"] == USER
    assert sorted(allowed.headers["kubeflow-groups"].split(",")) == sorted(GROUPS)
    denied = requests.request(method, url, allow_redirects=False)
    assert denied.status_code == (301 if method == "GET" else 401)


def test_ext_authz_believes_no_forwarded_target(apart):
    for header in ("X-Forwarded-Uri", "X-Original-Uri", "X-Envoy-Original-Path"):
        answer = requests.get(f"http://127.0.0.1:{apart.gatekeeper_port}/pipeline/",
                              headers={header: "/dex/healthz"}, allow_redirects=False)
        assert answer.status_code == 301, header

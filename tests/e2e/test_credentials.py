"""Who may say who somebody is: neither a client for the authorizer, nor a route for its session."""

import pytest
from gateway_alone import GatewayAlone, Service, answer, mapping
from raw_site import GET, front_door


@pytest.mark.parametrize("form", ["file", "manifest"])
@pytest.mark.parametrize("path", ["/", "/open/"])
def test_nobody_says_what_only_the_authorizer_may_say(service, tmp_path, form, path):
    """A header of allowed_authorization_headers, where the verdict has none and where nobody is asked."""
    with Service(answer("")) as judge:
        if form == "file":
            more = {"routes": [{"service": service.url}, {"prefix": "/open/", "service": service.url,
                                                          "authenticate": False}],
                    "authorizer": {"kind": "http", "url": judge.url,
                                   "allowed_authorization_headers": ["x-user"]}}
        else:
            auth = {"apiVersion": "getambassador.io/v3alpha1", "kind": "AuthService",
                    "metadata": {"name": "auth", "namespace": "default"},
                    "spec": {"auth_service": judge.url, "allowed_authorization_headers": ["x-user"]}}
            more = {"manifests": [auth, mapping("m", "/", service.url),
                                  mapping("o", "/open/", service.url, bypass_auth=True)]}
        with GatewayAlone(tmp_path, **more) as gateway:
            assert gateway.get(path, headers={"X-User": "root", "x_user": "root"}).status_code == 200
    assert b"root" not in service.last.head


def test_connection_hides_no_client_behind_a_trusted_proxy(service, tmp_path):
    """nginx with `proxy_set_header Connection $http_connection` passes a client's own on."""
    with GatewayAlone(tmp_path, [{"service": service.url}], trusted_proxies=["127.0.0.1"],
                      ip_deny=["192.0.2.0/24"]) as gateway:
        for options in ("close", "close, x-forwarded-for"):
            got = gateway.raw(f"GET / HTTP/1.1\r\nHost: a\r\nConnection: {options}\r\n"
                              "X-Forwarded-For: 192.0.2.1\r\n\r\n".encode())
            assert got.startswith(b"HTTP/1.1 403 "), options


def test_an_open_route_sees_no_session_as_a_bearer_token():
    with front_door() as site:
        before = site.mark()
        token = site.cookie.partition(b"=")[2]
        with site.client(GET + b"Authorization: Bearer " + token + b"\r\n\r\n") as client:
            assert client.answer().status == 200
        (seen,) = site.upstream.since(before)
        assert token not in seen.head

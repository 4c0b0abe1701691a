"""The gateways that Gatehouse is measured beside, each set up as its own guide says for speed: one
worker, pinned to processor 0, keep-alive to the upstream, no access log.

A peer that is not installed is left out, and the table says so.
"""

import json
import pathlib
import shutil
import subprocess

from processes import NGINX, PASS, POOL, ROOT, Process, free_port

KILOBYTE = "x" * 1024
GIGABYTE = 1 << 30


def certificate(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A P-256 certificate for localhost, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    if not cert.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


class Upstream(Process):
    """nginx with 1 KB answers, a file of 1 GB, a sink for uploads; on the other processor."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.port = free_port()
        large = folder / "large"
        large.mkdir(exist_ok=True)
        with open(large / "gigabyte", "wb") as file:
            file.truncate(GIGABYTE)
        body = f"""server {{ listen 127.0.0.1:{self.port} backlog=8192; default_type text/plain;
client_max_body_size 0; location / {{ return 200 "{KILOBYTE}"; }}
location /gigabyte {{ root {large}; sendfile on; }} location /sink {{ dav_methods PUT; create_full_put_path on; root {folder}/sink; }} }}"""
        path = folder / "upstream.conf"
        path.write_text(NGINX.format(folder=folder, name="upstream", body=body).replace(
            "worker_connections 1024", "worker_connections 20000"))
        super().__init__(["nginx", "-c", path, "-p", folder], [self.port], processor="1")


class Nginx(Process):
    name = "nginx"

    def __init__(self, folder: pathlib.Path, upstream: int, websocket: int) -> None:
        self.http, self.https = free_port(), free_port()
        cert, key = certificate(folder)
        location = f"""location / {{ {PASS} proxy_buffering on; }}
location /gigabyte {{ {PASS} }}
location /sink {{ {PASS} proxy_request_buffering off; client_max_body_size 0; }}
location /echo {{ proxy_pass http://127.0.0.1:{websocket}; proxy_http_version 1.1;
proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "Upgrade"; }}"""
        body = POOL.format(upstream=upstream) + f"""
server {{ listen 127.0.0.1:{self.http} backlog=8192; keepalive_timeout 3600; {location} }}
server {{ listen 127.0.0.1:{self.https} ssl http2 backlog=8192; keepalive_timeout 3600;
http2_max_requests 1000000000; ssl_certificate {cert}; ssl_certificate_key {key};
ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets on; {location} }}"""
        path = folder / "nginx.conf"
        path.write_text(NGINX.format(folder=folder, name="nginx", body=body).replace(
            "worker_connections 1024", "worker_connections 20000"))
        super().__init__(["nginx", "-c", path, "-p", folder], [self.http, self.https])

    @staticmethod
    def version() -> str:
        out = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr
        return out.strip().removeprefix("nginx version: ")


class Haproxy(Process):
    name = "HAProxy"

    def __init__(self, folder: pathlib.Path, upstream: int, websocket: int) -> None:
        self.http, self.https = free_port(), free_port()
        cert, key = certificate(folder)
        (folder / "both.pem").write_text(cert.read_text() + key.read_text())
        path = folder / "haproxy.cfg"
        path.write_text(f"""global
  nbthread 1
  maxconn 8000
  tune.ssl.cachesize 0
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  http-reuse always
frontend front
  bind 127.0.0.1:{self.http} backlog 8192
  bind 127.0.0.1:{self.https} ssl crt {folder}/both.pem alpn h2,http/1.1 backlog 8192
  use_backend echo if {{ path_beg /echo }}
  default_backend pool
backend pool
  server one 127.0.0.1:{upstream} pool-max-conn 256
backend echo
  server one 127.0.0.1:{websocket}
""")
        super().__init__(["haproxy", "-f", path, "-db"], [self.http, self.https])

    @staticmethod
    def version() -> str:
        out = subprocess.run(["haproxy", "-v"], capture_output=True, text=True).stdout
        return "HAProxy " + out.split()[2]


class Envoy(Process):
    name = "Envoy"

    def __init__(self, folder: pathlib.Path, upstream: int, websocket: int) -> None:
        self.http, self.https = free_port(), free_port()
        cert, key = certificate(folder)

        def cluster(name: str, port: int) -> dict:
            return {"name": name, "type": "STATIC", "connect_timeout": "5s",
                    "circuit_breakers": {"thresholds": [
                        {"max_connections": 20000, "max_pending_requests": 20000,
                         "max_requests": 20000}]},
                    "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [
                        {"endpoint": {"address": {"socket_address": {
                            "address": "127.0.0.1", "port_value": port}}}}]}]}}

        def listener(name: str, port: int, tls: bool) -> dict:
            manager = {
                "@type": "type.googleapis.com/envoy.extensions.filters.network."
                         "http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": name, "codec_type": "AUTO", "generate_request_id": False,
                "stream_idle_timeout": "0s",
                "upgrade_configs": [{"upgrade_type": "websocket"}],
                "http2_protocol_options": {"max_concurrent_streams": 128},
                "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                    "suppress_envoy_headers": True}}],
                "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                    {"match": {"prefix": "/echo"}, "route": {"cluster": "echo", "timeout": "0s"}},
                    {"match": {"prefix": "/"}, "route": {"cluster": "pool", "timeout": "0s"}}]}]}}
            chain = {"filters": [{"name": "http", "typed_config": manager}]}
            if tls:
                chain["transport_socket"] = {"name": "tls", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3."
                             "DownstreamTlsContext",
                    "common_tls_context": {
                        "alpn_protocols": ["h2", "http/1.1"],
                        "tls_certificates": [{"certificate_chain": {"filename": str(cert)},
                                              "private_key": {"filename": str(key)}}]}}}
            return {"name": name, "filter_chains": [chain], "address": {"socket_address": {
                "address": "127.0.0.1", "port_value": port}}}

        path = folder / "envoy.json"
        path.write_text(json.dumps({"static_resources": {
            "listeners": [listener("http", self.http, False), listener("https", self.https, True)],
            "clusters": [cluster("pool", upstream), cluster("echo", websocket)]}}))
        super().__init__([envoy_program(), "-c", path, "--concurrency", "1", "-l", "off",
                          "--disable-hot-restart"], [self.http, self.https])

    @staticmethod
    def version() -> str:
        out = subprocess.run([envoy_program(), "--version"], capture_output=True, text=True).stdout
        return "Envoy " + out.strip().rsplit("/", 4)[1]


def envoy_program() -> str | None:
    found = shutil.which("envoy")
    packaged = sorted((ROOT / ".cache/bench").glob("lib/python*/site-packages/envoy/_bin/envoy"))
    return found or (str(packaged[0]) if packaged else None)


def installed() -> list[type]:
    """The peers that are here."""
    return [Nginx] + ([Haproxy] if shutil.which("haproxy") else []) + (
        [Envoy] if envoy_program() else [])

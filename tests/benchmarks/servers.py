"""A token endpoint and an API on this machine that are not what takes the time.

nginx answers from memory, on a core of its own; what its token endpoint is asked
stands in a log, so that token requests can be counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import CLIENT_CORE, SERVER_CORE, CannotRun, pin

#: As long as a usual RS256 token, and plainly none.
TOKEN = "bench-token-" + "x" * 948
RECORD = {
    "id": 123456,
    "uuid": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "name": "Ada Lovelace",
    "tags": ["alpha", "beta", "gamma"],
    "score": 12.75,
    "active": True,
    "address": {"city": "London", "geo": {"lat": 51.5074, "lon": -0.1278}},
}
SIZE = 1024
GRANTED = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
_CONFIGURATION = """
daemon off; worker_processes 1; {affinity} {user}
pid {folder}/nginx.pid; error_log {folder}/error.log error;
events {{ worker_connections 4096; multi_accept on; }}
http {{
  access_log off; default_type application/json; tcp_nodelay on;
  keepalive_requests 100000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  log_format one "token";
  map $http_authorization $known {{ default 0; "~^Bearer bench-token-" 1; }}
  server {{
    listen 127.0.0.1:{http}; {secure}
    location /api {{ if ($known = 0) {{ return 401; }} return 200 '{body}'; }}
    location = /token {{ access_log {folder}/tokens.log one; return 200 '{token}'; }}
  }}
}}
"""
PROVIDER = """
[provider]
name = "bench"
title = "Bench"
grants = ["client_credentials", "refresh_token"]
token_endpoint_auth_method = "client_secret_basic"

[scopes]
read = "Read"

[environments.sandbox]
token_endpoint = "{base}/token"
api_base = "{base}"
{authority}
"""


def body() -> str:
    """Return a record of one KiB."""
    rest = SIZE - len(json.dumps({**RECORD, "note": ""}))
    return json.dumps({**RECORD, "note": "x" * rest})


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def nginx():
    """Serve; yield the setting that the ways are given.

    Raises:
        CannotRun: There is no nginx here.
    """
    program = shutil.which("nginx")
    if program is None:
        msg = "nginx is not installed"
        raise CannotRun(msg)
    folder = Path(tempfile.mkdtemp(prefix="oauthmagic-bench-"))
    ports = {"http": free_port(), "https": free_port()}
    bases = {name: f"{name}://127.0.0.1:{port}" for name, port in ports.items()}
    secure = _certificates(folder, ports["https"])
    (folder / "nginx.conf").write_text(
        _CONFIGURATION.format(
            folder=folder,
            http=ports["http"],
            secure=secure,
            body=body(),
            token=json.dumps(GRANTED),
            affinity=f"worker_cpu_affinity {1 << SERVER_CORE:b};"
            if (os.cpu_count() or 1) > SERVER_CORE
            else "",
            user="user root;" if os.geteuid() == 0 else "",
        )
    )
    for name, base in bases.items():
        authority = 'ca_file = "ca.pem"' if name == "https" else ""
        text = PROVIDER.format(base=base, authority=authority)
        (folder / f"{name}.toml").write_text(text)
    server = subprocess.Popen(
        [program, "-p", str(folder), "-c", str(folder / "nginx.conf")],
        stderr=subprocess.PIPE,
    )
    try:
        _wait_for(ports["http"], server)
        yield {
            **bases,
            "folder": str(folder),
            "ca": str(folder / "ca.pem") if secure else "",
        }
    finally:
        server.terminate()
        server.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def token_requests(setting: dict) -> int:
    """Return how often the token endpoint has been asked."""
    log = Path(setting["folder"]) / "tokens.log"
    return len(log.read_bytes().splitlines()) if log.exists() else 0


def _wait_for(port: int, server: subprocess.Popen) -> None:
    for _ in range(200):
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), 1),
        ):
            return
        if server.poll() is not None:
            said = server.stderr.read().decode()[:200] if server.stderr else ""
            raise CannotRun(said or "the server ended")
        time.sleep(0.02)
    msg = "nginx does not answer"
    raise CannotRun(msg)


def _certificates(folder: Path, port: int) -> str:
    """Make an authority and a certificate; return how the server listens with it."""
    program = shutil.which("openssl")
    if program is None:
        return ""

    def openssl(*arguments: str) -> None:
        subprocess.run(
            [program, *arguments], cwd=folder, check=True, capture_output=True
        )

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    authority = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign")
    openssl(
        *("req", "-x509", *key, "-days", "30", "-subj", "/CN=bench authority"),
        *("-keyout", "ca.key", "-out", "ca.pem"),
        *(part for each in authority for part in ("-addext", each)),
    )
    openssl(
        "req", *key, "-subj", "/CN=127.0.0.1", "-keyout", "key.pem", "-out", "leaf.csr"
    )
    (folder / "leaf.ext").write_text(
        "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"
        "extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\n"
    )
    openssl(
        *("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key"),
        *("-CAcreateserial", "-days", "30", "-extfile", "leaf.ext", "-out", "cert.pem"),
    )
    return (
        f"listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/cert.pem; "
        f"ssl_certificate_key {folder}/key.pem; ssl_session_cache shared:S:1m;"
    )


def wrk(url: str, connections: int, seconds: int) -> float:
    """Return the requests in a second that wrk gets answered: the limit here.

    Raises:
        CannotRun: There is no wrk here.
    """
    program = shutil.which("wrk")
    if program is None:
        msg = "wrk is not installed"
        raise CannotRun(msg)
    said = subprocess.run(
        [
            *(program, "-t1", f"-c{connections}", f"-d{seconds}s"),
            *("-H", f"Authorization: Bearer {TOKEN}", url),
        ],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: pin(CLIENT_CORE),
    ).stdout
    return float(said.split("Requests/sec:")[1].split()[0])


class _Later(asyncio.Protocol):
    """Answers each request on a connection after a while."""

    delay = 0.05
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s"
    )

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Take note of the connection."""
        self._write = transport.write

    def data_received(self, data: bytes) -> None:
        """Answer a token request at once, and everything else later."""
        loop = asyncio.get_running_loop()
        if data.startswith(b"POST"):
            loop.call_soon(self._write, answered(json.dumps(GRANTED)))
        elif data.endswith(b"\r\n\r\n"):
            loop.call_later(self.delay, self._write, ANSWER)


def answered(text: str) -> bytes:
    """Return a whole answer."""
    return _Later.answer % (len(text), text.encode())


@contextlib.contextmanager
def later():
    """Serve an API that answers after 50 ms; yield the setting of the ways."""
    folder = Path(tempfile.mkdtemp(prefix="oauthmagic-bench-"))
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    (folder / "http.toml").write_text(PROVIDER.format(base=base, authority=""))
    server = subprocess.Popen(
        [sys.executable, __file__, str(port)],
        preexec_fn=lambda: pin(SERVER_CORE),
    )
    try:
        _wait_for(port, server)
        yield {"http": base, "folder": str(folder), "ca": ""}
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


async def _serve_later(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Later, "127.0.0.1", port, backlog=256)
    await server.serve_forever()


if __name__ == "__main__":
    ANSWER = answered(body())
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve_later(int(sys.argv[1])))

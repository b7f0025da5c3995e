"""What benchmarks run against: nginx on the loopback interface, and wrk beside it.

with Nginx() as server:     server.http, server.https: an API of 1 KB answers behind a
                            bearer token, and a token endpoint; server.ca_file
requests_per_second(url)    what wrk reaches: the limit of the machine
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: As long as a usual signed token.
TOKEN = "plainly-fake-token-" + "x" * 960
RECORD = {
    "id": 123456,
    "name": "Ada Lovelace",
    "tags": ["alpha", "beta", "gamma"],
    "score": 12.75,
    "active": True,
    "address": {"city": "London", "geo": {"lat": 51.5074, "lon": -0.1278}},
}
BODY = json.dumps({**RECORD, "note": "x" * (1014 - len(json.dumps(RECORD)))})

#: The server has one core, what is measured another, where there are two.
SERVER_CORE, CLIENT_CORE = 1, 0

_CONFIGURATION = """
daemon off; master_process on; worker_processes 1; {user}
pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 8192; multi_accept on; }}
http {{
  access_log off; default_type application/json; tcp_nodelay on;
  keepalive_requests 100000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2;
  fastcgi_temp_path {folder}/3; uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  map $http_authorization $may {{ default 0; "~^Bearer plainly-fake-token" 1; }}
  server {{
    listen 127.0.0.1:{http} reuseport; listen 127.0.0.1:{https} ssl;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.pem;
    location /api {{ if ($may = 0) {{ return 401; }} return 200 '{body}'; }}
    location /token {{ return 200 '{token}'; }}
  }}
}}
"""


class Nginx:
    """A server of the benchmarks.

    Attributes:
        http: Its URL without TLS.
        https: Its URL with TLS.
        ca_file: The authority behind its certificate.
    """

    def __enter__(self):
        program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if program is None:
            msg = "nginx is not installed: nothing to measure against."
            raise SystemExit(msg)
        self._folder = Path(tempfile.mkdtemp(prefix="oauthmagic-bench-"))
        self.ca_file = self._folder / "ca.pem"
        _certify(self._folder)
        ports = {"http": _free_port(), "https": _free_port()}
        self.http = f"http://127.0.0.1:{ports['http']}"
        self.https = f"https://127.0.0.1:{ports['https']}"
        granted = {
            "access_token": TOKEN,
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": "plainly-fake-refresh-token",
        }
        text = _CONFIGURATION.format(
            folder=self._folder,
            user="user root;" if _is_root() else "",
            body=BODY,
            token=json.dumps(granted),
            **ports,
        )
        (self._folder / "nginx.conf").write_text(text)
        self._process = subprocess.Popen(
            [program, "-p", self._folder, "-c", self._folder / "nginx.conf"],
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: pin(SERVER_CORE),
        )
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", ports["https"]), 1).close()
                return self
            time.sleep(0.02)
        msg = "nginx does not answer."
        raise SystemExit(msg)

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class Slow:
    """A server whose API answers after a while, as most do.

    Args:
        delay: After how many seconds.

    Attributes:
        http: Its URL.
    """

    def __init__(self, delay):
        self._delay = delay

    def __enter__(self):
        port = _free_port()
        self.http = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(port), str(self._delay)],
            preexec_fn=lambda: pin(SERVER_CORE),
        )
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return self
            time.sleep(0.02)
        msg = "The slow server does not answer."
        raise SystemExit(msg)

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()


class _Slowly(asyncio.Protocol):
    """Answers each request on a connection after the delay."""

    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY.encode())
    )
    delay = 0.0

    def connection_made(self, transport):
        self._transport = transport

    def data_received(self, data):
        if data.endswith(b"\r\n\r\n"):
            loop = asyncio.get_running_loop()
            loop.call_later(self.delay, self._transport.write, self.answer)


async def _serve_slowly(port, delay):
    _Slowly.delay = delay
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Slowly, "127.0.0.1", port, backlog=256)
    await server.serve_forever()


def pin(core):
    """Run on one core, where that can be asked for and there is another."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def requests_per_second(url, *, connections=64, seconds=2):
    """Return what wrk reaches from the client's core, or None without wrk."""
    program = shutil.which("wrk")
    if program is None:
        return None
    said = subprocess.run(
        [
            program,
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "-H",
            f"Authorization: Bearer {TOKEN}",
            url,
        ],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: pin(CLIENT_CORE),
    ).stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def spread(values):
    """Return a median, with the least and the most."""
    low, high = min(values), max(values)
    return f"{statistics.median(values):.3g} ({low:.3g}-{high:.3g})"


def print_table(title, head, rows):
    """Print a table in Markdown."""
    print(f"\n{title}\n")
    print(f"| {' | '.join(head)} |")
    print("|---" + "|---:" * (len(head) - 1) + "|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def _is_root():
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _certify(folder):
    now = dt.datetime.now(dt.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "benchmarks")])
    certificate = (
        x509.CertificateBuilder(
            issuer_name=name,
            subject_name=name,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - dt.timedelta(hours=1),
            not_valid_after=now + dt.timedelta(days=1),
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.pem").write_bytes(pem)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(pem + secret)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve_slowly(int(sys.argv[1]), float(sys.argv[2])))

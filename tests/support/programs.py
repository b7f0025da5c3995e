"""What runs a produced program, and a server that keeps exactly what it sent."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from typing import NamedTuple

#: How a program of each language is started, behind its file.
STARTED = {
    "curl": (["sh"], "sh"),
    "python": ([sys.executable, "-W", "error"], "py"),
    "python-requests": ([sys.executable], "py"),
    "javascript": (["node"], "mjs"),
}
#: Headers in which clients differ and that say nothing about the request.
OF_THE_CLIENT = {
    "accept-encoding",
    "accept-language",
    "connection",
    "host",
    "sec-fetch-mode",
    "user-agent",
}


def start(text, language, folder, environ):
    """Start a program; its input and output are pipes."""
    command, ending = STARTED[language]
    path = folder / f"program.{ending}"
    path.write_text(text)
    inherited = {name: os.environ[name] for name in ("PATH", "HOME")}
    if "OAUTHMAGIC_SANDBOX_CA" in environ:
        inherited["NODE_EXTRA_CA_CERTS"] = environ["OAUTHMAGIC_SANDBOX_CA"]
    return subprocess.Popen(
        [*command, str(path)],
        cwd=folder,
        env={**inherited, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(text, language, folder, environ):
    """Run a program to its end; return what it printed."""
    with start(text, language, folder, environ) as program:
        printed, errors = program.communicate(timeout=60)
    assert program.returncode == 0, errors
    return printed


class Sent(NamedTuple):
    """One request as a server saw it."""

    method: str
    target: str
    headers: list
    body: bytes


class Keeping(http.server.BaseHTTPRequestHandler):
    """Keeps every request and answers each with a token."""

    protocol_version = "HTTP/1.1"

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self._keep
        raise AttributeError(name)

    def _keep(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        headers = sorted(
            (name.lower(), value)
            for name, value in self.headers.items()
            if name.lower() not in OF_THE_CLIENT
            and (name.lower(), value) != ("content-length", "0")
        )
        target = self.requestline.split(" ")[1]
        self.server.sent.append(Sent(self.command, target, headers, body))
        content = b'{"access_token": "fake-\\u0074oken-1", "token_type": "Bearer"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_):
        """Print nothing."""


class KeepingServer(http.server.ThreadingHTTPServer):
    """A loopback server; `.sent` is what came, `.url` where it is."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Keeping)
        self.sent = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self._thread.join()
        self.server_close()

    def last(self):
        """Return the latest request."""
        return self.sent[-1]

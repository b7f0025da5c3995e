"""A Dask cluster of processes on this machine, and an API that counts its requests."""

import json
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dask
from dask.distributed import Client, LocalCluster

from oauthmagic import Session

ENVIRON = {
    "OAUTHMAGIC_ACME_SANDBOX_CLIENT_ID": "me",
    "OAUTHMAGIC_ACME_SANDBOX_CLIENT_SECRET": "not-a-real-secret",
}
PROVIDER = """
[provider]
name = "acme"
grants = ["client_credentials"]

[environments.sandbox]
token_endpoint = "http://127.0.0.1:{port}/token"
api_base = "http://127.0.0.1:{port}"

[environments.production]
token_endpoint = "https://api.acme.example/token"
api_base = "https://api.acme.example"
"""


class CountingApi:
    """Gives tokens and answers rows; counts both.

    Args:
        pause: Seconds that each row takes.
        good_for: How many rows a token is good for; None for all.

    Attributes:
        asked: Row and time of each request that was answered with a 200.
        tokens: The access tokens that were given.
        storm: The number of the request that is answered with a 429, or None.
    """

    def __init__(self, pause=0.0, good_for=None):
        self.asked = []
        self.tokens = []
        self.used = 0
        self.storm = None
        self.lock = threading.Lock()
        self._good_for = good_for
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.used = 0
                    token = f"plainly-fake-token-{len(outer.tokens)}-of-a-test"
                    outer.tokens.append(token)
                self._answer(200, {"access_token": token, "token_type": "Bearer"})

            def do_GET(self):
                row = int(self.path.rpartition("/")[2])
                time.sleep(pause)
                with outer.lock:
                    status = outer.status(self.headers["Authorization"])
                    if status == 200:
                        outer.asked.append((row, time.monotonic()))
                if status == 401:
                    self._answer(401, {}, ("WWW-Authenticate", "Bearer"))
                elif status == 429:
                    self._answer(429, {}, ("Retry-After", "1"))
                else:
                    self._answer(200, {"row": row, "odd": row % 2 == 1})

            def _answer(self, status, members, *headers):
                body = json.dumps(members).encode()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 256

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    def status(self, authorization):
        """Return what the next request of a row is answered with."""
        if authorization != f"Bearer {self.tokens[-1]}":
            return 401
        self.used += 1
        if self._good_for is not None and self.used > self._good_for:
            return 401
        if self.storm == len(self.asked):
            self.storm = None
            return 429
        return 200

    @property
    def rows(self):
        """The rows that were answered, as often as they were."""
        return [row for row, _ in self.asked]

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def session(self, folder):
        """Return a session that knows this API as `acme`."""
        session = Session(environ=ENVIRON)
        file = folder / "acme.toml"
        file.write_text(PROVIDER.format(port=self.port), encoding="utf-8")
        session.add(file)
        return session


@contextmanager
def cluster(folder, workers=2, **more):
    """Start workers that are processes; return a client."""
    # A shell of another test may have left a module that does not say where it is from.
    vars(sys.modules["__main__"]).setdefault("__spec__", None)
    settings = {"temporary-directory": str(folder)}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            **more,
        ) as local,
        Client(local) as client,
    ):
        yield client
